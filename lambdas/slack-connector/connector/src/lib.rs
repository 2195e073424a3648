//! Slack's member analytics as an Athena table: `slackanalytics.member_analytics`, one partition per day.
//!
//! ```text
//! Athena ─► SlackConnectorHandler ─► athena-federation ─► Analytics: columns, days of a query, splits
//!                    ▲                           │ read, one split per invocation
//! nightly schedule ──┘                           ▼
//!                                             DayReader ─┬─ stored file of the day: S3
//!                                                        └─ claim, turn: DynamoDB ─► token: Secrets Manager ─► Slack
//!                                                ▼
//!                          gunzip ─► lines ─► columns ─► answer, or S3
//! ```
//!
//! A day is either complete or the query fails with a message: no error from Slack becomes an empty table.
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
//! Days end in UTC, as Slack counts them. A day whose file Slack has not finished fails the query if the query
//! named it; at the end of an open window it is left out and logged.
//!
//! # How Slack's errors are handled
//!
//! | answer | result |
//! |---|---|
//! | `file_not_found`, `data_not_available` for a day of the last 13 months | no rows |
//! | `file_not_yet_available` | see above |
//! | 429, `ratelimited` | all instances wait as long as Slack says if there is time, otherwise Athena's throttle error |
//! | no answer, 5xx, `service_unavailable` and similar codes | tried once more, then an error |
//! | a token that is revoked, expired, or not permitted to do this | the secret is read once more, then an error that says whom to ask |
//! | anything else, a truncated or damaged file, a malformed line | an error |
//!
//! # Lines
//!
//! One JSON object per line, strictly: a known field that has the wrong type, occurs twice in a line, or is out of range is an
//! error that names line and field. Missing and `null` are NULL. Unknown fields, blank lines, CRLF, a byte order mark at the
//! start and a missing end of the last line are accepted.

mod claims;
mod connector;
mod day_reader;
mod days;
mod files;
mod handler;
mod items;
mod lines;
mod members;
mod nightly;
mod records;
mod secret;
mod settings;
mod sink;
mod slack;
mod table;
mod turns;

pub use handler::{Reply, SlackConnectorHandler};
pub use lines::{Limits, Lines, Take, Unreadable};
pub use members::Part;
pub use nightly::Fetched;
pub use records::{Records, Refusal};
pub use settings::Settings;
pub use table::{Booleans, schema};
