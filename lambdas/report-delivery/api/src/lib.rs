//! The REST API of reports: submit, list, describe, result, download, delete; and reports by schedule.
//!
//! ```text
//! API Gateway REST, x-api-key ─► proxy event ──┐               ┌─► DynamoDB: the jobs table, the only record of jobs
//!                                              ├─► ReportApi ──┼─► S3: presigned downloads, deletion of a job's files
//! EventBridge Scheduler ─► {"scheduledReport"} ┘               └─► Secrets Manager: the key of page tokens, cached for 5 minutes
//! ```
//!
//! It never calls QuickSight: a submission is a write to the queue, and everything reported about a job comes from its record.
//!
//! # Whose jobs
//!
//! The jobs table belongs to the tenant. Within it, a caller sees the jobs submitted with the same values of the row-level tags that
//! come from callers' claims; any other job looks as if it never existed. The API key is for metering, it does not identify callers.
//!
//! # What is never revealed
//!
//! Row-level tags and recipients are in no response, presigned addresses and page tokens are in no log.

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

pub use error::Error;
pub use handler::ReportApi;
pub use settings::Settings;
