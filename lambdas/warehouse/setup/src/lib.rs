//! Custom resource that gives a warehouse what a system needs: schemas, tables, views, the signing function, users, grants.
//!
//! ```text
//! CloudFormation ─ event ─► Handler ─► System ─► write_back, query_app ─ SQL ─► Redshift's Data API
//!        ▲                     │                   └─► Scripts  (S3)             one statement at a time, each with a client token
//!        └──── one PUT ────────┘
//! ```
//!
//! # What holds whatever happens
//!
//! - **One answer to each event**, by the crate `custom-resource`. Work ends 20 seconds before Lambda would end it.
//! - **An event that comes twice is carried out once.** Each statement's client token is made of the event's request id and the
//!   statement's number, so the Data API answers a repetition with the first statement and its result. It remembers for eight hours.
//! - **Each statement may run again**: what is there already is left, replaced or compared with what should be there. The exception are
//!   the statements of a query app's script, which are somebody else's: they run for a Create, and never for an Update or a Delete.
//! - **Data stays.** Nothing here drops a table, a column or a schema.
//! - **A Delete undoes what a successful Create or Update of the same id did, and nothing else.** The id is made of the stack, the
//!   resource, the warehouse and the schema; a Create that fails answers with another one, whose Delete touches nothing. What
//!   such a Create has left in the warehouse is taken over by the next one.

mod database;
mod handler;
mod query_app;
mod script;
mod settings;
mod system;
mod user;
mod write_back;

pub use handler::Handler;
pub use settings::Settings;
