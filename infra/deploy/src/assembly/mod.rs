//! Reads what `ferrostack synth` wrote. Nothing here calls AWS.
//!
//! ```text
//! cfn-out/<tenant>/manifest.json ─► manifest ─► read ─► Assembly { stacks, dependencies first }
//! ```

mod artifacts;
mod manifest;
mod order;
mod read;

pub(crate) use artifacts::{
    ASSET_BUCKET_PARAMETER, LOG_ROLE_PARAMETER, PLATFORM_STACK, SLOT_TABLE_PARAMETER, is_platform,
};
pub use artifacts::{Assembly, Asset, PLATFORM, StackArtifact};
