//! Named queries, their parameters, and what the query app keeps of each request.
//!
//! ```text
//! query-results ── ticket ─► Table ◄── connection, request ── query-socket ─► Redshift Data API
//!                              ▲                                                  │ event
//!                              └──────── claim, end ── query-finished ◄───────────┘
//! ```
//!
//! # One request
//!
//! 1. [`Table::begin`] writes it with the connection that waits for it, before Redshift receives its statement.
//! 2. Redshift gets the statement, named `<tenant>-query-<key>`, with the key as the client token: a repetition is the same statement.
//!    While nobody knows whether Redshift has it, query-socket submits it again.
//! 3. Its event, or a sweep, finds the request by that name; [`Table::claim`] lets one run at a time report it.
//! 4. The result goes out in numbered parts, and [`Table::end`] is the last step. After a crash, sending resumes from the last
//!    part that was recorded; browsers drop parts that they already have.
//!
//! # Who waits
//!
//! A request belongs to its owner and is bound to one connection at a time, the last that ran or resumed it. If a connection is lost
//! without a deliberate close, its requests continue for [`GRACE`], so that a page that reconnects continues where it was.

mod begin;
mod catalogue;
mod cells;
mod connections;
mod delivery;
mod error;
mod item;
pub mod message;
mod origins;
mod parameter;
mod query;
mod recent;
mod request;
mod request_item;
mod resumes;
mod services;
mod sql;
mod steps;
mod sweep;
mod table;
mod ticket;

use std::time::Duration;

pub use begin::{Limits, Started};
pub use catalogue::{Catalogue, Place, Queries};
pub use cells::{ColumnType, columns, double, write_row};
pub use connections::{Connections, Posted, config as connections_config};
pub use delivery::{Delivery, Messages};
pub use error::Error;
pub use item::Unavailable;
pub use origins::Origins;
pub use parameter::{Kind, Parameter};
pub use query::{Bound, Chart, ChartKind, Query};
pub use recent::MOST_LISTED;
pub use request::{Cause, Connection, End, Failure, Request, State, is_request_id};
pub use resumes::RESUMES_PER_MINUTE;
pub use services::Services;
pub use steps::{Claim, Ending, Lease};
pub use table::{Identity, Table};
pub use ticket::{TICKET_SECONDS, Ticket};

/// How long a request continues with nobody waiting for it.
pub const GRACE: Duration = Duration::from_secs(60);

/// The prefix of a request's key in the name of its statement.
pub fn statement_prefix(tenant: &str) -> String {
    format!("{tenant}-query-")
}
