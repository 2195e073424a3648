//! The stand-in for the Redshift Data API, asked by the real client, over a real PostgreSQL.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod api;
mod external;
mod rights;
mod world;
