//! The function against a scripted Slack and fakes of Secrets Manager and DynamoDB, over real HTTP on this machine.
//!
//! Each [`world::World`] checks, when it is dropped, that no token, key, code, state, ARN or AWS credential leaked
//! into a log line, a response, an error or an item of the table.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod browser;
mod fuzz;
mod install;
mod links;
mod refresh;
mod revoke;
mod script;
mod simulation;
mod world;

/// The number of cases that `PROPTEST_CASES` asks for; proptest ignores it once a test sets its own number.
fn cases(usual: u32) -> proptest::test_runner::Config {
    let wish = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    proptest::test_runner::Config::with_cases(wish.unwrap_or(usual))
}
