//! Fleets of tenants against a CloudFormation that throttles, loses answers and is slow, deployed by a deployer that is killed.
//!
//! `cargo test` deploys few tenants under few seeds. All of it, a thousand tenants under two hundred seeds:
//! `FLEET_TENANTS=1000 FLEET_SEEDS=200 cargo test --release --package ferrostack-deploy --test fleet -- --nocapture`
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod environments;
mod faults;
mod isolation;
mod killed;
mod tenants;
mod unchanged;
mod world;
