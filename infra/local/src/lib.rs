//! This machine as the target: an AWS emulator and stand-ins for what is outside AWS, a tenant deployed to it by the real deployer,
//! and its systems put to work.
//!
//! ```text
//! ferrostack-local ─┬─ Qlik, QuickSight    stand-ins, this process   ◄── …_ENDPOINT_URL… ──┐
//!                   ├─ Front ► Emulator    MiniStack, child process ── functions, its children
//!                   ├─ ferrostack_deploy::deploy ──► CloudFormation of the emulator
//!                   ├─ Edge                the query app's page, in front of the emulator's CloudFront
//!                   └─ qlik_reload::exercise ──► events, schedules, requests, failures
//! ```
//!
//! What the emulator does otherwise than AWS is listed in this crate's README.

pub mod athena;
pub mod browser;
pub mod child;
pub mod emulator;
pub mod exercise;
pub mod front;
pub mod left_out;
pub mod postgres;
pub mod qlik;
pub mod qlik_reload;
pub mod query_app;
pub mod quicksight;
pub mod redshift;
pub mod report_delivery;
pub mod rest;
pub mod signed;
pub mod slack;
pub mod slack_connector;
pub mod sql;
pub mod stack;
pub mod stand_ins;
pub mod write_back;
