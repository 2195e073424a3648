//! Starts, cancels and resumes named queries over a WebSocket.
//!
//! ```text
//! authorizer    ticket, Origin ─► who connects, or Deny
//! $connect      ─► connection
//! run           connection ─► query, values ─► request ─► Redshift Data API
//! cancel        connection ─► request ─► CancelStatement; query-finished reports the end
//! resume        connection ─► request ─► bound to this connection; reported at once if it has ended
//! $disconnect   ─► this connection's items; its statements cancelled, at once or after a while
//! sweep         ─► requests whose submission nobody recorded ─► Redshift Data API, with the same client token
//! ```
//!
//! # Tickets
//!
//! A ticket is used up by the first connection attempt, whatever its outcome: one from a wrong origin was stolen. Every refusal is
//! the policy Deny, which API Gateway turns into 403; an error of the function would be 401 and an alarm.
//!
//! # The end of a connection
//!
//! If the page closes it with the code 1000, nobody will return: its statements are cancelled at once. All other codes also occur
//! for lost networks, API Gateway's limits (10 minutes of silence, 2 hours) and page reloads, so statements continue for a
//! minute, and the sweep of query-finished cancels those that no connection resumed. It does not matter which comes first, the
//! end of the old connection or the resume from the new one.

mod authorizer;
mod event;
mod handler;
mod run;
mod settings;
mod sweep;

pub use handler::QuerySocket;
pub use settings::Settings;
