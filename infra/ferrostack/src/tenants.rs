//! Finding and reading tenant files.

use crate::cli::Selection;
use anyhow::{Context, Result, bail};
use stacks::platform::FOLDER;
use stacks::{Tenant, TenantError};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes of a tenant file.
const LARGEST: u64 = 1024 * 1024;

/// A mistake in one tenant file.
#[derive(Debug)]
pub(crate) struct FileError {
    path: PathBuf,
    error: TenantError,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TenantError { message, line, column } = &self.error;
        write!(f, "error: {message}\n  --> {}:{line}:{column}", self.path.display())
    }
}

/// The selected tenants in the order of their names, or the first mistake in their files.
///
/// # Errors
///
/// When a file is not there, is too large or cannot be read.
pub(crate) fn load(selection: &Selection) -> Result<Result<Vec<Tenant>, FileError>> {
    let mut tenants = Vec::new();
    for path in paths(selection)? {
        match read(&path)?.and_then(|text| parse(&path, &text)) {
            Ok(tenant) => tenants.push(tenant),
            Err(error) => return Ok(Err(FileError { path, error })),
        }
    }
    Ok(Ok(tenants))
}

/// A file is found by the tenant's name, so both must be the same.
fn parse(path: &Path, text: &str) -> Result<Tenant, TenantError> {
    let tenant = Tenant::parse(text)?;
    let stem = path.file_stem().unwrap_or_default();
    if stem == FOLDER {
        let message = format!("the name `{FOLDER}` is taken by what all tenants share; give the tenant another one");
        return Err(TenantError { message, line: line_of(text), column: 1 });
    }
    if stem == tenant.tenancy.name.as_str() {
        return Ok(tenant);
    }
    let message = format!("the tenant `{0}` lies in this file; allowed is the file name {0}.yaml", tenant.tenancy.name);
    Err(TenantError { message, line: line_of(text), column: 1 })
}

/// The line with the tenant's name, counted from 1.
fn line_of(text: &str) -> u64 {
    text.lines().position(|it| it.starts_with("tenant:")).unwrap_or_default() as u64 + 1
}

fn paths(selection: &Selection) -> Result<Vec<PathBuf>> {
    if !selection.names.is_empty() {
        let tenants = selection.names.iter().filter(|name| *name != FOLDER);
        return Ok(tenants.map(|name| path_of(name, &selection.tenants)).collect());
    }
    let folder = &selection.tenants;
    let entries = fs::read_dir(folder).with_context(|| {
        format!("no tenants' folder {}; run this in the repository's root, or give --tenants", folder.display())
    })?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        match path.extension().and_then(OsStr::to_str) {
            Some("yaml") => paths.push(path),
            Some("yml") => {
                bail!("{} would not be read; name it {}", path.display(), path.with_extension("yaml").display())
            }
            _ => {}
        }
    }
    if paths.is_empty() {
        bail!("no tenant file in {}; copy example.yaml to <name>.yaml", folder.display());
    }
    paths.sort();
    Ok(paths)
}

fn path_of(name: &str, folder: &Path) -> PathBuf {
    if name.ends_with(".yaml") { name.into() } else { folder.join(format!("{name}.yaml")) }
}

fn read(path: &Path) -> Result<Result<String, TenantError>> {
    let size = fs::metadata(path).with_context(|| format!("no tenant file {}", path.display()))?.len();
    if size > LARGEST {
        bail!("{} has {size} bytes, allowed are at most {LARGEST}", path.display());
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let last = good.rsplit('\n').next().unwrap_or_default();
        TenantError {
            message: "the text is not in UTF-8 from here on; save the file as UTF-8".to_owned(),
            line: good.matches('\n').count() as u64 + 1,
            column: last.chars().count() as u64 + 1,
        }
    }))
}
