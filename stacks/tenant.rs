//! Tenants: one customer or stage each, with the systems it has.

use cfn::Stack;
use constructs::Architecture;
use serde::Deserialize;

use crate::roster::Systems;
use crate::shared::fields::{TenantName, given};
use crate::tenancy::Tenancy;
use crate::{TenantError, plain_yaml, raw_values};

/// One customer or stage: whom its stacks are for, and the settings of each system it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "TenantFile")]
pub struct Tenant {
    /// What every system's stack knows about it.
    pub tenancy: Tenancy,
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
    #[serde(deserialize_with = "given")]
    systems: Systems,
}

impl From<TenantFile> for Tenant {
    fn from(file: TenantFile) -> Self {
        let TenantFile { tenant: name, architecture, systems } = file;
        Self { tenancy: Tenancy { name, architecture }, systems }
    }
}

impl Tenant {
    /// Reads a tenant from the text of its file.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line and column, the value, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        // The library takes ten times as long, and finds a mistake if there is one.
        if let Some(tenant) = plain_yaml::read(text).and_then(|json| serde_json::from_value(json).ok()) {
            return Ok(tenant);
        }
        // `no` is a text here and not a boolean, as in YAML 1.2.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let wrong = |error| TenantError::new(&error, text);
        let tenant = serde_saphyr::from_str_with_options(text, options.clone()).map_err(wrong)?;
        let values = serde_saphyr::from_str_with_options(text, options).map_err(wrong)?;
        raw_values::check(&values, text)?;
        Ok(tenant)
    }

    /// The tenant's stacks, in the order in which they deploy.
    pub fn stacks(&self) -> Vec<Stack> {
        self.systems.stacks(&self.tenancy)
    }
}
