//! What the programs behind the command `ferrostack` share: the arguments of the subcommands that call AWS, and printing.
//!
//! It links no AWS SDK, so `ferrostack` checks these arguments, shows their help and completes them before the deployer is built.

mod deployer;
pub mod output;
mod verbosity;

pub use deployer::{Connection, Deploy, DeployerArguments, DeployerCommand, Destroy, Status};
pub use verbosity::Verbosity;
