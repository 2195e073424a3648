//! Every Rust block of the pages below is a doc test of this crate. `pages.rs` checks that no page with such a block is missing here.

#[doc = include_str!("../../README.md")]
pub mod readme {}

#[doc = include_str!("../../docs/checks.md")]
pub mod checks {}
