//! The function's settings, read from its environment once at the start.

use std::time::Duration;

use aws_types::SdkConfig;
use function::environment::number;
use function::{Invalid, required};
use queries::Services;

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) services: Services,
    pub(crate) statement_time: Duration,
    pub(crate) connections: SdkConfig,
}

/// How long a statement may run by default; seconds.
const STATEMENT_SECONDS: u64 = 900;

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `TABLE`, `WAREHOUSE` and `CONNECTIONS_URL` are required; `STATEMENT_SECONDS` (1 to 86,400) defaults to 900.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            services: Services::read(variable)?,
            statement_time: Duration::from_secs(number(variable, "STATEMENT_SECONDS", STATEMENT_SECONDS, 1..=86_400)?),
            connections: queries::connections_config(variable)?,
        })
    }
}
