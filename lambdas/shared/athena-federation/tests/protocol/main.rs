//! The protocol at its boundary: JSON in, JSON out, objects in S3, over real HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod answers;
mod fuzz;
mod requests;
mod sets;
mod spilling;
mod world;

/// The number of cases that `PROPTEST_CASES` asks for; proptest ignores it once a test sets its own number.
fn cases(usual: u32) -> proptest::test_runner::Config {
    let wish = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    proptest::test_runner::Config::with_cases(wish.unwrap_or(usual))
}
