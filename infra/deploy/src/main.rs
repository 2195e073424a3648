//! `ferrostack-deploy`: brings a tenant's synthesized stacks up in AWS, looks at them, and takes them down.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use ferrostack_deploy::{Assembly, Error, Options, Progress, Target};

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
    /// Create or update the tenant's stacks, one change set each, in the order of their dependencies
    Deploy {
        #[command(flatten)]
        what: What,
        /// Only show what would change, which data is at risk and which rights are added; nothing is executed
        #[arg(long)]
        plan: bool,
        /// Let this resource be replaced or removed although it holds data; can be repeated
        #[arg(long, value_name = "LOGICAL_ID")]
        allow_replacement: Vec<String>,
        /// The git revision that is deployed, for `status` to show
        #[arg(long, value_name = "REVISION")]
        revision: Option<String>,
    },
    /// Show which version of each stack is deployed, whether it is what `synth` wrote, and its URLs; one line a stack
    Status {
        /// The tenants; none means all that `synth` wrote
        tenants: Vec<String>,
        /// The folder that `synth` wrote to
        #[arg(long, default_value = "cfn-out")]
        out: PathBuf,
    },
    /// Delete the tenant's stacks; data is kept unless asked for
    Destroy {
        #[command(flatten)]
        what: What,
        /// Also delete what the stacks retain: tables, secrets, queues, and buckets with all they hold
        #[arg(long)]
        with_data: bool,
        /// Do not ask for the tenant's name
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
struct What {
    /// The tenant, as in stacks/tenants/<TENANT>.yaml
    tenant: String,
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    out: PathBuf,
    /// Only this system's stack, for example qlik-reload
    #[arg(long, value_name = "SYSTEM")]
    only: Option<String>,
    /// Where functions' code is uploaded to, instead of the bucket that `cdk bootstrap` made
    #[arg(long, value_name = "NAME")]
    asset_bucket: Option<String>,
}

impl What {
    fn assembly(&self) -> Result<Assembly, Error> {
        let assembly = Assembly::read(&self.out, &self.tenant)?;
        match &self.only {
            Some(system) => assembly.only(system),
            None => Ok(assembly),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let progress = Progress::detect();
    let result = run(Arguments::parse().command, &progress).await;
    progress.clear();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(command: Command, progress: &Progress) -> Result<(), Error> {
    match command {
        Command::Deploy { what, plan, allow_replacement, revision } => {
            let assembly = what.assembly()?;
            for stack in &assembly.stacks {
                stack.require_functions()?;
            }
            let target = Target::connect(&aws().await, what.asset_bucket.as_deref()).await?;
            progress.line(format!("account {}, region {}", target.account, target.region));
            if plan {
                let plans = ferrostack_deploy::plan(&target, &assembly, revision.as_deref(), progress).await?;
                progress.clear();
                let color =
                    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
                plans.iter().for_each(|plan| println!("{}", plan.text(color)));
                return Ok(());
            }
            let options = Options { revision, allow_replacement: allow_replacement.into_iter().collect() };
            let deployed = ferrostack_deploy::deploy(&target, &assembly, &options, progress).await?;
            progress.clear();
            for stack in deployed {
                println!("{}: {}", stack.stack, stack.change);
                for (name, value) in stack.outputs {
                    println!("  {name} = {value}");
                }
            }
            Ok(())
        }
        Command::Status { tenants, out } => {
            let tenants = if tenants.is_empty() { Assembly::tenants(&out)? } else { tenants };
            let assemblies: Vec<_> =
                tenants.iter().map(|tenant| Assembly::read(&out, tenant)).collect::<Result<_, _>>()?;
            let target = Target::connect(&aws().await, None).await?;
            progress.line(format!("account {}, region {}", target.account, target.region));
            for assembly in &assemblies {
                let states = ferrostack_deploy::status(&target, assembly, progress).await?;
                progress.clear();
                states.iter().for_each(|state| println!("{state}"));
            }
            Ok(())
        }
        Command::Destroy { what, with_data, yes } => {
            let assembly = what.assembly()?;
            let target = Target::connect(&aws().await, what.asset_bucket.as_deref()).await?;
            ferrostack_deploy::destroy(&target, &assembly, with_data, yes, progress).await
        }
    }
}

/// Throttled and lost calls are repeated by the SDK, with exponential back-off and jitter.
async fn aws() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(60))
                .build(),
        )
        .load()
        .await
}
