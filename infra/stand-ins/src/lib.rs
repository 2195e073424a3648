//! What plays the services that this machine does not have. Each stand-in speaks the protocol of the real service, says at its top
//! what it does not play, and listens on a free port of the loopback interface.
//!
//! ```text
//! functions ─┬─ QLIK_ENDPOINT_URL ──────────────► Qlik
//!            ├─ SLACK_ENDPOINT_URL ─────────────► Slack
//!            ├─ AWS_ENDPOINT_URL_QUICKSIGHT ────► QuickSight
//!            ├─ AWS_ENDPOINT_URL_REDSHIFT_DATA ─► Redshift ──► Postgres   child process
//!            └─ AWS_ENDPOINT_URL ───────────────► Front ─────► Emulator   MiniStack, child process
//! browser ───── a page's origin ────────────────► Edge ──────► Emulator's CloudFront
//! ```
//!
//! This crate's README lists where the emulator differs from AWS.

pub mod child;
pub mod edge;
pub mod emulator;
pub mod front;
pub mod left_out;
pub mod postgres;
pub mod qlik;
pub mod quicksight;
pub mod redshift;
pub mod signed;
pub mod slack;
