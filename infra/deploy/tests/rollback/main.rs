//! What failed operations leave in the account, with the stacks that Ferrostack ships and a model of how CloudFormation rolls back,
//! retains and cleans up.
//!
//! `cargo test` lets every resource of the example and of the platform fail in one way, and those with data in every way. All of it, every
//! resource of every tenant in every way, in minutes:
//! `ROLLBACK_STACKS=all cargo test --workspace --test rollback -- --nocapture`
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod account;
mod api;
mod assemblies;
mod connection;
mod matrix;
mod protection;
mod stack;
mod template;
