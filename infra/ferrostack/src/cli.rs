//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use cfn::Format;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use ferrostack_command::{DeployerCommand, Verbosity};
use stacks::platform;

const AFTER_HELP: &str = "\
Examples:
  ferrostack synth                 Write the templates of every tenant to cfn-out/
  ferrostack diff acme             Show what a synth would change for one tenant
  ferrostack deploy acme --plan    Show what a deployment would change
  ferrostack deploy acme           Deploy one tenant

Environment variables:
  AWS_PROFILE, AWS_REGION, …       Credentials and region, as for the AWS CLI
  CARGO_TARGET_DIR                 Where the functions are built, instead of target/
  CI                               If set, print plain lines instead of a progress bar
  NO_COLOR                         If set, print no colors

Exit codes:
  0  success
  1  a tenant file or a stack has a mistake, a template is stale, or AWS failed a deployment
  2  the command could not be carried out

`ferrostack help COMMAND` describes a command. In the repository, `cargo run -- COMMAND` runs it.";

const SYNTH_HELP: &str = "\
Examples:
  ferrostack synth                 Every tenant in stacks/tenants, and the platform
  ferrostack synth acme --yaml     One tenant, with templates as YAML
  ferrostack synth platform        Only what all tenants share

Exit codes:
  0  the templates are written, or with --check, they are up to date
  1  a tenant file or a stack has a mistake, or with --check, a template is stale
  2  the command could not be carried out";

const CHECK_HELP: &str = "\
Exit codes:
  0  no mistakes, and every template is up to date
  1  a tenant file or a stack has a mistake, or a template is stale
  2  the command could not be carried out";

const GRAPH_HELP: &str = "\
Examples:
  ferrostack graph acme --html --out acme.html            All systems of one tenant, as a page
  ferrostack graph acme --system SYSTEM --svg             One system, as a picture
  ferrostack graph acme --system SYSTEM                   The same as text for Mermaid

Exit codes:
  0  the picture is printed or written
  1  a tenant file or a stack has a mistake
  2  the command could not be carried out";

const PREPARE_HELP: &str = "\
Examples:
  ferrostack prepare --build scripts/build-lambdas deploy acme
  ferrostack prepare status

Exit codes are those of the command that is run; 2 if it could not be prepared.";

const COMPLETIONS_HELP: &str = "\
Examples:
  ferrostack completions bash > ~/.local/share/bash-completion/completions/ferrostack
  ferrostack completions zsh > ~/.zfunc/_ferrostack
  ferrostack completions fish > ~/.config/fish/completions/ferrostack.fish";

/// Where help shows each subcommand.
const GROUPS: &[(&str, &[&str])] = &[
    ("Templates", &["synth", "check", "diff", "list", "graph"]),
    ("AWS", &["deploy", "status", "destroy", "athena"]),
    ("This machine", &["local", "completions"]),
    ("For scripts", &["prepare", "package"]),
];

/// Typed CloudFormation: synthesizes, deploys and inspects the stacks of every tenant
#[derive(Parser)]
#[command(name = "ferrostack", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write the templates and the cloud assembly of each tenant
    #[command(after_help = SYNTH_HELP)]
    Synth(Synth),
    /// Report mistakes and stale templates, without writing anything
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// List tenants and their stacks
    List(Selection),
    /// Show what a synth would change, resource by resource, and which data is affected
    Diff(Diff),
    /// Draw what calls, reads, writes and triggers what
    #[command(after_help = GRAPH_HELP)]
    Graph(Graph),
    #[command(flatten)]
    Deployer(DeployerCommand),
    /// Run the systems on this machine, without an AWS account
    #[command(disable_help_flag = true, after_help = "`ferrostack local --help` lists the options.")]
    Local(Delegated),
    /// Query a connector the way Athena does
    #[command(disable_help_flag = true, after_help = "`ferrostack athena --help` lists the options.")]
    Athena(Delegated),
    /// Synthesize, build functions and then run deploy, status or destroy
    ///
    /// Before `deploy`, the options, the stacks and the credentials are checked, and functions are built for the architectures that the
    /// tenants need. `deploy --all` means every tenant that has a file.
    #[command(after_help = PREPARE_HELP)]
    Prepare(Prepare),
    /// Zip built functions so that the same binaries always give the same bytes
    Package {
        /// The folder of one architecture, which contains PACKAGE/bootstrap
        #[arg(long, value_name = "DIR")]
        lambdas: PathBuf,
    },
    /// Print the completion script of a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
}

