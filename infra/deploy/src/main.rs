//! `ferrostack-deploy`: brings a tenant's synthesized stacks up in AWS, looks at them, and takes them down.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use ferrostack_deploy::{
    Assembly, Error, Fleet, Options, Outcome, PLATFORM, Progress, Rates, Report, StackPlan, Target, Teardown,
    allowance, exit_code_of, prompt,
};
use futures_util::{StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};

/// Deploys what `cargo run -- synth` wrote. Credentials and region come from the environment, as for the AWS CLI.
///
/// Exit code 0: done. 1: the deployment failed. 2: it could not start (usage, credentials, region, access).
#[derive(Parser)]
#[command(name = "ferrostack-deploy", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create or update the tenants' stacks, one change set each, in the order of their dependencies.
    ///
    /// Several tenants go in waves of 1, 5, 25 and the rest. One that fails does not hold the others up; when too many fail, no other one
    /// is begun. A run that was cut short, at whatever point, is taken up by the next: cfn-out/journal-ACCOUNT-REGION.jsonl says how far
    /// it came.
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
struct Deploy {
    /// The tenants, as in stacks/tenants/<TENANT>.yaml
    #[arg(required_unless_present_any = ["all", "bootstrap"])]
    tenants: Vec<String>,
    /// Every tenant that `synth` wrote
    #[arg(long, conflicts_with = "tenants")]
    all: bool,
    /// What all tenants of the account and region share, once before the first of them: the bucket for functions' code, the table of
    /// QuickSight slots, the role for access logs
    #[arg(long, conflicts_with_all = ["tenants", "all", "only"])]
    bootstrap: bool,
    #[command(flatten)]
    place: Place,
    /// Only this system's stack, for example qlik-reload
    #[arg(long, value_name = "SYSTEM")]
    only: Option<String>,
    /// Only show what would change, which data is at risk and which rights are added; nothing is executed
    #[arg(long)]
    plan: bool,
    /// Let this resource be replaced or removed although it holds data; can be repeated
    #[arg(long, value_name = "LOGICAL_ID")]
    allow_replacement: Vec<String>,
    /// CloudFormation's express mode: a stack counts as deployed as soon as every resource is configured, before it is ready to serve.
    /// Plan, refusals and rollback are the same. For development; what depends on a resource may fail for some minutes
    #[arg(long)]
    express: bool,
    /// Only give the functions their new code, within seconds, and say what else is different and was skipped. CloudFormation does not
    /// learn of it, so this is for development
    #[arg(long, conflicts_with_all = ["plan", "express", "allow_replacement", "bootstrap"])]
    hotswap: bool,
    /// Only find out whether options, credentials and region are good
    #[arg(long)]
    preflight: bool,
    /// Do not ask before several tenants are deployed
    #[arg(long)]
    yes: bool,
    /// Tenants that are under way at the same time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    concurrency: u16,
    /// Percent of the tenants that may fail before no other one is begun
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
    failures: f64,
    /// Calls a second that create, execute or delete
    #[arg(long, value_name = "RATE", default_value_t = Rates::default().changes, value_parser = rate)]
    changes_per_second: f64,
    /// Calls a second that describe or list
    #[arg(long, value_name = "RATE", default_value_t = Rates::default().looks, value_parser = rate)]
    looks_per_second: f64,
    /// The git revision that is deployed, for `status` to show
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
}

#[derive(Args)]
struct Place {
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    out: PathBuf,
    /// Where functions' code is uploaded to, instead of the bucket of the platform stack, or the one that `cdk bootstrap` made
    #[arg(long, value_name = "NAME")]
    asset_bucket: Option<String>,
}

