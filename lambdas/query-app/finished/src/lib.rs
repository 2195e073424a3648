//! Informs the right connection that its query has ended, and sweeps ends that no event reported.
//!
//! ```text
//! EventBridge: statement ended ─► request by the statement's name ─┐
//! schedule: sweep ─► open requests, the oldest first ──────────────┴─► claim ─► status, result ─► browser ─► end
//! ```
//!
//! EventBridge may report an end twice, late, or never. A statement is named after its request, and the request exists before its
//! statement, so an event always finds it; one that does not is an error, which Lambda retries and then puts aside. One run at a
//! time has the lease on a request, which ends with the run's time: if a run dies in the middle, the next event or sweep takes
//! over, and browsers drop the parts that they already have. The current status in Redshift counts, not the status in the event.
//!
//! | sweep finds | does |
//! |---|---|
//! | a request older than [`sweep::SILENCE`] | checks its statement as if its event had arrived |
//! | one without a statement | leaves it to query-socket, which submits it again |
//! | one that nobody has been waiting for since a minute ago | cancels its statement |
//! | one older than `STATEMENT_SECONDS` | cancels its statement, and ends it as `timed-out`, or without a statement as `unavailable` |

mod finish;
mod handler;
mod settings;
pub mod sweep;

pub use handler::QueryEndHandler;
pub use settings::Settings;
