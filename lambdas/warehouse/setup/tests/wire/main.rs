//! The function against a scripted Data API and CloudFormation's bucket, over real HTTP on this machine.
//!
//! What the statements do is tested against a database, elsewhere; here it is about answers and faults.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod answers;
mod faults;
mod query_app;
mod world;
