//! The function against a scripted Qlik and fakes of Secrets Manager and DynamoDB, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither the API key, a variable's value, the secret's ARN nor AWS
//! credentials reached a log line, a result, an error or a claim.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod claims;
mod direct;
mod process;
mod redelivery;
mod rest;
mod secrets;
mod simulation;
mod world;
