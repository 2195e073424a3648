//! The function's settings: where its code is and how to reach AWS. Each event says what to work on.

use std::path::PathBuf;

use aws_types::SdkConfig;
use function::{Invalid, aws, required};

/// The function's settings.
pub struct Settings {
    /// The folder with the page's files.
    pub(crate) site: PathBuf,
    pub(crate) s3: SdkConfig,
}

impl Settings {
    /// Reads `LAMBDA_TASK_ROOT`, which Lambda sets, and region, credentials and endpoints from the variables that Lambda and the
    /// AWS SDKs use.
    ///
    /// # Errors
    ///
    /// If one of them is missing.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let site = PathBuf::from(required(variable, "LAMBDA_TASK_ROOT")?).join("site");
        Ok(Settings { site, s3: aws::service(variable, "S3")? })
    }
}
