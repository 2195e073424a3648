//! Starts, cancels and resumes named queries over a WebSocket.
//!
//! ```text
//! authorizer    ticket, Origin ─► who connects, or Deny
//! $connect      ─► connection
//! run           connection ─► query, values ─► request ─► Redshift Data API
//! cancel        connection ─► request ─► CancelStatement; the end is told by query-finished
//! resume        connection ─► request ─► bound to this connection; told at once when it has ended
//! $disconnect   ─► this connection's items; its statements ended, at once or after a while
//! ```
//!
//! # Tickets
//!
//! A ticket is used up by the first that shows it, whatever comes of it: one that came from a wrong origin was stolen. Every refusal is
//! the policy Deny, which API Gateway answers with 403; an error of the function would be 401, and an alarm.
//!
//! # The end of a connection
//!
//! Closed by the page with the code 1000, nobody comes back: its statements are cancelled at once. All other codes are also those of lost
//! networks, of API Gateway's limits (10 minutes of silence, 2 hours) and of page reloads, so statements run on for a minute, and the sweep
//! of query-finished cancels those that no connection resumed. So it does not matter which comes first, the end of the old connection or the
//! resume from the new one.

mod authorizer;
mod event;
mod handler;
mod run;
mod settings;

pub use handler::Handler;
pub use settings::Settings;
