//! The function against a bucket and CloudFormation's own, over real HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod publishing;
mod world;
