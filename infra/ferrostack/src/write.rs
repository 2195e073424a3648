//! The only part that writes: cloud assemblies into folders.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use cfn::{ASSETS, BuiltFunction, BuiltFunctions, CloudAssembly, Format, sha256};
use stacks::{Environment, platform};

use crate::folder;

/// The file that makes a folder an assembly.
const MANIFEST: &str = "manifest.json";

/// A template in its folder. Displays as one line.
pub(crate) struct Written {
    stack: String,
    resources: usize,
    bytes: usize,
    /// `new`, `changed` or `unchanged`.
    change: &'static str,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, resources, bytes, change } = self;
        write!(f, "{stack:<40} {resources:>4} resources {bytes:>8} bytes  {change}")
    }
}

/// Writes the assembly into `directory`.
///
/// A file is rewritten only if it differs, and files that an earlier synth wrote and that no longer belong there are deleted.
pub(crate) fn write(
    assembly: &CloudAssembly,
    built: &BuiltFunctions,
    format: Format,
    directory: &Path,
) -> Result<Vec<Written>> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let files = assembly.files(built, format);
    let mut changes = BTreeMap::new();
    for (name, text) in &files {
        changes.insert(name.as_str(), put(&directory.join(name), text)?);
    }
    let assets = directory.with_file_name(ASSETS);
    for (name, source) in assembly.zips(built) {
        fs::create_dir_all(&assets).with_context(|| format!("cannot create {}", assets.display()))?;
        copy(&source, &assets.join(name))?;
    }
    let keep: BTreeSet<&OsStr> = files.keys().map(OsStr::new).collect();
    remove_others(directory, &keep)?;
    let written = |stack: &cfn::AssembledStack| {
        let name = stack.template_file(format);
        Written {
            stack: stack.template.stack.clone(),
            resources: stack.template.resources.len(),
            bytes: files[&name].len(),
            change: changes[name.as_str()],
        }
    };
    Ok(assembly.stacks.iter().map(written).collect())
}

/// Removes what earlier synths wrote for the platform in environments that no longer exist.
pub(crate) fn remove_platforms_except(kept: &[(String, Option<&Environment>)], out: &Path) -> Result<()> {
    for name in folder::names(out)? {
        let gone = platform::is_folder(&name) && !kept.iter().any(|(folder, _)| *folder == name);
        if gone {
            let directory = out.join(name);
            remove_others(&directory, &BTreeSet::new())?;
            match fs::remove_file(directory.join(MANIFEST)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            // Fails if somebody else put a file there, which is then kept.
            let _ = fs::remove_dir(directory);
        }
    }
    Ok(())
}

/// The templates in `directory` that differ from those of the assembly.
pub(crate) fn stale(assembly: &CloudAssembly, format: Format, directory: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut stale = BTreeSet::new();
    let templates = assembly.templates(format);
    for (name, text) in &templates {
        let path = directory.join(name);
        if folder::read(&path)?.as_deref() != Some(text.as_ref()) {
            stale.insert(path);
        }
    }
    for name in folder::names(directory)? {
        if is_template(&name) && !templates.contains_key(&name) {
            stale.insert(directory.join(name));
        }
    }
    Ok(stale)
}

/// The zips of built functions. Each is read and hashed once.
pub(crate) struct Functions {
    directory: PathBuf,
    known: BTreeMap<(String, String), Option<BuiltFunction>>,
}

impl Functions {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), known: BTreeMap::new() }
    }

    /// The functions of the assembly that are built, as `<architecture>/<package>.zip`.
    pub(crate) fn of(&mut self, assembly: &CloudAssembly) -> Result<BuiltFunctions> {
        let mut built = BuiltFunctions::new();
        for asset in assembly.stacks.iter().flat_map(|stack| &stack.assets) {
            let key = (asset.package.clone(), asset.architecture.clone());
            if !self.known.contains_key(&key) {
                self.known.insert(key.clone(), function(self.path(&asset.package, &asset.architecture))?);
            }
            if let Some(function) = &self.known[&key] {
                built.insert(key, function.clone());
            }
        }
        Ok(built)
    }
}

impl Functions {
    /// Removes zips that none of the assemblies in `out` needs, if these were all assemblies.
    pub(crate) fn remove_unused(&self, out: &Path) -> Result<()> {
        let used: BTreeSet<String> = self.known.values().flatten().map(BuiltFunction::object_key).collect();
        let assets = out.join(ASSETS);
        for name in folder::names(&assets)?.into_iter().filter(|name| name.ends_with(".zip") && !used.contains(name)) {
            let path = assets.join(name);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Whether a zip has changed since it was read.
    pub(crate) fn have_changed(&self) -> Result<bool> {
        for ((package, architecture), known) in &self.known {
            let now = function(self.path(package, architecture))?;
            if now.map(|function| function.sha256) != known.as_ref().map(|function| function.sha256.clone()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn path(&self, package: &str, architecture: &str) -> PathBuf {
        self.directory.join(architecture).join(format!("{package}.zip"))
    }
}

fn function(path: PathBuf) -> Result<Option<BuiltFunction>> {
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(BuiltFunction { sha256: sha256(bytes), path })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn put(path: &Path, text: &str) -> Result<&'static str> {
    let what = match folder::read(path)? {
        Some(old) if old == text => return Ok("unchanged"),
        Some(_) => "changed",
        None => "new",
    };
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(what)
}

/// The name is the hash of the content, so an existing file is the right one.
fn copy(source: &Path, target: &Path) -> Result<()> {
    // The same zip belongs to several tenants, which are written at the same time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    if target.exists() {
        return Ok(());
    }
    // Under a different name first, so that an interrupted copy does not look complete.
    let unfinished = target.with_extension("unfinished");
    fs::copy(source, &unfinished)
        .and_then(|_| fs::rename(&unfinished, target))
        .with_context(|| format!("cannot copy {} to {}", source.display(), target.display()))
}

/// Removes the files of earlier synths that are not among `keep`. Other files are kept.
fn remove_others(directory: &Path, keep: &BTreeSet<&OsStr>) -> Result<()> {
    for name in folder::names(directory)? {
        if is_ours(&name) && !keep.contains(OsStr::new(&name)) {
            let path = directory.join(name);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn is_template(name: &str) -> bool {
    name.ends_with(".template.json") || name.ends_with(".template.yaml")
}

fn is_ours(name: &str) -> bool {
    is_template(name)
        || name.ends_with(".assets.json")
        || name.ends_with(".cdk.json")
        || name.ends_with(".parameters.json")
        || (name.starts_with("asset.") && name.ends_with(".zip"))
}
