//! `bindings.toml`: the types in use, the pinned sources, and corrections of the sources.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Structure, attributes and replacement.
    pub service_spec: Pin,
    /// Lengths, ranges, patterns and sets.
    pub cfn_lint: Pin,
    /// The resource types in use.
    pub types: BTreeSet<String>,
    /// Types that hold data although the sources do not say so; they need not be in use.
    pub stateful: BTreeSet<String>,
    /// Property types that stay plain JSON, `Resource.Property`.
    pub opaque: BTreeSet<String>,
}

/// One source: the name and version to download, and the digest of the file that is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The name in its registry.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The file in the folder of sources.
    pub file: String,
    /// SHA-256 of that file, in hex.
    pub sha256: String,
}

impl Config {
    /// Reads `bindings.toml`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not valid.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not right", path.display()))
    }

    /// The sources as files name them, `name version`.
    pub fn sources(&self) -> Vec<String> {
        [&self.service_spec, &self.cfn_lint].map(|pin| format!("{} {}", pin.name, pin.version)).to_vec()
    }
}

/// Fails with one sentence about a type that is not in the specification.
///
/// # Errors
///
/// Always; it returns a result so that callers can return it.
pub fn unknown_type<'a>(ty: &str, known: impl Iterator<Item = &'a String>) -> Result<()> {
    let near = |name: &str| strsim::normalized_damerau_levenshtein(&ty.to_lowercase(), &name.to_lowercase());
    let mut candidates: Vec<(f64, &str)> =
        known.map(|name| (near(name), name.as_str())).filter(|(score, _)| *score > 0.7).collect();
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<&str> = candidates.iter().take(3).map(|(_, name)| *name).collect();
    match names.as_slice() {
        [] => bail!("bindings.toml lists {ty}, which is not in the specification"),
        _ => {
            bail!("bindings.toml lists {ty}, which is not in the specification; similar names are {}", names.join(", "))
        }
    }
}
