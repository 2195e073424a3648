//! What failed operations leave in the account, with the stacks that Ferrostack ships and a model of how CloudFormation rolls back,
//! retains and cleans up.
//!
//! `cargo test --package ferrostack-deploy --test rollback -- --nocapture` prints the table: stacks, what fails, and what was left.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod account;
mod api;
mod assemblies;
mod connection;
mod matrix;
mod stack;