impl Deploy {
    /// What is deployed. Of several tenants, those that have no system of the wanted name are left out.
    fn assemblies(&self, progress: &Progress) -> Result<Vec<Assembly>, Error> {
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

    fn options(&self) -> Options {
        Options {
            revision: self.revision.clone(),
            allow_replacement: self.allow_replacement.iter().cloned().collect(),
            express: self.express,
        }
    }
}

impl Place {
    async fn target(&self, progress: &Progress) -> Result<Target, Error> {
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let progress = Progress::detect();
    let result = run(Arguments::parse().command, &progress).await;
    progress.clear();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(command: Command, progress: &Progress) -> Result<u8, Error> {
    match command {
        Command::Deploy(command) => deploy(command, progress).await,
        Command::Status { tenants, place, drift } => {
            let all = tenants.is_empty();
            let tenants = if all { Assembly::tenants(&place.out)? } else { tenants };
            let assemblies: Vec<_> =
                tenants.iter().map(|tenant| Assembly::read(&place.out, tenant)).collect::<Result<_, _>>()?;
            let target = place.target(progress).await?;
            let status = ferrostack_deploy::status(&target, &assemblies, all, drift, progress).await?;
            progress.clear();
            print!("{status}");
            Ok(0)
        }
        Command::Destroy { tenant, place, only, with_data, yes, plan } => {
            let assembly = Assembly::read_if_any(&place.out, &tenant)?;
            let target = place.target(progress).await?;
            let teardown = Teardown { only, with_data, yes, plan };
            ferrostack_deploy::destroy(&target, &assembly, &teardown, progress).await?;
            Ok(0)
        }
    }
}

async fn deploy(command: Deploy, progress: &Progress) -> Result<u8, Error> {
    if command.preflight {
        return command.place.target(progress).await.map(|_| 0);
    }
    let tenants = command.assemblies(progress)?;
    for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
        stack.require_functions()?;
    }
    let rates = Rates { changes: command.changes_per_second, looks: command.looks_per_second };
    let target = command.place.target(progress).await?.at_rates(rates);
    let at_once = usize::from(command.concurrency);
    if command.plan {
        return show_plans(&target, &tenants, &command.options(), at_once, progress).await;
    }
    if tenants.len() > 1 && !command.yes {
        let what = format!("{} tenants to account {} in {}", tenants.len(), target.account, target.region);
        let answer = prompt::ask(&format!("deploy {what}? yes or no: "), &format!("this deploys {what}"))?;
        if answer != "yes" {
            return Err(Error::Refused("nothing was deployed: the answer was not `yes`".to_owned()));
        }
    }
    if command.hotswap {
        let swap = async |tenant: &Assembly, progress: &Progress| {
            let swapped = ferrostack_deploy::hotswap(&target, tenant, progress).await?;
            Ok(swapped.iter().map(ToString::to_string).collect())
        };
        return each(&tenants, at_once, progress, swap).await;
    }
    let fleet = Fleet { concurrency: at_once, failures: command.failures, ..Fleet::new(&command.place.out) };
    let options = command.options();
    let report = tokio::select! {
        report = ferrostack_deploy::deploy_fleet(&target, &tenants, &options, &fleet, progress) => report?,
        () = interrupted() => return Err(Error::Failed(
            "interrupted; CloudFormation goes on with what was begun, and the next run takes it up".to_owned(),
        )),
    };
    progress.clear();
    show(&report, tenants.len() > 1);
    Ok(report.exit_code())
}

/// Of several tenants a table; of one what each stack gives out, or why it failed.
fn show(report: &Report, several: bool) {
    if several {
        println!("{report}");
        return;
    }
    for (tenant, outcome) in report.tenants() {
        match outcome {
            Outcome::Deployed(stacks) => {
                for stack in stacks {
                    println!("{}: {}", stack.stack, stack.change);
                    stack.outputs.iter().for_each(|(name, value)| println!("  {name} = {value}"));
                }
            }
            Outcome::Failed(error) => eprintln!("error: {error}"),
            other => println!("{tenant}  {other}"),
        }
    }
}

/// However it ends, it leaves nothing behind.
async fn show_plans(
    target: &Target,
    tenants: &[Assembly],
    options: &Options,
    at_once: usize,
    progress: &Progress,
) -> Result<u8, Error> {
    if let Some(sentence) = allowance::unknown(target, tenants, &options.allow_replacement).await? {
        return Err(Error::Refused(sentence));
    }
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let parted = RefCell::new(BTreeSet::new());
    let plan = async |tenant: &Assembly, progress: &Progress| {
        let plans = ferrostack_deploy::plan(target, tenant, options, progress).await?;
        parted.borrow_mut().extend(plans.iter().flat_map(StackPlan::parted));
        Ok(plans.iter().map(|plan| plan.text(color)).collect())
    };
    let result = tokio::select! {
        result = each(tenants, at_once, progress, plan) => result,
        () = interrupted() => {
            progress.begin("interrupted: deleting the change sets", 0);
            Err(Error::Failed("interrupted; nothing was changed".to_owned()))
        }
    };
    if result.is_err() {
        tokio::select! {
            cleared = ferrostack_deploy::clear_plans(target) => {
                cleared.unwrap_or_else(|error| progress.line(format!("error: {error}")));
            }
            () = interrupted() => progress.line("interrupted again; a change set may be left, which does no harm"),
        }
    }
    if result == Ok(0)
        && let Some(sentence) = allowance::unneeded(&options.allow_replacement, &parted.borrow())
    {
        progress.line(sentence);
    }
    result
}

/// Does the work for several tenants at once and prints what it gives, in their order. One that fails holds no other up, unless AWS does
/// not let the caller in.
async fn each(
    tenants: &[Assembly],
    at_once: usize,
    progress: &Progress,
    work: impl AsyncFn(&Assembly, &Progress) -> Result<Vec<String>, Error>,
) -> Result<u8, Error> {
    let mut results = stream::iter(tenants)
        .map(async |tenant| match tenants {
            [_] => work(tenant, progress).await,
            _ => work(tenant, &progress.part(&tenant.tenant)).await,
        })
        .buffered(at_once);
    let mut failed = Vec::new();
    while let Some(result) = results.next().await {
        match result {
            Ok(lines) => lines.iter().for_each(|line| progress.output(line)),
            Err(error @ Error::Access(_)) => return Err(error),
            Err(error) => {
                progress.line(format!("error: {error}"));
                failed.push(error);
            }
        }
    }
    Ok(exit_code_of(&failed))
}

/// Ctrl-C, or the signal with which others end a process.
async fn interrupted() {
    let Ok(mut ended) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        _ = ended.recv() => {}
    }
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