#[derive(Args)]
pub(crate) struct Synth {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Write nothing; exit with 1 and name each template that a synth would change
    #[arg(long, help_heading = "Output")]
    pub(crate) check: bool,
    /// The folder with the built functions
    #[arg(long, value_name = "DIR", default_value_os_t = lambdas(), help_heading = "Where")]
    pub(crate) lambdas: PathBuf,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// The templates, and their format.
#[derive(Args)]
pub(crate) struct Folder {
    /// The folder for the assemblies; each tenant has its own folder inside
    #[arg(long, value_name = "DIR", default_value = "cfn-out", help_heading = "Where")]
    pub(crate) out: PathBuf,
    /// Use YAML for templates
    #[arg(long, help_heading = "Output")]
    yaml: bool,
}

impl Folder {
    pub(crate) fn format(&self) -> Format {
        if self.yaml { Format::Yaml } else { Format::Json }
    }
}

#[derive(Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The assemblies to compare with
    #[arg(long, value_name = "DIR", default_value = "cfn-out", help_heading = "Where")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Draw only this system
    #[arg(long, value_name = "SYSTEM")]
    pub(crate) system: Option<String>,
    /// Draw an HTML page with the pictures, and the same in words
    #[arg(long, group = "format", help_heading = "Output")]
    pub(crate) html: bool,
    /// Draw one SVG picture
    #[arg(long, group = "format", help_heading = "Output")]
    pub(crate) svg: bool,
    /// Write text for Mermaid, which GitHub draws [default]
    #[arg(long, group = "format", help_heading = "Output")]
    mermaid: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// Which tenants.
#[derive(Args, Clone)]
pub(crate) struct Selection {
    /// Names of tenants, or paths of their files; `platform` is what all tenants share [default: all]
    #[arg(value_name = "TENANT")]
    pub(crate) names: Vec<String>,
    /// The folder with the tenant files
    #[arg(long, value_name = "DIR", default_value = "stacks/tenants", help_heading = "Where")]
    pub(crate) tenants: PathBuf,
    /// The file that lists environments: accounts and regions [default: stacks/environments.yaml, if it exists]
    #[arg(long, value_name = "FILE", help_heading = "Where")]
    pub(crate) environments: Option<PathBuf>,
}

impl Selection {
    /// Whether it includes all tenants.
    pub(crate) fn is_everything(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether it includes what all tenants share.
    pub(crate) fn platform(&self) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| platform::is_folder(name))
    }
}

#[derive(Args)]
pub(crate) struct Prepare {
    /// The folder with the tenant files
    #[arg(long, value_name = "DIR", default_value = "stacks/tenants", help_heading = "Where")]
    pub(crate) tenants: PathBuf,
    /// The file that lists environments: accounts and regions [default: stacks/environments.yaml, if it exists]
    #[arg(long, value_name = "FILE", help_heading = "Where")]
    pub(crate) environments: Option<PathBuf>,
    /// The program that builds functions, which is run as PROGRAM --arch ARCHITECTURE before a deployment
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) build: Option<PathBuf>,
    /// deploy, status or destroy, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// A subcommand that is a separate program and reads its own arguments.
#[derive(Args)]
pub(crate) struct Delegated {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    _arguments: Vec<OsString>,
}

/// Reads the arguments, or exits with help or an error.
pub(crate) fn parse() -> Cli {
    let matches = grouped(Cli::command()).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Groups the subcommands in the help, for which clap has no setting.
fn grouped(command: clap::Command) -> clap::Command {
    let mut groups = String::new();
    for (heading, names) in GROUPS {
        groups.push_str(&format!("{heading}:\n"));
        for name in *names {
            let subcommand = command.find_subcommand(name).expect("a test shows the help");
            groups.push_str(&format!("  {name:<12} {}\n", subcommand.get_about().cloned().unwrap_or_default()));
        }
        groups.push('\n');
    }
    let template = format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{{all-args}}{{after-help}}");
    command
        .override_usage("ferrostack [OPTIONS] <COMMAND>")
        .help_template(template)
        .mut_subcommands(|subcommand| subcommand.hide(true))
}

/// `target/lambda`, or the same folder where Cargo was told to build.
pub(crate) fn lambdas() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("lambda")
}
