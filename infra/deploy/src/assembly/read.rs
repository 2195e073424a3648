//! Reads the cloud assembly that `ferrostack synth` wrote: which stacks, in which order, with which files and parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::Error;
use crate::assembly::manifest::{ASSETS, Artifact, AssetEntry, AssetManifest, Manifest, Note, SOURCE, STACK, Template};

/// The folder of the assembly with what all tenants share, and its stack.
pub const PLATFORM: &str = "platform";
pub(crate) const PLATFORM_STACK: &str = "ferrostack-platform";

/// The template parameter that names the bucket with the functions' code; empty means the CDK bootstrap bucket.
pub(crate) const ASSET_BUCKET_PARAMETER: &str = "AssetBucket";

/// The template parameter that names the table of the account's QuickSight slots.
pub(crate) const SLOT_TABLE_PARAMETER: &str = "SlotTable";

/// The stacks of one tenant, dependencies first.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The tenant's name: the folder's.
    pub tenant: String,
    /// In the order in which they can be created.
    pub stacks: Vec<StackArtifact>,
}

/// One stack as it was synthesized.
#[derive(Debug, Clone)]
pub struct StackArtifact {
    /// The name in CloudFormation, `<tenant>-<system>`.
    pub name: String,
    /// The template, byte for byte as it was written: JSON.
    pub template: String,
    /// The template's parameters that the assembly gives a value.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack, which CloudFormation hands on to its resources.
    pub tags: BTreeMap<String, String>,
    /// The functions' zip files; the template itself is not among them.
    pub assets: Vec<Asset>,
    /// Names of the stacks of the assembly that have to stand before it.
    pub dependencies: BTreeSet<String>,
    /// The line of Rust that made each resource, such as `stacks/qlik_reload.rs:29`, by logical id.
    pub(crate) sources: BTreeMap<String, String>,
    declared_parameters: BTreeSet<String>,
    /// Of all its resources.
    pub(crate) logical_ids: BTreeSet<String>,
    /// Logical ids of what holds data: CloudFormation is told to keep it when it is removed or replaced.
    pub(crate) retained: BTreeSet<String>,
}

/// One file that the stack's resources read from the asset bucket.
#[derive(Debug, Clone)]
pub struct Asset {
    /// For people: what the file is.
    pub name: String,
    /// Where it lies on this machine.
    pub path: PathBuf,
    /// The key in the bucket, `<sha256 of the file>.zip`.
    pub key: String,
}

impl Assembly {
    /// Reads the assembly of a tenant from `<out>/<tenant>`.
    ///
    /// # Errors
    ///
    /// When the folder is no assembly of JSON templates, or when it holds no functions although a template needs them.
    pub fn read(out: &Path, tenant: &str) -> Result<Assembly, Error> {
        require_tenant_name(tenant)?;
        let folder = out.join(tenant);
        let manifest: Manifest = read_json(&folder.join("manifest.json"), tenant)?;
        let stacks = in_dependency_order(&manifest)?
            .into_iter()
            .map(|id| read_stack(&folder, tenant, &manifest, id))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Assembly { tenant: tenant.to_owned(), stacks })
    }

    /// [`Assembly::read`], but without stacks where there is no assembly: the tenant may have lost its file and still have stacks in the
    /// account.
    ///
    /// # Errors
    ///
    /// As [`Assembly::read`].
    pub fn read_if_any(out: &Path, tenant: &str) -> Result<Assembly, Error> {
        require_tenant_name(tenant)?;
        if out.join(tenant).join("manifest.json").exists() {
            return Assembly::read(out, tenant);
        }
        Ok(Assembly { tenant: tenant.to_owned(), stacks: Vec::new() })
    }

    /// The tenants that have an assembly in `out`, by name; what all of them share is not among them.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or holds no assembly.
    pub fn tenants(out: &Path) -> Result<Vec<String>, Error> {
        let unreadable =
            |error| Error::Refused(format!("cannot read {} ({error}); run `cargo run synth` first", out.display()));
        let mut tenants = Vec::new();
        for entry in std::fs::read_dir(out).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != PLATFORM && entry.path().join("manifest.json").is_file() {
                tenants.push(name);
            }
        }
        if tenants.is_empty() {
            return Err(Error::Refused(format!("{} holds no tenant; run `cargo run synth` first", out.display())));
        }
        tenants.sort();
        Ok(tenants)
    }

    /// What is deployed: differs between two assemblies whenever a deployment of them would.
    pub(crate) fn digest(&self) -> String {
        let stacks: Vec<_> =
            self.stacks.iter().map(|stack| (&stack.name, &stack.template, &stack.parameters, &stack.tags)).collect();
        cfn::sha256(format!("{stacks:?}"))
    }

    /// Keeps only the stack of one system.
    ///
    /// # Errors
    ///
    /// When the tenant has no such system; the message lists those it has.
    pub fn only(mut self, system: &str) -> Result<Assembly, Error> {
        let wanted = format!("{}-{system}", self.tenant);
        let names: Vec<_> = self.stacks.iter().map(|stack| stack.name.clone()).collect();
        self.stacks.retain(|stack| stack.name == wanted);
        if self.stacks.is_empty() {
            return Err(Error::Refused(format!(
                "tenant {} has no system `{system}`; its stacks are {}",
                self.tenant,
                names.join(", ")
            )));
        }
        Ok(self)
    }
}

