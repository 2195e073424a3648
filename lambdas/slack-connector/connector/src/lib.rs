//! Slack's member analytics as a table of Athena: `slackanalytics.member_analytics`, one partition a day.
//!
//! ```text
//! Athena ─► Handler ─► athena-federation ─► Analytics: columns, days of a query, splits
//!                                              │ read, one split an invocation
//!                      Secrets Manager ◄─ token┤
//!                      Slack ◄─ admin.analytics.getFile, a day ─► gunzip ─► lines ─► columns ─► answer, or S3
//! ```
//!
//! A day is either complete or the query fails with a sentence: no error of Slack's becomes an empty table.
//!
//! # Days
//!
//! | predicate on `date` | days read |
//! |---|---|
//! | none, `<>`, `NOT IN` | the last 30 that are over, less those excluded |
//! | `=`, `IN`, `BETWEEN`, bounded on both sides | exactly those, today included, at most 397 |
//! | `>=`, `>` | from there, or from 13 months ago, to yesterday |
//! | `<=`, `<` | from 13 months ago to there |
//! | `IS NULL` | none |
//!
//! A day is over when it is over in UTC, as Slack counts. A day whose file Slack has not finished fails the query when the query
//! named it; at the end of an open window it is left out, and logged.
//!
//! # What becomes of Slack's errors
//!
//! | answer | result |
//! |---|---|
//! | `file_not_found`, `data_not_available` for a day of the last 13 months | no rows |
//! | `file_not_yet_available` | see above |
//! | 429, `ratelimited` | waits as long as Slack says while there is time, else Athena's throttle error, before any row |
//! | no answer, 5xx, `service_unavailable` and the like | tried once more before the first row, then an error |
//! | a token that is revoked, expired, or may not do this | the secret is read once more, then an error that says whom to ask |
//! | anything else, a truncated or damaged file, a malformed line | an error |
//!
//! # Lines
//!
//! One JSON object a line, strictly: a known field of the wrong type, twice in a line, or out of range is an error that names line and
//! field. Absent and `null` are NULL. Unknown fields, blank lines, CRLF, a byte order mark at the start and a missing end of the last
//! line are let through.

mod connector;
mod days;
mod handler;
mod lines;
mod members;
mod records;
mod secret;
mod settings;
mod slack;
mod table;

pub use handler::Handler;
pub use lines::{Limits, Lines, Take, Unreadable};
pub use members::Part;
pub use records::{Records, Refusal};
pub use settings::Settings;
pub use table::{Booleans, schema};
