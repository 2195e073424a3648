//! The function against fakes of DynamoDB and QuickSight, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that no credentials and no tag's value reached a log line or a result.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
#[path = "../../../core/tests/support/dynamo.rs"]
mod dynamo;
#[path = "../../../core/tests/support/freezing.rs"]
mod freezing;
mod polling;
mod settings;
mod starting;
mod world;
