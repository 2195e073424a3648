//! Finding and reading tenant files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ferrostack_command::{Verbosity, output};
use stacks::platform;
use stacks::{Environments, Tenant, TenantError};

use crate::cli::Selection;

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
    path: PathBuf,
    error: TenantError,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TenantError { message, line, column } = &self.error;
        write!(f, "error: {message}\n  --> {}:{line}:{column}", self.path.display())
    }
}

/// A tenant file without mistakes.
struct TenantFile {
    path: PathBuf,
    text: String,
    tenant: Tenant,
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
    let mut files = Vec::new();
    for path in paths(selection)? {
        if verbosity.verbose {
            output::error_line(format_args!("reading {}", path.display()));
        }
        match read(&path)?.and_then(|text| Ok((parse(&path, &text, &environments)?, text))) {
            Ok((tenant, text)) => files.push(TenantFile { path, text, tenant }),
            Err(error) => return Ok(Err(FileError { path, error })),
        }
    }
    Ok(match shared_schema(&files, &others(selection, &files, &environments)) {
        Some(error) => Err(error),
        None => Ok(Project { tenants: files.into_iter().map(|file| file.tenant).collect(), environments }),
    })
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

/// The first schema of a selected tenant that a different stack sets up too.
fn shared_schema(selected: &[TenantFile], others: &[TenantFile]) -> Option<FileError> {
    let mut owners = BTreeMap::new();
    for (is_selected, file) in others.iter().map(|file| (false, file)).chain(selected.iter().map(|file| (true, file))) {
        for schema in file.tenant.schemas() {
            let stack = format!("{}-{}", file.tenant.tenancy.name, schema.system);
            // A warehouse of the same name in another environment is a different one.
            let key = (file.tenant.environment.clone(), schema.key().clone());
            let Some(owner) = owners.insert(key, stack).filter(|_| is_selected) else { continue };
            let message = format!("{schema} is also that of the stack {owner}; set a different `schema`");
            let error = TenantError { message, line: line_of(&file.text, &format!("{}:", schema.system)), column: 1 };
            return Some(FileError { path: file.path.clone(), error });
        }
    }
    None
}

/// A file is found by the name of its tenant, so both must be the same.
fn parse(path: &Path, text: &str, environments: &Environments) -> Result<Tenant, TenantError> {
    let tenant = Tenant::parse(text)?;
    let stem = path.file_stem().unwrap_or_default();
    let wrong = |key: &str, message| Err(TenantError { message, line: line_of(text, &format!("{key}:")), column: 1 });
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
fn line_of(text: &str, key: &str) -> u64 {
    text.lines().position(|line| line.trim_start().starts_with(key)).unwrap_or_default() as u64 + 1
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
