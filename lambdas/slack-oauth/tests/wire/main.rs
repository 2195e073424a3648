//! The function against a scripted Slack and fakes of Secrets Manager and DynamoDB, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that no token, key, code, state, ARN or AWS credential got where it may not:
//! into a log line, an answer, an error or an item of the table.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod browser;
mod fuzz;
mod install;
mod links;
mod refresh;
mod revoke;
mod script;
mod world;
