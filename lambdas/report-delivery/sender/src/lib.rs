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
//! Each way has an attribute in the job's item: absent, `TRYING <until>`, `SENT <when>`, `UNKNOWN <when>` or `FAILED <code>`
//! (times in milliseconds since 1970). The item is claimed with a conditional write before anything is sent, so a record that the
//! stream delivers again, and the records caused by these writes, find the work done.
//!
//! | outcome | e-mail | copy, SFTP |
//! |---|---|---|
//! | refused permanently | `FAILED`, not tried again | `FAILED`, not tried again |
//! | refused temporarily (throttled, paused, not allowed, not set up) | retried by the stream | retried by the stream |
//! | no answer, or the function died | `UNKNOWN`: a second mail would be worse | retried: it writes the same files again |
//!
//! Every failure is an `Err` after all records of the batch were handled, so that the stream's retry, its
//! bisection, its on-failure queue and the alarm act on it; a failure of one way does not affect the others.
//!
//! # Why mails contain no signed address
//!
//! It would expire after five minutes, and until then work for anybody who reads the mail. Files are attached up to
//! `MAIL_ATTACH_BYTES`; above that, the mail names the location in the report API, which requires its key.

mod copy;
mod delivery;
mod handler;
mod mail;
mod settings;
mod sftp;

pub use handler::ReportSender;
pub use settings::Settings;
