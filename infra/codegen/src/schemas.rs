//! Reads the resource schemas and the actions of IAM inside the cfn-lint wheel.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use anyhow::{Context, Result};
use serde_json::Value;

/// The region whose schemas are read; it has nearly every type.
const REGION: &str = "cfnlint/data/schemas/providers/us-east-1.json";
/// The actions of every service.
const ACTIONS: &str = "cfnlint/data/AdditionalSpecs/Policies.json";

/// The JSON Schema of each resource type.
pub struct Schemas {
    wheel: zip::ZipArchive<Cursor<Vec<u8>>>,
    /// Resource type to the name of its file.
    index: BTreeMap<String, String>,
}

impl Schemas {
    /// Opens the wheel.
    ///
    /// # Errors
    ///
    /// If its layout is unknown to this generator.
    pub fn open(wheel: Vec<u8>) -> Result<Self> {
        let mut wheel = zip::ZipArchive::new(Cursor::new(wheel)).context("the wheel is not a zip file")?;
        let index =
            serde_json::from_slice(&entry(&mut wheel, REGION)?).context("the layout of the schemas is not known")?;
        Ok(Self { wheel, index })
    }

    /// The schema of one type, if there is one.
    ///
    /// # Errors
    ///
    /// If the wheel lists a schema that it does not contain.
    pub fn schema(&mut self, ty: &str) -> Result<Option<Value>> {
        let Some(hash) = self.index.get(ty) else { return Ok(None) };
        let path = format!("cfnlint/data/schemas/resources/{hash}.json");
        let json = entry(&mut self.wheel, &path)?;
        serde_json::from_slice(&json).with_context(|| format!("{path} is not JSON")).map(Some)
    }

    /// The actions of IAM, and on which resources they act.
    ///
    /// # Errors
    ///
    /// If the wheel does not contain them.
    pub fn actions(&mut self) -> Result<Value> {
        serde_json::from_slice(&entry(&mut self.wheel, ACTIONS)?).context("the layout of the actions is not known")
    }
}

fn entry(wheel: &mut zip::ZipArchive<Cursor<Vec<u8>>>, path: &str) -> Result<Vec<u8>> {
    let mut file = wheel.by_name(path).with_context(|| format!("the wheel has no {path}"))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(|| format!("cannot unpack {path}"))?;
    Ok(bytes)
}
