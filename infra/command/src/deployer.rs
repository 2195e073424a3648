//! The arguments of `ferrostack-deploy`, the program behind `ferrostack deploy`, `status` and `destroy`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::Verbosity;

const WHAT: &str = "What to deploy";
const SAFETY: &str = "Safety";
const SPEED: &str = "Speed";
const WHERE: &str = "Where";

const DEPLOY_HELP: &str = "\
Examples:
  ferrostack deploy --bootstrap    Once per account and region, before the first tenant
  ferrostack deploy acme --plan    Show what would change, without changing anything
  ferrostack deploy acme           Deploy one tenant
  ferrostack deploy --all --yes    Deploy every tenant without asking

Environment variables:
  AWS_PROFILE, AWS_REGION, …       Credentials and region, as for the AWS CLI
  CI                               If set, print plain lines instead of a progress bar
  NO_COLOR                         If set, print no colors

Exit codes:
  0  everything was deployed
  1  AWS failed a deployment
  2  the deployment could not start or continue (usage, credentials, region, access, data at risk)";

const STATUS_HELP: &str = "\
Examples:
  ferrostack status                Every tenant, and stacks whose tenant file is gone
  ferrostack status acme --drift   One tenant, including changes made by hand

Environment variables:
  AWS_PROFILE, AWS_REGION, …       Credentials and region, as for the AWS CLI

Exit codes:
  0  the status is shown
  1  AWS failed a request
  2  the command could not start (usage, credentials, region, access)";

const DESTROY_HELP: &str = "\
Examples:
  ferrostack destroy acme --plan       Show what would be deleted and what would be kept
  ferrostack destroy acme              Delete the stacks and keep the data
  ferrostack destroy acme --with-data  Delete everything

Environment variables:
  AWS_PROFILE, AWS_REGION, …           Credentials and region, as for the AWS CLI
  CI                                   If set, print plain lines instead of a progress bar

Exit codes:
  0  the stacks are deleted, or the plan is shown
  1  AWS failed a deletion
  2  the command could not start (usage, credentials, region, access, wrong answer)";

/// Deploys what `ferrostack synth` wrote. Credentials and region come from the environment, as for the AWS CLI.
#[derive(Debug, Parser)]
#[command(name = "ferrostack-deploy", version, max_term_width = 100)]
pub struct DeployerArguments {
    /// How much to print.
    #[command(flatten)]
    pub verbosity: Verbosity,
    /// What to do.
    #[command(subcommand)]
    pub command: DeployerCommand,
}

/// What to do in AWS.
#[derive(Debug, Subcommand)]
pub enum DeployerCommand {
    /// Create or update the stacks of tenants, with one change set per stack
    ///
    /// Stacks are deployed in the order of their dependencies. Several tenants are deployed in waves of 1, 5, 25 and the rest. A tenant that fails does not stop the others; if too many fail,
    /// no further tenants are started. A run that was interrupted at any point is resumed by the next run, which reads
    /// cfn-out/journal-ACCOUNT-REGION.jsonl.
    #[command(after_help = DEPLOY_HELP, override_usage = "ferrostack deploy [OPTIONS] <TENANT>... | --all | --bootstrap")]
    Deploy(Deploy),
    /// Show what is deployed, and whether it matches what `synth` wrote
    ///
    /// Prints one line per stack, with its revision, and its URLs.
    #[command(after_help = STATUS_HELP)]
    Status(Status),
    /// Delete the stacks of a tenant; data is kept unless you ask for it
    ///
    /// Stacks that the file of the tenant no longer names are deleted too, even if the file is gone. Shows first what would be deleted and
    /// what would be kept, and asks for the name of the tenant. An interrupted run can be repeated.
    #[command(after_help = DESTROY_HELP)]
    Destroy(Destroy),
}

