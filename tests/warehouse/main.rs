//! What `redshift-setup` makes in a database, and what readers and writers can then do there.
//!
//! The database is PostgreSQL behind the stand-in for the Data API, so this shows rights, views and the difference that an Update makes, not
//! that Redshift takes every word. The Lambda that signs is played: a token here is its arguments.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod query_app;
mod world;
mod write_back;
