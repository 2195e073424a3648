//! Deploys many tenants in waves, and stops starting tenants when too many fail. The journal lets the next run resume an interrupted one.
//!
//! ```text
//! tenants ─► waves of 1, 5, 25 and the rest ─► deploy one tenant ─► journal ─► Report
//! ```

mod journal;
pub(crate) mod report;
pub(crate) mod rollout;
mod waves;

use std::fs::File;
use std::path::Path;

use crate::{Error, Target};

/// Keeps deployments to the account and region from starting on this machine, as long as the file exists. `folder` has the journals.
///
/// # Errors
///
/// [`Error::Refused`] if a deployment is running, or the file cannot be opened.
pub fn lock(folder: &Path, target: &Target) -> Result<File, Error> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::Refused(format!("cannot create {}: {error}", folder.display())))?;
    journal::locked(&journal::path(folder, target))
}
