//! Completion scripts for shells, which know the options of the deployer too.

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use ferrostack_command::output;

use crate::GOOD;
use crate::cli::Cli;

/// Prints the script.
pub(crate) fn print(shell: Shell) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "ferrostack", &mut script);
    output::text(String::from_utf8_lossy(&script));
    GOOD
}
