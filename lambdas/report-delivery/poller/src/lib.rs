//! Drains the queue of report jobs into free slots and follows each job to its end.
//!
//! ```text
//! schedule, each minute: {"sweep":true} ─────┐             ┌─► DynamoDB: jobs, and the account's slots
//!                                            ├─► Poller ───┼─► QuickSight: Start (never retried), Describe, Result
//! EventBridge: S3 Object Created, one file ──┘             └
//! ```
//!
//! A file tells that its job is about to end, so its job is looked at at once; the sweep finds what no file tells: failures, jobs
//! that wait, and events that never came. Both do the same steps in any order and any number, see [`report_queue`].

mod handler;
mod quicksight;
mod settings;

pub use handler::Handler;
pub use settings::Settings;
