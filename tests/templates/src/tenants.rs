//! The tenant files in the repository.

use std::fs;
use std::path::PathBuf;

use stacks::System;

/// The text of the example tenant, which has every system.
///
/// # Panics
///
/// When the file cannot be read.
pub fn example() -> String {
    read(stacks().join("tenants/example.yaml"))
}

/// The texts of a system's gate tenants. Each is named after an option set, such as `least`, and has only this system.
///
/// # Panics
///
/// When there are none, or one cannot be read.
pub fn gate_tenants(system: &System) -> Vec<String> {
    let folder = stacks().join(system.module()).join("tenants");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no tenant files", folder.display());
    files.into_iter().map(read).collect()
}

fn stacks() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../stacks")
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
