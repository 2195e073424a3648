//! What the function's environment says, parsed once at the start.

use std::time::Duration;

use aws_types::SdkConfig;
use function::environment::optional;
use function::{Invalid, aws, required};
use redshift::Warehouse;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) table: String,
    pub(crate) warehouse: Warehouse,
    pub(crate) statement_time: Duration,
    pub(crate) connections: SdkConfig,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) redshift_data: SdkConfig,
}

/// How long a statement may run unless the stack says otherwise; seconds.
const STATEMENT_SECONDS: u64 = 900;

impl Settings {
    /// Reads the settings out of the environment variables that `variable` answers.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE` and `CONNECTIONS_URL` are required; `STATEMENT_SECONDS` (1 to 86,400) is 900 unless given.
    ///
    /// # Errors
    ///
    /// When one is missing or not of its form; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let seconds = match optional(variable, "STATEMENT_SECONDS") {
            None => STATEMENT_SECONDS,
            Some(text) => text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds)).ok_or_else(|| {
                Invalid(format!("STATEMENT_SECONDS is `{text}`; allowed is a number from 1 to 86400"))
            })?,
        };
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            table: required(variable, "TABLE")?,
            warehouse: serde_json::from_str(&required(variable, "WAREHOUSE")?)
                .map_err(|error| Invalid(format!("WAREHOUSE cannot be read: {error}")))?,
            statement_time: Duration::from_secs(seconds),
            connections: queries::connections_config(variable)?,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            redshift_data: aws::service(variable, "REDSHIFT_DATA")?,
        })
    }
}
