//! This machine as the target: an AWS emulator and stand-ins for what is outside AWS, a tenant deployed to it by the real deployer,
//! and its systems put to work.
//!
//! ```text
//! ferrostack-local ─┬─ Qlik       stand-in, this process          ◄── QLIK_ENDPOINT_URL ──┐
//!                   ├─ Emulator   MiniStack, child process ── functions, its children ────┘
//!                   ├─ ferrostack_deploy::deploy ──► CloudFormation of the emulator
//!                   └─ qlik_reload::exercise ──► events, schedules, requests, failures
//! ```
//!
//! What the emulator does otherwise than AWS is listed in this crate's README.

pub mod child;
pub mod emulator;
pub mod exercise;
pub mod postgres;
pub mod qlik;
pub mod qlik_reload;
pub mod redshift;
pub mod signed;
pub mod stack;
