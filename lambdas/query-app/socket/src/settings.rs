//! The function's settings, read from its environment once at the start.

use aws_types::SdkConfig;
use function::environment::number;
use function::{Invalid, aws, required};
use queries::{Limits, Origins, Place, Services};
use redshift::identifier;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) services: Services,
    /// Quoted.
    pub(crate) schema: String,
    pub(crate) own_queries: Option<Place>,
    pub(crate) origins: Origins,
    pub(crate) max_rows: u32,
    pub(crate) limits: Limits,
    pub(crate) connections: SdkConfig,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE`, `SCHEMA` (of the queries' tables), `ORIGINS` and `CONNECTIONS_URL` are required. `QUERIES`
    /// is where the tenant's own files are, and `QUERIES_OWNER` the account of their bucket. `MAX_ROWS` (1 to 100,000) defaults to 10,000, `CONCURRENT` (1 to 20) to 2,
    /// `PER_MINUTE` (1 to 1,000) to 10, `STATEMENT_SECONDS` (1 to 86,400) to 900.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let schema = identifier(&required(variable, "SCHEMA")?);
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            services: Services::read(variable)?,
            schema: schema.map_err(|error| Invalid(format!("SCHEMA: {error}")))?,
            own_queries: Place::read(variable)?,
            origins: Origins::read(variable)?,
            max_rows: number(variable, "MAX_ROWS", 10_000, 1..=100_000)?,
            limits: Limits {
                concurrent: number(variable, "CONCURRENT", 2, 1..=20)?,
                per_minute: number(variable, "PER_MINUTE", 10, 1..=1000)?,
                statement_seconds: number(variable, "STATEMENT_SECONDS", 900, 1..=86_400)?,
            },
            connections: queries::connections_config(variable)?,
            s3: aws::service(variable, "S3")?,
        })
    }
}
