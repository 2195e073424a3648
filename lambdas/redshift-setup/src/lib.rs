//! Custom resource that gives a warehouse what a system needs: tables, views, the signing function, grants.
//!
//! ```text
//! CloudFormation ─ event ─► Handler ─► Request ─► write_back ─ SQL ─► Redshift's Data API
//!        ▲                     └─► Responder                          one statement at a time, each with a client token
//!        └──── one PUT ────────────────┘
//! ```
//!
//! # What holds whatever happens
//!
//! - **One answer to each event.** The answer is given by a value that is used up by giving it; when it is dropped instead, or the process
//!   panics, FAILED is sent. Work ends 20 seconds before Lambda would end it. When CloudFormation cannot be reached in
//!   three tries, the event fails and Lambda delivers it again.
//! - **An event that comes twice is carried out once.** Each statement's client token is made of the event's request id and the
//!   statement's number, so the Data API answers a repetition with the first statement and its result. It remembers for eight hours.
//! - **Each statement may run again**: what is there already is left, replaced or compared with what should be there.
//! - **Data stays.** Nothing here drops a table, a column or a schema.
//! - **A Delete undoes what a successful Create or Update of the same id did, and nothing else.** The id is made of the stack, the
//!   resource, the warehouse and the schema; a Create that fails answers with another one, whose Delete touches nothing. What
//!   such a Create has left in the warehouse is taken over by the next one.

mod database;
mod handler;
mod names;
mod properties;
mod request;
mod responder;
mod settings;
mod sql;
mod write_back;

pub use handler::{Handler, Unanswered};
pub use responder::speak_when_panicking;
pub use settings::Settings;
