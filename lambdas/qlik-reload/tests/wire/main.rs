//! The function against a scripted Qlik and fakes of Secrets Manager and DynamoDB, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither the API key nor a variable's value got into a log line, a result,
//! an error or a claim.

mod claims;
mod direct;
mod process;
mod redelivery;
mod rest;
mod secrets;
mod server;
mod world;
