//! Reads an assembly from the files that `ferrostack synth` wrote.

use std::path::{Component, Path, PathBuf};

use cfn::Environment;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::assembly::artifacts::{Assembly, Asset, PLATFORM_STACK, StackArtifact, is_platform};
use crate::assembly::manifest::{ASSETS, Artifact, AssetEntry, AssetManifest, Manifest, SOURCE, STACK, Template};
use crate::assembly::order::in_dependency_order;
use crate::assembly::template_text::TemplateText;

/// The file that makes a folder an assembly.
const MANIFEST: &str = "manifest.json";

impl Assembly {
    /// Reads the assembly of a tenant from `<out>/<tenant>`.
    ///
    /// # Errors
    ///
    /// If the folder does not contain an assembly of JSON templates.
    pub fn read(out: &Path, tenant: &str) -> Result<Assembly, Error> {
        require_tenant_name(tenant)?;
        let folder = out.join(tenant);
        let manifest: Manifest = read_json(&folder.join(MANIFEST), tenant)?;
        let stacks = in_dependency_order(&manifest)?
            .into_iter()
            .map(|id| read_stack(&folder, tenant, &manifest, id))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Assembly { tenant: tenant.to_owned(), stacks })
    }

    /// [`Assembly::read`], but an assembly without stacks if there is none: a tenant that no longer has a file may still have stacks in
    /// the account.
    ///
    /// # Errors
    ///
    /// As [`Assembly::read`].
    pub fn read_if_any(out: &Path, tenant: &str) -> Result<Assembly, Error> {
        require_tenant_name(tenant)?;
        if out.join(tenant).join(MANIFEST).exists() {
            return Assembly::read(out, tenant);
        }
        Ok(Assembly { tenant: tenant.to_owned(), stacks: Vec::new() })
    }

    /// The tenants that have an assembly in `out`, by name, without the platform that they share.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or contains no assembly.
    pub fn tenants(out: &Path) -> Result<Vec<String>, Error> {
        names(out, "tenant", |name| !is_platform(name))
    }

    /// The assemblies in `out` that all tenants of an environment share, by name.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or contains no such assembly.
    pub fn platforms(out: &Path) -> Result<Vec<String>, Error> {
        names(out, "platform", is_platform)
    }
}

fn names(out: &Path, what: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
    let unreadable =
        |error| Error::Refused(format!("cannot read {} ({error}); run `cargo run synth` first", out.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(out).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_wanted(&name) && entry.path().join(MANIFEST).is_file() {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(Error::Refused(format!("{} contains no {what}; run `cargo run synth` first", out.display())));
    }
    names.sort();
    Ok(names)
}

fn require_tenant_name(name: &str) -> Result<(), Error> {
    let name = if is_platform(name) { name.rsplit('.').next().unwrap_or_default() } else { name };
    let good = name.len() <= 20
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if good {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "`{name}` is not a valid tenant name; use up to 20 lower-case letters, digits and hyphens, starting with a letter"
    )))
}

fn read_stack(folder: &Path, tenant: &str, manifest: &Manifest, id: &str) -> Result<StackArtifact, Error> {
    let artifact = &manifest.artifacts[id];
    let properties = &artifact.properties;
    let name = properties.stack_name.clone().unwrap_or_else(|| id.to_owned());
    let shared = is_platform(tenant) && name == PLATFORM_STACK;
    if !shared && !name.starts_with(&format!("{tenant}-")) {
        return Err(Error::Refused(format!(
            "stack `{name}` does not belong to tenant {tenant}: its name must start with `{tenant}-`"
        )));
    }
    // Not the manifest's file: that one contains the code's keys for the stock `cdk` CLI, and so changes with the code.
    let file = format!("{name}.template.json");
    let path = inside(folder, &file)?;
    let template = read_text(&path, tenant)?;
    let document: Template = serde_json::from_str(&template).map_err(|error| {
        let advice = if template.trim_start().starts_with(['{', '[']) || template.trim().is_empty() {
            "is damaged; synthesize again"
        } else {
            "is not a JSON template; synthesize without --yaml to deploy"
        };
        Error::Refused(format!("{file} {advice} ({error})"))
    })?;
    let stack_name = |id: &String| {
        let other = manifest.artifacts.get(id).filter(|other| other.kind == STACK)?;
        Some(other.properties.stack_name.clone().unwrap_or_else(|| id.clone()))
    };
    let platform_need = document.platform_need();
    let retained = document.resources.iter().filter(|(_, resource)| resource.is_retained());
    Ok(StackArtifact {
        name,
        template: TemplateText::in_file(path, &template),
        parameters: properties.parameters.clone(),
        tags: properties.tags.clone(),
        environment: environment(artifact, id)?,
        assets: read_assets(folder, tenant, manifest, artifact)?,
        dependencies: artifact.dependencies.iter().filter_map(stack_name).collect(),
        manifest: folder.join(MANIFEST),
        platform_need,
        declared_parameters: document.parameters.into_keys().collect(),
        retained: retained.map(|(id, _)| id.clone()).collect(),
    })
}

