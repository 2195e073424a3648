//! What the function's environment says: where its code lies and how AWS is reached. What it works on is in each event.

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
    /// Reads `LAMBDA_TASK_ROOT`, which Lambda sets, and region, credentials and endpoints out of the variables that Lambda and the
    /// AWS SDKs use.
    ///
    /// # Errors
    ///
    /// When one of them is missing.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let site = PathBuf::from(required(variable, "LAMBDA_TASK_ROOT")?).join("site");
        Ok(Settings { site, s3: aws::service(variable, "S3")? })
    }
}
