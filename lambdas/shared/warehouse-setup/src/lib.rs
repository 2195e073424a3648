//! Custom resource that sets up in a warehouse what a system needs: schemas, tables, views, functions, users, grants.
//!
//! ```text
//! CloudFormation ─ event ─► WarehouseSetup ─► a System ─ SQL ─► Redshift's Data API
//!        ▲                     │                                one statement at a time, each with a client token
//!        └──── one PUT ────────┘
//! ```
//!
//! # What holds whatever happens
//!
//! - **One answer to each event**, sent by the crate `custom-resource`. Work ends 20 seconds before Lambda would stop it.
//! - **An event that is delivered twice is carried out once.** Each statement's client token consists of the event's request ID and the
//!   statement's number, so the Data API answers a repetition with the first statement and its result. It remembers tokens for eight hours.
//! - **Each statement may run again**: existing objects are kept, replaced, or compared with what should exist.
//! - **Data is kept.** Nothing here drops a table, a column or a schema.
//! - **A schema belongs to one stack**, which [`schema::create`] marks. A Create refuses a schema of a different stack, and a Delete
//!   leaves it alone.
//! - **A Delete undoes what a successful Create or Update of the same ID did, and nothing else.** The ID consists of the stack, the
//!   resource, the warehouse and the schema. A Create that fails answers with a different ID, whose Delete changes nothing. Whatever
//!   such a Create has left in the warehouse is reused by the next one.

mod database;
mod handler;
pub mod schema;
mod system;
pub mod user;

pub use database::Database;
pub use handler::WarehouseSetup;
pub use system::{Done, System};
