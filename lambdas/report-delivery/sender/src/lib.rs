//! Sends finished reports on: by e-mail, to another bucket, by SFTP. Each way is off until the stack sets its variables.
//!
//! ```text
//! stream of the jobs table, state COMPLETED ─► Handler ─► claim in the job's item ─┬─► SES: attached, or where to fetch it
//!                                                                                  ├─► S3: a copy in a partner's bucket
//!                                                                                  └─► Transfer Family: a connector's SFTP server
//! ```
//!
//! # Once a job
//!
//! Each way has an attribute in the job's item: absent, `TRYING <until>`, `SENT <when>`, `UNKNOWN <when>` or `FAILED <code>` (times in
//! milliseconds since 1970). The item is claimed by a conditional write before anything is sent, so a record that the stream
//! brings again, and the records that these writes cause themselves, find the work done.
//!
//! | what came of it | e-mail | copy, SFTP |
//! |---|---|---|
//! | refused for good | `FAILED`, not tried again | `FAILED`, not tried again |
//! | refused for now (throttled, paused, not allowed, not set up) | tried again by the stream | tried again by the stream |
//! | no answer, or the function died | `UNKNOWN`: a second mail would be worse | tried again: it writes the same files anew |
//!
//! Whatever did not succeed is an `Err` once all records of the batch have had their turn, so that the stream's retry, its
//! bisection, its on-failure queue and the alarm act on it; one way's failure keeps no other from its turn.
//!
//! # Why no signed address in a mail
//!
//! It would die after five minutes, and be good for whoever reads the mail till then. A file is attached up to
//! `MAIL_ATTACH_BYTES`; above that the mail names the place in the report API, which asks for its key.

mod copy;
mod delivery;
mod handler;
mod mail;
mod settings;
mod sftp;

pub use handler::Handler;
pub use settings::Settings;
