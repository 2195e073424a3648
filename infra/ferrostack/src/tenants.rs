//! Finding and reading tenant files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ferrostack_command::{Verbosity, output};
use stacks::platform;
use stacks::{Environments, Tenant, TenantError};

use crate::cli::Selection;
use crate::parallel;
use crate::schemas;

/// The largest tenant file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The file of environments, unless an option names a different one.
const ENVIRONMENTS: &str = "stacks/environments.yaml";

/// The selected tenants, and all environments.
pub(crate) struct Project {
    /// In the order of their names.
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) environments: Environments,
}

/// A mistake in one file.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) path: PathBuf,
    pub(crate) error: TenantError,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TenantError { message, line, column } = &self.error;
        write!(f, "error: {message}\n  --> {}:{line}:{column}", self.path.display())
    }
}

/// A tenant file without mistakes.
pub(crate) struct TenantFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) tenant: Tenant,
}

/// The selected tenants and the environments, or the first mistake in their files.
///
/// # Errors
///
/// If a file does not exist, is too large or cannot be read.
pub(crate) fn load(selection: &Selection, verbosity: Verbosity) -> Result<Result<Project, FileError>> {
    let environments = match environments(selection)? {
        Ok(environments) => environments,
        Err(error) => return Ok(Err(error)),
    };
    let paths = paths(selection)?;
    let mut files = Ok(Vec::new());
    let read = |path: &PathBuf| {
        let tenant = |text: String| Ok((parse(path, &text, &environments)?, text));
        (path.clone(), read(path).map(|text| text.and_then(tenant)))
    };
    parallel::in_order(&paths, read, |(path, tenant)| {
        let Ok(read) = &mut files else { return Ok(()) };
        if verbosity.verbose {
            output::error_line(format_args!("reading {}", path.display()));
        }
        match tenant? {
            Ok((tenant, text)) => read.push(TenantFile { path, text, tenant }),
            Err(error) => files = Err(FileError { path, error }),
        }
        Ok(())
    })?;
    let files = match files {
        Ok(files) => files,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(error) = schemas::shared(&files, &others(selection, &files, &environments)) {
        return Ok(Err(error));
    }
    Ok(Ok(Project { tenants: files.into_iter().map(|file| file.tenant).collect(), environments }))
}

/// The files of tenants that are not selected but may use the same warehouse as one that is. A mistake in such a file is not reported, since
/// it is not what this command is about.
fn others(selection: &Selection, selected: &[TenantFile], environments: &Environments) -> Vec<TenantFile> {
    let schemas = selected.iter().flat_map(|file| file.tenant.schemas());
    let warehouses: BTreeSet<String> = schemas.map(|schema| schema.warehouse).collect();
    if selection.names.is_empty() || warehouses.is_empty() {
        return Vec::new();
    }
    let all = Selection { names: Vec::new(), ..selection.clone() };
    let unselected = paths(&all).unwrap_or_default().into_iter().filter(|path| {
        let stem = path.file_stem().and_then(OsStr::to_str);
        !selected.iter().any(|file| Some(file.tenant.tenancy.name.as_str()) == stem)
    });
    let load = |path: PathBuf| {
        let text = read(&path).ok()?.ok()?;
        // Parsing all files of a fleet would take longer than the command itself.
        warehouses.iter().any(|name| text.contains(name)).then_some(())?;
        let tenant = parse(&path, &text, environments).ok()?;
        Some(TenantFile { path, text, tenant })
    };
    unselected.filter_map(load).collect()
}

fn environments(selection: &Selection) -> Result<Result<Environments, FileError>> {
    let path = match &selection.environments {
        Some(path) => path.clone(),
        None if Path::new(ENVIRONMENTS).exists() => ENVIRONMENTS.into(),
        None => return Ok(Ok(Environments::default())),
    };
    let parsed = read(&path)?.and_then(|text| Environments::parse(&text));
    Ok(parsed.map_err(|error| FileError { path, error }))
}

/// A file is found by the name of its tenant, so both must be the same.
fn parse(path: &Path, text: &str, environments: &Environments) -> Result<Tenant, TenantError> {
    let tenant = Tenant::parse(text)?;
    let stem = path.file_stem().unwrap_or_default();
    let wrong = |key: &str, message| Err(TenantError { message, line: line_of(key, text), column: 1 });
    if stem == platform::FOLDER {
        let name = platform::FOLDER;
        return wrong(
            "tenant",
            format!("the name `{name}` is reserved for what all tenants share; use a different name"),
        );
    }
    let name = &tenant.tenancy.name;
    if stem != name.as_str() {
        return wrong("tenant", format!("this file defines the tenant `{name}`; its name must be {name}.yaml"));
    }
    match environments.of(&tenant) {
        Ok(_) => Ok(tenant),
        Err(message) => wrong("environment", message),
    }
}

/// The line with a key, counted from 1; the first line if it is missing.
pub(crate) fn line_of(key: &str, text: &str) -> u64 {
    let has_key = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    text.lines().position(has_key).unwrap_or_default() as u64 + 1
}

fn paths(selection: &Selection) -> Result<Vec<PathBuf>> {
    if !selection.names.is_empty() {
        let tenants = selection.names.iter().filter(|name| !platform::is_folder(name));
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
    let size = fs::metadata(path).with_context(|| format!("there is no file {}", path.display()))?.len();
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
