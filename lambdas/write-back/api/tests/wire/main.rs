//! The function against fakes of DynamoDB, Secrets Manager and the Redshift Data API, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither a token, a row's text, the key, the secret's ARN nor AWS
//! credentials reached a log line, and that no statement contained a value in its text.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod clicks;
mod crowd;
mod form;
mod links;
mod once;
mod world;
