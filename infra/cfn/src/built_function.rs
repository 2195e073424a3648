//! The zips of functions.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The folder of the zips, next to those of the assemblies. No tenant can have this name.
pub const ASSETS: &str = "_assets";

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
    /// Its key in a bucket, and its name in the folder [`ASSETS`].
    pub fn object_key(&self) -> String {
        format!("{}.zip", self.sha256)
    }

    /// Where an assembly finds the zip: in a folder next to its own, which all assemblies share.
    pub(crate) fn zip_path(&self) -> String {
        format!("../{ASSETS}/{}", self.object_key())
    }
}
