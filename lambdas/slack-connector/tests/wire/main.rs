//! The function against a scripted Slack and fakes of Secrets Manager, S3 and Athena, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither the token, the secret's ARN, AWS credentials, a key of a split nor a
//! member's address got into a log line or an error.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod answers;
mod errors;
mod files;
mod fuzz;
mod pruning;
mod queries;
mod world;
