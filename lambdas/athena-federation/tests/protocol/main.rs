//! The protocol at its boundary: JSON in, JSON out, objects in S3; over real HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod answers;
mod fuzz;
mod requests;
mod sets;
mod spilling;
mod world;