/// The arguments of `ferrostack deploy`.
#[derive(Args, Debug)]
pub struct Deploy {
    /// Names of tenants, as in stacks/tenants/<TENANT>.yaml
    #[arg(value_name = "TENANT", required_unless_present_any = ["all", "bootstrap"])]
    pub tenants: Vec<String>,
    /// Deploy every tenant that `synth` wrote
    #[arg(long, conflicts_with = "tenants", help_heading = WHAT)]
    pub all: bool,
    /// Deploy what all tenants of the account and region share: the bucket for function code, the table of QuickSight slots and the
    /// role for access logs
    #[arg(long, conflicts_with_all = ["tenants", "all", "only"], help_heading = WHAT)]
    pub bootstrap: bool,
    /// Deploy only the stack of this system
    #[arg(long, value_name = "SYSTEM", help_heading = WHAT)]
    pub only: Option<String>,
    /// The git revision that is deployed, shown by `status`
    #[arg(long, value_name = "REVISION", help_heading = WHAT)]
    pub revision: Option<String>,
    /// Only show what would change, which data is at risk and which permissions are added
    #[arg(long, help_heading = SAFETY)]
    pub plan: bool,
    /// Only check the options, the credentials and the region
    #[arg(long, help_heading = SAFETY)]
    pub preflight: bool,
    /// Allow this resource to be replaced or removed although it holds data; can be repeated
    #[arg(long, value_name = "LOGICAL_ID", help_heading = SAFETY)]
    pub allow_replacement: Vec<String>,
    /// Do not ask before several tenants are deployed
    #[arg(long, help_heading = SAFETY)]
    pub yes: bool,
    /// Stop starting tenants once this percentage has failed
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent, help_heading = SAFETY)]
    pub failures: f64,
    /// Use CloudFormation's express mode, for development: a stack counts as deployed once every resource is configured, before it is
    /// ready to serve
    ///
    /// Plan, refusals and rollback are the same. Resources that depend on one that is not ready yet may fail for some minutes.
    #[arg(long, help_heading = SPEED)]
    pub express: bool,
    /// Only update the code of functions, within seconds, for development; other differences are reported and skipped
    ///
    /// CloudFormation does not learn about the new code.
    #[arg(long, conflicts_with_all = ["plan", "express", "allow_replacement", "bootstrap"], help_heading = SPEED)]
    pub hotswap: bool,
    /// Ask CloudFormation about every stack, also if its template, parameters and tags are as deployed
    #[arg(long, help_heading = SAFETY)]
    pub force: bool,
    /// How many tenants to deploy at the same time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200), help_heading = SPEED)]
    pub concurrency: u16,
    /// Calls per second that create, execute or delete
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = rate, help_heading = SPEED)]
    pub changes_per_second: f64,
    /// Calls per second that describe or list
    #[arg(long, value_name = "RATE", default_value_t = 5.0, value_parser = rate, help_heading = SPEED)]
    pub looks_per_second: f64,
    /// Where to deploy from and to.
    #[command(flatten)]
    pub connection: Connection,
}

/// The arguments of `ferrostack status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Names of tenants [default: all that `synth` wrote, and those that have stacks in the account but no tenant file]
    #[arg(value_name = "TENANT")]
    pub tenants: Vec<String>,
    /// Also detect what was changed by hand; takes up to some minutes per stack
    #[arg(long)]
    pub drift: bool,
    /// Where to look.
    #[command(flatten)]
    pub connection: Connection,
}

/// The arguments of `ferrostack destroy`.
#[derive(Args, Debug)]
pub struct Destroy {
    /// The name of the tenant, as in stacks/tenants/<TENANT>.yaml
    pub tenant: String,
    /// Delete only the stack of this system
    #[arg(long, value_name = "SYSTEM", help_heading = "What to delete")]
    pub only: Option<String>,
    /// Also delete what the stacks retain: tables, secrets, queues, users, and buckets with all their objects
    #[arg(long, help_heading = "What to delete")]
    pub with_data: bool,
    /// Only show what would be deleted and what would be kept
    #[arg(long, help_heading = SAFETY)]
    pub plan: bool,
    /// Do not ask for the name of the tenant
    #[arg(long, help_heading = SAFETY)]
    pub yes: bool,
    /// Where to delete.
    #[command(flatten)]
    pub connection: Connection,
}

/// The assemblies, and how AWS is reached.
#[derive(Args, Debug)]
pub struct Connection {
    /// The folder that `synth` wrote to
    #[arg(long, value_name = "DIR", default_value = "cfn-out", help_heading = WHERE)]
    pub out: PathBuf,
    /// The bucket for function code [default: the bucket of the platform stack, or the one that `cdk bootstrap` created]
    #[arg(long, value_name = "NAME", help_heading = WHERE)]
    pub asset_bucket: Option<String>,
    /// The profile of the AWS CLI to sign in with [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME", help_heading = WHERE)]
    pub profile: Option<String>,
    /// The AWS region [default: AWS_REGION, or the region of the profile]
    #[arg(long, value_name = "REGION", help_heading = WHERE)]
    pub region: Option<String>,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| format!("`{text}` is not a percentage; must be 0 to 100"))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=1000.0).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is not a rate; must be 0.01 to 1000 calls per second"))
}
