//! The deployer against a fake AWS, over real HTTP.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod allowance;
mod assembly;
mod capacity;
mod command;
mod dependencies;
mod deploy;
mod destroy;
mod fake_aws;
mod fake_json;
mod hotswap;
mod plan;
mod selection;
mod sign_in;
mod status;
mod tenant;
mod version;
