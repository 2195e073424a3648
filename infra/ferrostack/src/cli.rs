//! The command line.

use cfn::Format;
use clap::{Args, Parser, Subcommand};
use stacks::platform::FOLDER;
use std::path::PathBuf;

/// Typed CloudFormation: synthesizes the stacks of every tenant.
///
/// Exit status: 0 good, 1 findings, 2 the command could not be carried out.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write the cloud assembly of each tenant: templates, and what `cdk` and `scripts/deploy` need beside them
    Synth(Synth),
    /// List tenants and their stacks
    List(Selection),
    /// Show what a synth would change, resource by resource, and what becomes of data
    Diff(Diff),
    /// Zip built functions, so that the same binaries give the same bytes; scripts/build-lambdas calls this
    Package {
        /// The folder of one architecture, with <package>/bootstrap in it
        #[arg(long, value_name = "DIR")]
        lambdas: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Synth {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Where to write; each tenant has its own folder in it
    #[arg(long, value_name = "DIR", default_value = "cfn-out")]
    pub(crate) out: PathBuf,
    /// Write templates as YAML
    #[arg(long)]
    yaml: bool,
    /// Write nothing; exit 1 and name each template that is not what a synth would write
    #[arg(long)]
    pub(crate) check: bool,
    /// Where the built functions lie, as scripts/build-lambdas leaves them
    #[arg(long, value_name = "DIR", default_value_os_t = lambdas())]
    pub(crate) lambdas: PathBuf,
}

impl Synth {
    pub(crate) fn format(&self) -> Format {
        if self.yaml { Format::Yaml } else { Format::Json }
    }
}

#[derive(Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The assemblies to compare with
    #[arg(long, value_name = "DIR", default_value = "cfn-out")]
    pub(crate) out: PathBuf,
}

/// Which tenants.
#[derive(Args)]
pub(crate) struct Selection {
    /// Names of tenants, or paths of their files; `platform` is what all tenants share [default: all of them]
    #[arg(value_name = "TENANT")]
    pub(crate) names: Vec<String>,
    /// The tenants' folder
    #[arg(long, value_name = "DIR", default_value = "stacks/tenants")]
    pub(crate) tenants: PathBuf,
}

impl Selection {
    /// Whether what all tenants share is among them.
    pub(crate) fn platform(&self) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == FOLDER)
    }
}

/// `target/lambda`, or where Cargo was told to build.
fn lambdas() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("lambda")
}
