//! The function against fakes of DynamoDB, S3, SES and Transfer Family, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither credentials nor recipients nor a file's content reached a log line
//! or a result.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
#[path = "../../../core/tests/support/dynamo.rs"]
mod dynamo;
#[path = "../../../core/tests/support/freezing.rs"]
mod freezing;
mod sending;
mod settings;
mod world;
