//! The command line, and what it chooses: tenants, and the account and region that they go to.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use ferrostack_deploy::{Assembly, Error, Options, PLATFORM, Progress, Rates, Target};

/// Deploys what `cargo run -- synth` wrote. Credentials and region come from the environment, as for the AWS CLI.
///
/// Exit code 0: done. 1: the deployment failed. 2: it could not start (usage, credentials, region, access).
#[derive(Parser)]
#[command(name = "ferrostack-deploy", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create or update the tenants' stacks, one change set each, in the order of their dependencies.
    ///
    /// Several tenants go in waves of 1, 5, 25 and the rest. One that fails does not hold the others up; when too many fail, no other one
    /// is begun. A run that was cut short, at whatever point, is taken up by the next: cfn-out/journal-ACCOUNT-REGION.jsonl says how far
    /// it came.
    ///
    /// Exit code 0: all deployed. 1: AWS failed a deployment. 2: it could not start or go on (usage, credentials, region, access, data at
    /// risk).
    Deploy(Deploy),
    /// Show which version of each stack is deployed, whether it is what `synth` wrote, and its URLs; one line a stack
    Status {
        /// The tenants; none means all that `synth` wrote, and those that have stacks in the account but no tenant file
        tenants: Vec<String>,
        #[command(flatten)]
        place: Place,
        /// Also find out what somebody changed by hand; takes up to some minutes a stack
        #[arg(long)]
        drift: bool,
    },
    /// Delete the tenant's stacks, also those that its file does not have any more; data is kept unless asked for
    Destroy {
        /// The tenant, as in stacks/tenants/<TENANT>.yaml
        tenant: String,
        #[command(flatten)]
        place: Place,
        /// Only this system's stack, for example qlik-reload
        #[arg(long, value_name = "SYSTEM")]
        only: Option<String>,
        /// Also delete what the stacks retain: tables, secrets, queues, users, and buckets with all they hold
        #[arg(long)]
        with_data: bool,
        /// Do not ask for the tenant's name
        #[arg(long)]
        yes: bool,
        /// Only show what would go and what would stay; nothing is deleted
        #[arg(long)]
        plan: bool,
    },
}

#[derive(Args)]
pub(crate) struct Deploy {
    /// The tenants, as in stacks/tenants/<TENANT>.yaml
    #[arg(required_unless_present_any = ["all", "bootstrap"])]
    pub(crate) tenants: Vec<String>,
    /// Every tenant that `synth` wrote
    #[arg(long, conflicts_with = "tenants")]
    pub(crate) all: bool,
    /// What all tenants of the account and region share, once before the first of them: the bucket for functions' code, the table of
    /// QuickSight slots, the role for access logs
    #[arg(long, conflicts_with_all = ["tenants", "all", "only"])]
    pub(crate) bootstrap: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only this system's stack, for example qlik-reload
    #[arg(long, value_name = "SYSTEM")]
    pub(crate) only: Option<String>,
    /// Only show what would change, which data is at risk and which rights are added; nothing is executed
    #[arg(long)]
    pub(crate) plan: bool,
    /// Let this resource be replaced or removed although it holds data; can be repeated
    #[arg(long, value_name = "LOGICAL_ID")]
    pub(crate) allow_replacement: Vec<String>,
    /// CloudFormation's express mode: a stack counts as deployed as soon as every resource is configured, before it is ready to serve.
    /// Plan, refusals and rollback are the same. For development; what depends on a resource may fail for some minutes
    #[arg(long)]
    pub(crate) express: bool,
    /// Only give the functions their new code, within seconds, and say what else is different and was skipped. CloudFormation does not
    /// learn of it, so this is for development
    #[arg(long, conflicts_with_all = ["plan", "express", "allow_replacement", "bootstrap"])]
    pub(crate) hotswap: bool,
    /// Only find out whether options, credentials and region are good
    #[arg(long)]
    pub(crate) preflight: bool,
    /// Do not ask before several tenants are deployed
    #[arg(long)]
    pub(crate) yes: bool,
    /// Tenants that are under way at the same time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) concurrency: u16,
    /// Percent of the tenants that may fail before no other one is begun
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
    pub(crate) failures: f64,
    /// Calls a second that create, execute or delete
    #[arg(long, value_name = "RATE", default_value_t = Rates::default().changes, value_parser = rate)]
    pub(crate) changes_per_second: f64,
    /// Calls a second that describe or list
    #[arg(long, value_name = "RATE", default_value_t = Rates::default().looks, value_parser = rate)]
    pub(crate) looks_per_second: f64,
    /// The git revision that is deployed, for `status` to show
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
}

#[derive(Args)]
pub(crate) struct Place {
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    pub(crate) out: PathBuf,
    /// Where functions' code is uploaded to, instead of the bucket of the platform stack, or the one that `cdk bootstrap` made
    #[arg(long, value_name = "NAME")]
    pub(crate) asset_bucket: Option<String>,
}

impl Deploy {
    /// What is deployed. Of several tenants, those that have no system of the wanted name are left out.
    pub(crate) fn assemblies(&self, progress: &Progress) -> Result<Vec<Assembly>, Error> {
        let mut names = match (self.bootstrap, self.all) {
            (true, _) => vec![PLATFORM.to_owned()],
            (_, true) => Assembly::tenants(&self.place.out)?,
            _ => self.tenants.clone(),
        };
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let read = |name: &String| Assembly::read(&self.place.out, name);
        let tenants: Vec<_> = names.iter().map(read).collect::<Result<_, _>>()?;
        let Some(system) = &self.only else { return Ok(tenants) };
        if let [tenant] = tenants.as_slice() {
            return Ok(vec![tenant.clone().only(system)?]);
        }
        let count = tenants.len();
        let kept: Vec<_> = tenants.into_iter().filter_map(|tenant| tenant.only(system).ok()).collect();
        match count - kept.len() {
            0 => {}
            left_out if left_out == count => {
                return Err(Error::Refused(format!(
                    "none of the {count} tenants has a system `{system}`; `cargo run -- list` shows which there are"
                )));
            }
            left_out => {
                progress.line(format!("{left_out} of {count} tenants have no system {system} and are left out"))
            }
        }
        Ok(kept)
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            revision: self.revision.clone(),
            allow_replacement: self.allow_replacement.iter().cloned().collect(),
            express: self.express,
        }
    }
}

impl Place {
    pub(crate) async fn target(&self, progress: &Progress) -> Result<Target, Error> {
        let target = Target::connect(&aws().await, self.asset_bucket.as_deref()).await?;
        progress.line(format!("account {}, region {}", target.account, target.region));
        Ok(target)
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| format!("`{text}` is not a percentage; allowed are 0 to 100"))
}

fn rate(text: &str) -> Result<f64, String> {
    let allowed = 0.01..=1000.0;
    let rate = text.parse().ok().filter(|rate| allowed.contains(rate));
    rate.ok_or_else(|| format!("`{text}` is not a rate; allowed are 0.01 to 1000 calls a second"))
}

/// The first call, which asks who is calling, is repeated by the SDK when it is lost; all others by the deployer.
async fn aws() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(60))
                .build(),
        )
        .load()
        .await
}
