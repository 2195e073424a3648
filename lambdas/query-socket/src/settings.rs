//! What the function's environment says, parsed once at the start.

use std::str::FromStr;

use aws_types::SdkConfig;
use function::environment::optional;
use function::{Invalid, aws, required};
use queries::{Limits, Origins, Place};
use redshift::{Warehouse, identifier};

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) table: String,
    pub(crate) warehouse: Warehouse,
    /// Quoted.
    pub(crate) schema: String,
    pub(crate) own_queries: Option<Place>,
    pub(crate) origins: Origins,
    pub(crate) max_rows: u32,
    pub(crate) limits: Limits,
    pub(crate) connections: SdkConfig,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) redshift_data: SdkConfig,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads the settings out of the environment variables that `variable` answers.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE`, `SCHEMA` (of the queries' tables), `ORIGINS` and `CONNECTIONS_URL` are required. `QUERIES` is where the
    /// tenant's own files are. `MAX_ROWS` (1 to 100,000) is 10,000 unless given, `CONCURRENT` (1 to 20) 2, `PER_MINUTE` (1 to 1,000) 10,
    /// `STATEMENT_SECONDS` (1 to 86,400) 900.
    ///
    /// # Errors
    ///
    /// When one is missing or not of its form; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let schema = identifier(&required(variable, "SCHEMA")?);
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            table: required(variable, "TABLE")?,
            warehouse: serde_json::from_str(&required(variable, "WAREHOUSE")?)
                .map_err(|error| Invalid(format!("WAREHOUSE cannot be read: {error}")))?,
            schema: schema.map_err(|error| Invalid(format!("SCHEMA: {error}")))?,
            own_queries: optional(variable, "QUERIES").map(|text| Place::parse(&text)).transpose()?,
            origins: Origins::read(variable)?,
            max_rows: number(variable, "MAX_ROWS", 10_000, 100_000)?,
            limits: Limits {
                concurrent: number(variable, "CONCURRENT", 2, 20)?,
                per_minute: number(variable, "PER_MINUTE", 10, 1000)?,
                statement_seconds: number(variable, "STATEMENT_SECONDS", 900, 86_400)?,
            },
            connections: queries::connections_config(variable)?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            redshift_data: aws::service(variable, "REDSHIFT_DATA")?,
            s3: aws::service(variable, "S3")?,
        })
    }
}

fn number<T: FromStr + PartialOrd + From<u32>>(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    usual: u32,
    most: u32,
) -> Result<T, Invalid> {
    let Some(text) = optional(variable, name) else { return Ok(usual.into()) };
    let number = text.parse().ok().filter(|number| (T::from(1)..=T::from(most)).contains(number));
    number.ok_or_else(|| Invalid(format!("{name} is `{text}`; allowed is a number from 1 to {most}")))
}