impl StackArtifact {
    /// Whether the template lets the deployer say where the functions' code lies.
    pub(crate) fn takes_asset_bucket(&self) -> bool {
        self.declared_parameters.contains(ASSET_BUCKET_PARAMETER)
    }

    /// Whether the stack takes some of the account's QuickSight slots.
    pub(crate) fn takes_slots(&self) -> bool {
        self.declared_parameters.contains(SLOT_TABLE_PARAMETER)
    }

    /// Fails when the template wants function code that the assembly does not carry.
    ///
    /// # Errors
    ///
    /// One sentence that names the script which builds the functions.
    pub fn require_functions(&self) -> Result<(), Error> {
        let missing: Vec<_> = self
            .declared_parameters
            .iter()
            .filter(|name| name.ends_with("CodeKey"))
            .filter(|name| self.parameters.get(*name).is_none_or(String::is_empty))
            .map(String::as_str)
            .collect();
        let absent = self.assets.iter().find(|asset| !asset.path.is_file());
        if missing.is_empty() && absent.is_none() {
            return Ok(());
        }
        let what =
            if missing.is_empty() { absent.map(|asset| asset.name.as_str()).unwrap_or_default() } else { missing[0] };
        Err(Error::Refused(format!(
            "the functions of {} are not in the assembly (no code for {what}); run scripts/build-lambdas, then synthesize again",
            self.name
        )))
    }
}

fn require_tenant_name(name: &str) -> Result<(), Error> {
    let good = name.len() <= 20
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if good {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "`{name}` is not a tenant name; allowed are up to 20 lower-case letters, digits and hyphens after a letter"
    )))
}

/// The stack artifacts' ids, each after those it depends on, otherwise by name.
fn in_dependency_order(manifest: &Manifest) -> Result<Vec<&str>, Error> {
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = manifest
        .artifacts
        .iter()
        .filter(|(_, artifact)| artifact.kind == STACK)
        .map(|(id, artifact)| {
            let stacks = artifact.dependencies.iter().map(String::as_str);
            let stacks = stacks.filter(|id| manifest.artifacts.get(*id).is_some_and(|other| other.kind == STACK));
            (id.as_str(), stacks.collect())
        })
        .collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let next = waiting.iter().find(|(_, needs)| needs.iter().all(|need| ordered.contains(need)));
        let Some(id) = next.map(|(id, _)| *id) else {
            let names: Vec<_> = waiting.keys().copied().collect();
            return Err(Error::Refused(format!("the stacks {} depend on each other in a circle", names.join(", "))));
        };
        waiting.remove(id);
        ordered.push(id);
    }
    Ok(ordered)
}

