//! The REST API of reports: submit, list, describe, result, download, delete; and reports by schedule.
//!
//! ```text
//! API Gateway REST, x-api-key ─► proxy event ──┐             ┌─► DynamoDB: the jobs table, nothing else knows of a job
//!                                              ├─► Handler ──┼─► S3: presigned downloads, deletion of a job's files
//! EventBridge Scheduler ─► {"scheduledReport"} ┘             └─► Secrets Manager: the key of page tokens, kept 5 minutes
//! ```
//!
//! It never calls QuickSight: a submission is a write to the queue, and everything that is told of a job stands in its record.
//!
//! # Whose jobs
//!
//! The jobs table is the tenant's own. Within it a caller sees the jobs submitted under the same values of the row-level tags that
//! come from callers' claims; any other job is as absent as one that never was. The API key meters, it does not identify.
//!
//! # What is kept to itself
//!
//! Row-level tags and recipients are in no answer, presigned addresses and page tokens in no log.

mod answer;
mod download;
mod error;
mod handler;
mod identity;
mod page;
mod record;
mod route;
mod settings;
mod submission;

pub use handler::Handler;
pub use settings::Settings;
