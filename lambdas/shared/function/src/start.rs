//! How every function's process starts.

use std::error::Error;
use std::io;

use crate::logging;

/// The process's environment, from which settings are read.
pub type Variable = fn(&str) -> Option<String>;

/// Turns on the logs of the crates `ours`, to standard output, and reads the settings from the environment.
///
/// # Errors
///
/// If a setting is missing or wrong; the problem has been logged by then.
pub fn start<S, E: Error + Send + Sync + 'static>(
    ours: &[&'static str],
    read: impl FnOnce(&Variable) -> Result<S, E>,
) -> Result<S, Box<dyn Error + Send + Sync>> {
    let variable: Variable = |name| std::env::var(name).ok();
    tracing::subscriber::set_global_default(logging::subscriber(ours, logging::level(&variable), io::stdout))?;
    Ok(read(&variable).inspect_err(|problem| tracing::error!(step = "settings", %problem))?)
}
