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
//! 1. [`Table::begin`] writes it with the connection that waits for it, before Redshift hears of its statement.
//! 2. Redshift gets the statement, named `<tenant>-query-<key>`, with the key as the client token: the same again is the same statement.
//! 3. Its event, or a sweep, finds the request by that name; [`Table::claim`] lets one run at a time tell of it.
//! 4. The result goes out in numbered parts, and [`Table::end`] is the last step. What dies in between is done again from the last
//!    part that was noted; browsers drop parts that they have.
//!
//! # Who waits
//!
//! A request belongs to its owner and waits for one connection at a time, the last that ran or resumed it. When a connection goes
//! without saying so on purpose, its requests run on for [`GRACE`], so that a page which connects again goes on where it was.

mod begin;
mod catalogue;
mod cells;
mod connections;
mod delivery;
mod item;
pub mod message;
mod origins;
mod parameter;
mod query;
mod request;
mod request_item;
mod services;
mod sql;
mod steps;
mod table;
mod ticket;

use std::time::Duration;

pub use begin::{Begun, Limits};
pub use catalogue::{Catalogue, Place, Queries};
pub use cells::{ColumnType, columns, write_row};
pub use connections::{Connections, Posted, config as connections_config};
pub use delivery::{Delivery, Messages};
pub use item::Unavailable;
pub use origins::Origins;
pub use parameter::{Kind, Parameter};
pub use query::{Bound, Chart, ChartKind, Query};
pub use request::{Cause, Connection, End, Failure, Request, State, is_request_id};
pub use services::Services;
pub use steps::{Claim, Ending, Lease, Open};
pub use table::{Identity, Table};
pub use ticket::{TICKET_SECONDS, Ticket};

/// How long a request runs on with nobody waiting for it.
pub const GRACE: Duration = Duration::from_secs(60);

/// What stands before a request's key in the name of its statement.
pub fn statement_prefix(tenant: &str) -> String {
    format!("{tenant}-query-")
}
