//! The zips of functions.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The existing zips, by package and architecture.
pub type BuiltFunctions = BTreeMap<(String, String), BuiltFunction>;

/// The zip of one built function.
#[derive(Clone, Debug)]
pub struct BuiltFunction {
    /// SHA-256 of the zip in hex, which is its name in every bucket.
    pub sha256: String,
    /// The path of the zip.
    pub path: PathBuf,
}

impl BuiltFunction {
    pub(crate) fn object_key(&self) -> String {
        format!("{}.zip", self.sha256)
    }

    pub(crate) fn zip_name(&self) -> String {
        format!("asset.{}.zip", self.sha256)
    }
}
