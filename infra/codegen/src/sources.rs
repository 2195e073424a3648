//! The pinned sources, checked against their digests, and the extract from them.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::actions::actions;
use crate::config::{Config, Pin, unknown_type};
use crate::database::Database;
use crate::limits::{Dropped, join};
use crate::schemas::Schemas;
use crate::specification::Specification;

/// Both sources, open.
pub struct Sources {
    database: Database,
    schemas: Schemas,
}

impl Sources {
    /// Opens the pinned files in `folder`.
    ///
    /// # Errors
    ///
    /// If a file is missing, is not the pinned one, or cannot be read.
    pub fn open(config: &Config, folder: &Path) -> Result<Self> {
        let packed = pinned(&config.service_spec, folder)?;
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_end(&mut json)
            .context("cannot decompress the service specification")?;
        let schemas = Schemas::open(pinned(&config.cfn_lint, folder)?)?;
        Ok(Self { database: Database::parse(&json)?, schemas })
    }

    /// Every resource type in the specification.
    pub fn resource_types(&self) -> BTreeSet<String> {
        self.database.resource_types().cloned().collect()
    }

    /// The actions of IAM, as `actions::actions` writes them.
    ///
    /// # Errors
    ///
    /// If the wheel does not contain them.
    pub fn actions(&mut self, config: &Config) -> Result<String> {
        let Pin { name, version, .. } = &config.cfn_lint;
        actions(&self.schemas.actions()?, &format!("{name} {version}"))
    }

    /// The facts about these types, and the limits that could not be joined to a property.
    ///
    /// # Errors
    ///
    /// If a type is not in the specification, or an overlay in `bindings.toml` repeats what the sources say.
    pub fn extract(&mut self, config: &Config, types: &BTreeSet<String>) -> Result<(Specification, Vec<Dropped>)> {
        let mut specification = Specification { sources: config.sources(), ..Specification::default() };
        let mut dropped = Vec::new();
        for ty in config.stateful.iter().chain(types) {
            let Some(mut resource) = self.database.resource(ty)? else {
                unknown_type(ty, self.database.resource_types())?;
                continue;
            };
            if config.stateful.contains(ty) {
                ensure!(
                    !resource.stateful,
                    "bindings.toml lists {ty} as stateful, but the sources say so too by now; delete the line"
                );
                resource.stateful = true;
            }
            if types.contains(ty) && !specification.resources.contains_key(ty) {
                match self.schemas.schema(ty)? {
                    Some(schema) => dropped.extend(join(ty, &mut resource, &schema)),
                    None => dropped.push((ty.clone(), "this type has no schema")),
                }
                for name in config.opaque.iter().filter_map(|name| name.strip_prefix(ty)?.strip_prefix('.')) {
                    resource.make_opaque(name).with_context(|| format!("bindings.toml lists {ty}.{name} as opaque"))?;
                }
                specification.resources.insert(ty.clone(), resource);
            }
        }
        Ok((specification, dropped))
    }
}

fn pinned(pin: &Pin, folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join(&pin.file);
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read {}; run scripts/bindings", path.display()))?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(
        digest == pin.sha256,
        "{} has SHA-256 {digest}, bindings.toml pins {}; delete the file to download it again",
        path.display(),
        pin.sha256
    );
    Ok(bytes)
}
