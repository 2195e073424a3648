//! What every function's process begins with.

use std::error::Error;
use std::io;

use crate::logging;

/// The process's environment, as settings are read out of it.
pub type Variable = fn(&str) -> Option<String>;

/// Turns the logs of the crates `ours` on, to standard output, and reads the settings out of the environment.
///
/// # Errors
///
/// When a setting is missing or wrong, which is in the log by then.
pub fn start<S, E: Error + Send + Sync + 'static>(
    ours: &[&'static str],
    read: impl FnOnce(&Variable) -> Result<S, E>,
) -> Result<S, Box<dyn Error + Send + Sync>> {
    let variable: Variable = |name| std::env::var(name).ok();
    tracing::subscriber::set_global_default(logging::subscriber(ours, logging::level(&variable), io::stdout))?;
    Ok(read(&variable).inspect_err(|problem| tracing::error!(step = "settings", %problem))?)
}
