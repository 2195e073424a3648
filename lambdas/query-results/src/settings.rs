//! What the function's environment says, parsed once at the start.

use aws_types::SdkConfig;
use function::environment::optional;
use function::{Invalid, aws, required};
use queries::{Origins, Place};
use redshift::Warehouse;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) table: String,
    pub(crate) warehouse: Warehouse,
    pub(crate) own_queries: Option<Place>,
    pub(crate) origins: Origins,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) redshift_data: SdkConfig,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads the settings out of the environment variables that `variable` answers.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE` and `ORIGINS` are required; `QUERIES` is where the tenant's own query files are.
    ///
    /// # Errors
    ///
    /// When one is missing or not of its form; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            table: required(variable, "TABLE")?,
            warehouse: serde_json::from_str(&required(variable, "WAREHOUSE")?)
                .map_err(|error| Invalid(format!("WAREHOUSE cannot be read: {error}")))?,
            own_queries: optional(variable, "QUERIES").map(|text| Place::parse(&text)).transpose()?,
            origins: Origins::read(variable)?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            redshift_data: aws::service(variable, "REDSHIFT_DATA")?,
            s3: aws::service(variable, "S3")?,
        })
    }
}
