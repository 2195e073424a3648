//! The function against a scripted Slack and fakes of Secrets Manager, S3 and Athena, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that neither the token, the secret's ARN, AWS credentials, a key of a split
//! nor a member's address reached a log line or an error.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod errors;
mod fakes;
mod files;
mod fuzz;
mod instances;
mod nightly;
mod outcomes;
mod pruning;
mod queries;
mod sharing;
mod simulation;
mod world;

/// The number of cases that `PROPTEST_CASES` asks for; proptest ignores it once a test sets its own number.
fn cases(usual: u32) -> proptest::test_runner::Config {
    let wish = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    proptest::test_runner::Config::with_cases(wish.unwrap_or(usual))
}