fn read_stack(folder: &Path, tenant: &str, manifest: &Manifest, id: &str) -> Result<StackArtifact, Error> {
    let artifact = &manifest.artifacts[id];
    let properties = &artifact.properties;
    let name = properties.stack_name.clone().unwrap_or_else(|| id.to_owned());
    let shared = tenant == PLATFORM && name == PLATFORM_STACK;
    if !shared && !name.starts_with(&format!("{tenant}-")) {
        return Err(Error::Refused(format!(
            "stack `{name}` does not belong to tenant {tenant}: its name must start with `{tenant}-`"
        )));
    }
    // Not the manifest's file: that one has the code's keys in it for the stock `cdk` CLI, and so changes with the code.
    let file = format!("{name}.template.json");
    let template = read_text(&inside(folder, &file)?, tenant)?;
    let document: Template = serde_json::from_str(&template).map_err(|error| {
        Error::Refused(format!("{file} is not a JSON template ({error}); synthesize without --yaml to deploy"))
    })?;

    let stack_name = |id: &String| {
        let other = manifest.artifacts.get(id).filter(|other| other.kind == STACK)?;
        Some(other.properties.stack_name.clone().unwrap_or_else(|| id.clone()))
    };
    let dependencies = artifact.dependencies.iter().filter_map(stack_name).collect();
    let mut assets = Vec::new();
    for dependency in &artifact.dependencies {
        let Some(other) = manifest.artifacts.get(dependency).filter(|other| other.kind == ASSETS) else { continue };
        let listed: AssetManifest =
            read_json(&inside(folder, other.properties.file.as_deref().unwrap_or_default())?, tenant)?;
        let template_file = properties.template_file.as_deref();
        let files = listed.files.into_iter().filter(|(_, entry)| Some(entry.source.path.as_str()) != template_file);
        for (asset_id, entry) in files {
            assets.push(read_asset(folder, asset_id, entry)?);
        }
    }
    Ok(StackArtifact {
        name,
        template,
        parameters: properties.parameters.clone(),
        tags: properties.tags.clone(),
        assets,
        dependencies,
        sources: sources(artifact),
        declared_parameters: document.parameters.into_keys().collect(),
        logical_ids: document.resources.keys().cloned().collect(),
        retained: document
            .resources
            .into_iter()
            .filter(|(_, resource)| resource.is_retained())
            .map(|(id, _)| id)
            .collect(),
    })
}

/// What `synth` notes beside each resource: `"/<stack>/<logical id>": [{"type": "ferrostack:source", "data": "<file>:<line>"}]`.
fn sources(artifact: &Artifact) -> BTreeMap<String, String> {
    let source = |(path, notes): (&String, &Vec<Note>)| {
        let note = notes.iter().find(|note| note.kind == SOURCE)?;
        Some((path.rsplit('/').next()?.to_owned(), note.data.as_str()?.to_owned()))
    };
    artifact.metadata.iter().filter_map(source).collect()
}

fn read_asset(folder: &Path, id: String, entry: AssetEntry) -> Result<Asset, Error> {
    let path = inside(folder, &entry.source.path)?;
    if entry.source.packaging != "file" {
        return Err(Error::Refused(format!(
            "asset {} has the packaging `{}`; only `file` can be deployed",
            entry.source.path, entry.source.packaging
        )));
    }
    let Some(destination) = entry.destinations.into_values().next() else {
        return Err(Error::Refused(format!("asset {} has no destination", entry.source.path)));
    };
    Ok(Asset { name: entry.display_name.unwrap_or(id), path, key: destination.object_key })
}

/// Joins a name from the assembly to its folder, refusing one that leads out of it.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let plain = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain {
        Ok(folder.join(name))
    } else {
        Err(Error::Refused(format!("`{name}` is not a file inside {}", folder.display())))
    }
}

fn read_text(path: &Path, tenant: &str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::Refused(format!("cannot read {} ({error}); run `cargo run -- synth {tenant}` first", path.display()))
    })
}

fn read_json<T: DeserializeOwned>(path: &Path, tenant: &str) -> Result<T, Error> {
    serde_json::from_str(&read_text(path, tenant)?)
        .map_err(|error| Error::Refused(format!("{} is not what a cloud assembly holds: {error}", path.display())))
}
