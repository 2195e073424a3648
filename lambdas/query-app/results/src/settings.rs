//! The function's settings, read from its environment once at the start.

use aws_types::SdkConfig;
use function::{Invalid, aws, required};
use queries::{Origins, Place, Services};

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) services: Services,
    pub(crate) own_queries: Option<Place>,
    pub(crate) origins: Origins,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE` and `ORIGINS` are required; `QUERIES` is where the tenant's own query files are, and
    /// `QUERIES_OWNER` the account of their bucket.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            services: Services::read(variable)?,
            own_queries: Place::read(variable)?,
            origins: Origins::read(variable)?,
            s3: aws::service(variable, "S3")?,
        })
    }
}
