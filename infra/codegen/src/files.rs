//! Generated files on disk: written when they differ, removed when they are no longer generated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Files by name, as one folder should contain them.
pub type Files = BTreeMap<String, String>;

/// Whether a file that is not (or no longer) generated is left over from an earlier run: `(name, text)`.
pub type LeftOver = fn(&str, &str) -> bool;

/// Writes these files to the folder, except those that are already up to date, and removes files that are left over.
///
/// # Errors
///
/// If a file cannot be read, written or removed.
pub fn write(folder: &Path, files: &Files, left_over: LeftOver) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in differing(folder, files, left_over)? {
        let path = folder.join(&name);
        match files.get(&name) {
            Some(text) => fs::write(&path, text),
            None => fs::remove_file(&path),
        }
        .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Checks that the folder contains exactly these files.
///
/// # Errors
///
/// If it does not, with the names, or if a file cannot be read.
pub fn check(folder: &Path, files: &Files, left_over: LeftOver) -> Result<()> {
    let names = differing(folder, files, left_over)?;
    if names.is_empty() {
        return Ok(());
    }
    let paths: Vec<String> = names.iter().map(|name| folder.join(name).display().to_string()).collect();
    bail!("not what scripts/bindings generates: {}; run scripts/bindings and commit what it writes", paths.join(", "))
}

/// The names of files that are missing, differ, or are left over.
fn differing(folder: &Path, files: &Files, left_over: LeftOver) -> Result<Vec<String>> {
    let mut there = Files::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() {
            there.insert(name, fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
    }
    let mut names: Vec<String> = files.iter().filter(|(name, text)| there.get(*name) != Some(text)).map(name).collect();
    names.extend(there.iter().filter(|(name, text)| !files.contains_key(*name) && left_over(name, text)).map(name));
    Ok(names)
}

fn name((name, _): (&String, &String)) -> String {
    name.clone()
}
