//! The function against fakes of DynamoDB, S3 and Secrets Manager, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that no credentials, tag's value, signed address or page token got into a log
//! line, and that no response contains a tag's value.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod client;
#[path = "../../../core/tests/support/dynamo.rs"]
mod dynamo;
mod reading;
mod settings;
mod submitting;
mod world;
