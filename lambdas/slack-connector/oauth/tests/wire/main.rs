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

/// As many cases as `PROPTEST_CASES` says; proptest itself overlooks it once a test has a number of its own.
fn cases(usual: u32) -> proptest::test_runner::Config {
    let wish = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    proptest::test_runner::Config::with_cases(wish.unwrap_or(usual))
}
