//! The function against a scripted Data API and CloudFormation's bucket, over real HTTP on this machine.
//!
//! The effect of the statements is tested against a database elsewhere; these tests are about answers and faults.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod faults;
mod query_app;
mod world;
mod write_back;
