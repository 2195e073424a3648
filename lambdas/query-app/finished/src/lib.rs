//! Tells the right connection that its query has ended, and sweeps what no event reported.
//!
//! ```text
//! EventBridge: statement ended ─► request by the statement's name ─┐
//! schedule: sweep ─► open requests, the oldest first ──────────────┴─► claim ─► status, result ─► browser ─► end
//! ```
//!
//! EventBridge may tell of an end twice, late, or never. The name of a statement is its request's, and the request is there before its
//! statement, so an event always finds it; one that does not is an error, for Lambda to try again and then to put aside. One run at a time
//! has the lease on a request, which ends with the run's time: whoever dies in the middle is followed by the next event or sweep, and browsers
//! drop the parts that they have. What Redshift says now counts, not what the event says.
//!
//! | sweep finds | does |
//! |---|---|
//! | a request older than [`sweep::SILENCE`] | looks at its statement as if its event had come |
//! | one that never got a statement, older than a minute | ends it, as `unavailable` |
//! | one that nobody waits for since a minute | cancels its statement |
//! | one older than `STATEMENT_SECONDS` | cancels its statement, and ends it as `timed-out` |

mod finish;
mod handler;
mod settings;
pub mod sweep;

pub use handler::Handler;
pub use settings::Settings;
