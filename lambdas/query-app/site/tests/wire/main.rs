//! The function against a bucket and CloudFormation's own, over real HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod publishing;
mod world;
