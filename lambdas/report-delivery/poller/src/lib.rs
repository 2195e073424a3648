//! Drains the queue of report jobs into free slots and follows each job to its end.
//!
//! ```text
//! schedule, each minute: {"sweep":true} ─────┐                ┌─► DynamoDB: jobs, and the account's slots
//!                                            ├─► ReportPoller ┴─► QuickSight: Start (never retried), Describe, Result
//! EventBridge: S3 Object Created, one file ──┘
//! ```
//!
//! A new file means that its job is about to end, so the job is checked at once; the sweep finds everything else: failures, jobs
//! that wait, and events that never arrived. Both perform the same steps, which may run in any order and any number of times; see
//! [`report_queue`].

mod error;
mod handler;
mod quicksight;
mod settings;

pub use error::Error;
pub use handler::ReportPoller;
pub use settings::Settings;
