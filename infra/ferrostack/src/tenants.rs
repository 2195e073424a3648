//! Finding and reading tenant files.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ferrostack_command::{Verbosity, output};
use stacks::platform::FOLDER;
use stacks::{Tenant, TenantError};

use crate::cli::Selection;
use crate::parallel;

/// The largest tenant file, in bytes.
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
/// If a file does not exist, is too large or cannot be read.
pub(crate) fn load(selection: &Selection, verbosity: Verbosity) -> Result<Result<Vec<Tenant>, FileError>> {
    let paths = paths(selection)?;
    let mut tenants = Ok(Vec::new());
    let read = |path: &PathBuf| (path.clone(), read(path).map(|text| text.and_then(|text| parse(path, &text))));
    parallel::in_order(&paths, read, |(path, tenant)| {
        let Ok(read) = &mut tenants else { return Ok(()) };
        if verbosity.verbose {
            output::error_line(format_args!("reading {}", path.display()));
        }
        match tenant? {
            Ok(tenant) => read.push(tenant),
            Err(error) => tenants = Err(FileError { path, error }),
        }
        Ok(())
    })?;
    Ok(tenants)
}

/// A file is found by the name of its tenant, so both must be the same.
fn parse(path: &Path, text: &str) -> Result<Tenant, TenantError> {
    let tenant = Tenant::parse(text)?;
    let stem = path.file_stem().unwrap_or_default();
    if stem == FOLDER {
        let message = format!("the name `{FOLDER}` is reserved for what all tenants share; use a different name");
        return Err(TenantError { message, line: line_of(text), column: 1 });
    }
    if stem == tenant.tenancy.name.as_str() {
        return Ok(tenant);
    }
    let message = format!("this file defines the tenant `{0}`; its name must be {0}.yaml", tenant.tenancy.name);
    Err(TenantError { message, line: line_of(text), column: 1 })
}

/// The line with the name of the tenant, counted from 1.
fn line_of(text: &str) -> u64 {
    text.lines().position(|line| line.starts_with("tenant:")).unwrap_or_default() as u64 + 1
}

fn paths(selection: &Selection) -> Result<Vec<PathBuf>> {
    if !selection.names.is_empty() {
        let tenants = selection.names.iter().filter(|name| *name != FOLDER);
        return Ok(tenants.map(|name| path_of(name, &selection.tenants)).collect());
    }
    let folder = &selection.tenants;
    let entries = fs::read_dir(folder).with_context(|| {
        format!("cannot read {}; run this in the root of the repository, or set --tenants", folder.display())
    })?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        // Editors and macOS put files such as `.#acme.yaml` and `._acme.yaml` next to the real ones.
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        match path.extension().and_then(OsStr::to_str) {
            Some("yaml") => paths.push(path),
            Some("yml") => {
                bail!(
                    "{} is ignored because of its name; rename it to {}",
                    path.display(),
                    path.with_extension("yaml").display()
                )
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
        bail!("{} has {size} bytes; must be at most {LARGEST}", path.display());
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let last = good.rsplit('\n').next().unwrap_or_default();
        TenantError {
            message: "the text is not UTF-8 from here on; save the file as UTF-8".to_owned(),
            line: good.matches('\n').count() as u64 + 1,
            column: last.chars().count() as u64 + 1,
        }
    }))
}
