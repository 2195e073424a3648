//! Reads what `ferrostack synth` wrote. Nothing here calls AWS.
//!
//! ```text
//! cfn-out/<tenant>/manifest.json ─► manifest ─► read ─► Assembly { stacks, dependencies first }
//! ```

mod manifest;
pub(crate) mod read;
