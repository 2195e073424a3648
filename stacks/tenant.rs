//! Tenants: one customer or stage each, with the systems it has.

use cfn::Stack;
use constructs::Architecture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::roster::Systems;
use crate::shared::fields::{Name, TenantName, given};
use crate::shared::warehouse::Schema;
use crate::tenancy::Tenancy;
use crate::{TenantError, plain_yaml, raw_values};

/// One customer or stage: whom its stacks are for, and the settings of each system it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "TenantFile")]
pub struct Tenant {
    /// What every system's stack knows about it.
    pub tenancy: Tenancy,
    /// The environment that it is deployed to, by its name in the file of environments.
    pub environment: Option<Name>,
    /// The systems that it has.
    pub systems: Systems,
}

/// The keys of a tenant file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantFile {
    tenant: TenantName,
    #[serde(default)]
    architecture: Architecture,
    #[serde(default, deserialize_with = "given")]
    environment: Option<Name>,
    #[serde(deserialize_with = "given")]
    systems: Systems,
}

impl From<TenantFile> for Tenant {
    fn from(file: TenantFile) -> Self {
        let TenantFile { tenant: name, architecture, environment, systems } = file;
        Self { tenancy: Tenancy { name, architecture }, environment, systems }
    }
}

impl Tenant {
    /// Reads a tenant from the text of its file.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line and column, the value, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        parse(text)
    }

    /// The tenant's stacks, in the order in which they deploy.
    pub fn stacks(&self) -> Vec<Stack> {
        self.systems.stacks(&self.tenancy)
    }

    /// The schemas of existing warehouses that the stacks set up. No two stacks may have the same one, of whatever tenant.
    pub fn schemas(&self) -> Vec<Schema> {
        self.systems.schemas(&self.tenancy)
    }
}

/// Reads what people write, such as a tenant, from the text of a YAML file.
///
/// # Errors
///
/// The first mistake, with its line and column, the value, and what is allowed.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, TenantError> {
    // The library takes ten times as long, and finds a mistake if there is one.
    if let Some(value) = plain_yaml::read(text).and_then(|json| serde_json::from_value(json).ok()) {
        return Ok(value);
    }
    // `no` is a text here and not a boolean, as in YAML 1.2.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let wrong = |error| TenantError::new(&error, text);
    let read = serde_saphyr::from_str_with_options(text, options.clone()).map_err(wrong)?;
    let values = serde_saphyr::from_str_with_options(text, options).map_err(wrong)?;
    raw_values::check(&values, text)?;
    Ok(read)
}