/// Where the manifest says that a stack belongs.
fn environment(artifact: &Artifact, id: &str) -> Result<Environment, Error> {
    let Some(uri) = &artifact.environment else { return Ok(Environment::default()) };
    let place = Environment::from_uri(uri).ok_or_else(|| {
        Error::Refused(format!("the environment of {id} is `{uri}`; must be aws://ACCOUNT/REGION; synthesize again"))
    })?;
    // With placeholders, it is a role of `cdk bootstrap`, which may not exist.
    let own = |arn: &Option<String>| arn.clone().filter(|arn| !arn.contains("${"));
    let properties = &artifact.properties;
    let [role, execution_role] =
        [own(&properties.assume_role_arn), own(&properties.cloud_formation_execution_role_arn)];
    Ok(Environment { role, execution_role, ..place })
}

impl StackArtifact {
    /// The line of Rust that added a resource, such as `stacks/uptime.rs:29`; `None` if the manifest does not say so, or can no longer be
    /// read. Only failures ask for it, so a fleet does not keep the lines of all its resources.
    pub(crate) fn source_of(&self, logical_id: &str) -> Option<String> {
        let manifest: Manifest = serde_json::from_slice(&std::fs::read(&self.manifest).ok()?).ok()?;
        let is_this = |(id, artifact): &(&String, &Artifact)| {
            artifact.kind == STACK && artifact.properties.stack_name.as_ref().unwrap_or(id) == &self.name
        };
        let (_, artifact) = manifest.artifacts.iter().find(is_this)?;
        artifact.metadata.iter().find_map(|(path, notes)| {
            // `synth` notes `"/<stack>/<logical ID>": [{"type": "ferrostack:source", "data": "<file>:<line>"}]`.
            let note = notes
                .iter()
                .find(|note| note.kind == SOURCE)
                .filter(|_| path.rsplit('/').next() == Some(logical_id))?;
            note.data.as_str().map(str::to_owned)
        })
    }
}

/// The files of the stack's asset manifests, without its template.
fn read_assets(folder: &Path, tenant: &str, manifest: &Manifest, stack: &Artifact) -> Result<Vec<Asset>, Error> {
    let mut assets = Vec::new();
    for dependency in &stack.dependencies {
        let Some(other) = manifest.artifacts.get(dependency).filter(|other| other.kind == ASSETS) else { continue };
        let file = other.properties.file.as_deref().unwrap_or_default();
        let listed: AssetManifest = read_json(&inside(folder, file)?, tenant)?;
        let template_file = stack.properties.template_file.as_deref();
        let files = listed.files.into_iter().filter(|(_, entry)| Some(entry.source.path.as_str()) != template_file);
        for (id, entry) in files {
            assets.push(read_asset(folder, id, entry)?);
        }
    }
    Ok(assets)
}

fn read_asset(folder: &Path, id: String, entry: AssetEntry) -> Result<Asset, Error> {
    let path = match entry.source.path.strip_prefix(SHARED_ASSETS) {
        Some(name) => inside(&folder.with_file_name(cfn::ASSETS), name)?,
        None => inside(folder, &entry.source.path)?,
    };
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

/// How the paths of zips start that several assemblies share: [`cfn::ASSETS`] next to the assembly's folder.
const SHARED_ASSETS: &str = "../_assets/";

/// The path of a file that the assembly names; a name that leads out of the assembly's folder is refused.
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
        .map_err(|error| Error::Refused(format!("{} is not a valid file of a cloud assembly: {error}", path.display())))
}
