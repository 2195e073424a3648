//! The stand-in for the Redshift Data API, asked by the real client, over a real PostgreSQL.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what cannot go on in a test is its failure")]

mod api;
mod external;
mod rights;
mod world;
