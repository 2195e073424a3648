//! Delivers finished reports: by e-mail, to another bucket, by SFTP. Each way is off until the stack sets its variables.
//!
//! ```text
//! stream of the jobs table, state COMPLETED ─► ReportSender ─► claim in the job's item ─┬─► SES: attached, or where to download it
//!                                                                                       ├─► S3: a copy in a partner's bucket
//!                                                                                       └─► Transfer Family: a connector's SFTP server
//! ```
//!
//! # Once per job
//!
//! How a delivery is claimed, made and recorded in the job's item is in `report_queue`'s `sender.rs`. What this crate adds is what each
//! service's answer proves:
//!
//! | outcome | e-mail | copy, SFTP |
//! |---|---|---|
//! | refused for good | `FAILED`, not tried again | `FAILED`, not tried again |
//! | certainly not sent (throttled, paused, not allowed, not set up) | `WAITING`, retried by the stream | `WAITING`, retried by the stream |
//! | no answer, or the function died | `UNKNOWN`: a second mail would be worse | retried: it writes the same files again |
//!
//! Every delivery that is not made is an `Err` after all records of the batch were handled, and so is every further delivery of its
//! record by the stream: the stream's retries, its on-failure queue and the alarm act on it.
//!
//! # Why mails contain no signed address
//!
//! It would expire after five minutes, and until then work for anybody who reads the mail. Files are attached up to
//! `MAIL_ATTACH_BYTES`; above that, the mail names the location in the report API, which requires its key.

mod copy;
mod error;
mod handler;
mod mail;
mod settings;
mod sftp;

pub use error::Error;
pub use handler::ReportSender;
pub use settings::Settings;
