//! The protocol at its boundary: JSON in, JSON out, objects in S3; over real HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod answers;
mod fuzz;
mod requests;
mod sets;
mod spilling;
mod world;

/// As many cases as `PROPTEST_CASES` says; proptest itself overlooks it once a test has a number of its own.
fn cases(usual: u32) -> proptest::test_runner::Config {
    let wish = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    proptest::test_runner::Config::with_cases(wish.unwrap_or(usual))
}
