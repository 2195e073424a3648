//! Set-ups against a scripted Data API and CloudFormation's bucket, over real HTTP on this machine: their answers, and what faults
//! do to them. The system that is set up is one for tests.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod faults;
mod probe;
mod services;
