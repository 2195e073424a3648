//! Generated files on disk: written when they differ, removed when they are no longer generated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Files by name, as one folder should hold them.
pub type Files = BTreeMap<String, String>;

/// Whether a file that is not (or no longer) generated is left over from an earlier run: `(name, text)`.
pub type LeftOver = fn(&str, &str) -> bool;

/// Makes the folder hold these files, and touches none that holds the right text already.
///
/// # Errors
///
/// When a file cannot be read, written or removed.
pub fn write(folder: &Path, files: &Files, left_over: LeftOver) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
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

/// Fails when the folder does not hold exactly these files.
///
/// # Errors
///
/// When it does not, with the names, or when a file cannot be read.
pub fn check(folder: &Path, files: &Files, left_over: LeftOver) -> Result<()> {
    let names = differing(folder, files, left_over)?;
    if names.is_empty() {
        return Ok(());
    }
    let paths: Vec<String> = names.iter().map(|it| folder.join(it).display().to_string()).collect();
    bail!("not what scripts/bindings generates: {}; run scripts/bindings and commit what it writes", paths.join(", "))
}

/// The names of files that are missing, hold something else, or are left over.
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
