//! The function's settings: only how to reach AWS. Each event says what to work on.

use aws_types::SdkConfig;
use function::{Invalid, aws};

/// The function's settings.
pub struct Settings {
    pub(crate) redshift_data: SdkConfig,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads region, credentials and endpoints from the variables that Lambda and the AWS SDKs use.
    ///
    /// # Errors
    ///
    /// If the region or the credentials are missing.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings { redshift_data: aws::service(variable, "REDSHIFT_DATA")?, s3: aws::service(variable, "S3")? })
    }
}
