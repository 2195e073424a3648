//! How much a command prints.

use clap::Args;

/// The options that every subcommand has.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Verbosity {
    /// Print more about what is being done
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Print only results and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
}
