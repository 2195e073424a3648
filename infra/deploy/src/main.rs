//! `ferrostack-deploy`: brings a tenant's synthesized stacks up in AWS, and takes them down.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::{Args, Parser, Subcommand};
use ferrostack_deploy::{Assembly, Error, Progress, Target};

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
        /// Remove and replace resources with data without asking
        #[arg(long)]
        yes: bool,
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
        Command::Deploy { what, yes } => {
            let assembly = what.assembly()?;
            for stack in &assembly.stacks {
                stack.require_functions()?;
            }
            let target = Target::connect(&aws().await, what.asset_bucket.as_deref()).await?;
            progress.line(format!("account {}, region {}", target.account, target.region));
            let deployed = ferrostack_deploy::deploy(&target, &assembly, yes, progress).await?;
            progress.clear();
            for stack in deployed {
                println!("{}: {}", stack.stack, stack.change);
                for (name, value) in stack.outputs {
                    println!("  {name} = {value}");
                }
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
