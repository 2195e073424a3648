//! `ferrostack-deploy`: brings a tenant's synthesized stacks up in AWS, looks at them, and takes them down.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use ferrostack_deploy::{
    Assembly, Error, Fleet, Options, Outcome, PLATFORM, Progress, Rates, Report, Target, Teardown, prompt,
};

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
        /// The tenants; none means all that `synth` wrote
        tenants: Vec<String>,
        #[command(flatten)]
        place: Place,
        /// Also find out what somebody changed by hand; takes up to some minutes a stack
        #[arg(long)]
        drift: bool,
    },
    /// Delete the tenant's stacks; data is kept unless asked for
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
    /// Do not ask before several tenants are deployed
    #[arg(long)]
    yes: bool,
    /// Tenants that are under way at the same time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    concurrency: u16,
    /// Percent of the tenants that may fail before no other one is begun
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0)]
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

impl Place {
    fn assembly(&self, tenant: &str, only: Option<&str>) -> Result<Assembly, Error> {
        let assembly = Assembly::read(&self.out, tenant)?;
        only.map_or(Ok(assembly.clone()), |system| assembly.only(system))
    }

    async fn target(&self, progress: &Progress) -> Result<Target, Error> {
        let target = Target::connect(&aws().await, self.asset_bucket.as_deref()).await?;
        progress.line(format!("account {}, region {}", target.account, target.region));
        Ok(target)
    }
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
            let tenants = if tenants.is_empty() { Assembly::tenants(&place.out)? } else { tenants };
            let assemblies: Vec<_> =
                tenants.iter().map(|tenant| Assembly::read(&place.out, tenant)).collect::<Result<_, _>>()?;
            let target = place.target(progress).await?;
            for assembly in &assemblies {
                let states = ferrostack_deploy::status(&target, assembly, drift, progress).await?;
                progress.clear();
                states.iter().for_each(|state| println!("{state}"));
            }
            Ok(0)
        }
        Command::Destroy { tenant, place, only, with_data, yes, plan } => {
            let assembly = place.assembly(&tenant, only.as_deref())?;
            let target = place.target(progress).await?;
            let teardown = Teardown { with_data, yes, plan, whole: only.is_none() };
            ferrostack_deploy::destroy(&target, &assembly, teardown, progress).await?;
            Ok(0)
        }
    }
}

async fn deploy(command: Deploy, progress: &Progress) -> Result<u8, Error> {
    let names = match (command.bootstrap, command.all) {
        (true, _) => vec![PLATFORM.to_owned()],
        (_, true) => Assembly::tenants(&command.place.out)?,
        _ => command.tenants.clone(),
    };
    let read = |name: &String| command.place.assembly(name, command.only.as_deref());
    let tenants: Vec<_> = names.iter().map(read).collect::<Result<_, _>>()?;
    for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
        stack.require_functions()?;
    }
    let rates = Rates { changes: command.changes_per_second, looks: command.looks_per_second };
    let target = command.place.target(progress).await?.at_rates(rates);
    if command.plan {
        return show_plans(&target, &tenants, command.revision.as_deref(), progress).await;
    }
    if tenants.len() > 1 && !command.yes {
        let what = format!("{} tenants to account {} in {}", tenants.len(), target.account, target.region);
        let answer = prompt::ask(&format!("deploy {what}? yes or no: "), &format!("this deploys {what}"))?;
        if answer != "yes" {
            return Err(Error::Refused("nothing was deployed: the answer was not `yes`".to_owned()));
        }
    }
    if command.hotswap {
        for tenant in &tenants {
            let swapped = ferrostack_deploy::hotswap(&target, tenant, progress).await?;
            progress.clear();
            swapped.iter().for_each(|stack| println!("{stack}"));
        }
        return Ok(0);
    }
    let fleet =
        Fleet { concurrency: command.concurrency.into(), failures: command.failures, ..Fleet::new(&command.place.out) };
    let options = Options {
        revision: command.revision,
        allow_replacement: command.allow_replacement.into_iter().collect(),
        express: command.express,
    };
    let report = ferrostack_deploy::deploy_fleet(&target, &tenants, &options, &fleet, progress).await?;
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

/// Interrupted, it leaves nothing behind either.
async fn show_plans(
    target: &Target,
    tenants: &[Assembly],
    revision: Option<&str>,
    progress: &Progress,
) -> Result<u8, Error> {
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let planning = async {
        for tenant in tenants {
            let plans = ferrostack_deploy::plan(target, tenant, revision, progress).await?;
            progress.clear();
            plans.iter().for_each(|plan| println!("{}", plan.text(color)));
        }
        Ok(0)
    };
    tokio::select! {
        result = planning => result,
        _ = tokio::signal::ctrl_c() => {
            progress.begin("interrupted: deleting the change set", 0);
            ferrostack_deploy::clear_plans(target).await?;
            Err(Error::Failed("interrupted; nothing was changed".to_owned()))
        }
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
