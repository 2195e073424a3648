//! `ferrostack-local`: this machine as the target, with no AWS account.
//!
//! ```text
//! ferrostack-local ─┬─ Services            Qlik, Slack, QuickSight, Redshift: the crate `stand-ins`
//!                   ├─ Emulator            MiniStack; the functions are its children
//!                   ├─ run::deploy          ferrostack_deploy::deploy ──► CloudFormation of the emulator
//!                   └─ roster::exercise ─► <system>::exercise, a folder for each system of the roster
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use ferrostack_deploy::{Assembly, PLATFORM, Progress};
use stand_ins::emulator::{Emulator, REGION, Start};

use crate::services::Services;
use crate::world::World;

mod browser;
mod exercise;
mod rest;
mod roster;
mod run;
mod services;
mod sql;
mod stack;
mod system;
mod world;

macro_rules! modules {
    ($($system:ident)*) => { $(mod $system;)* };
}
stacks::for_each_system!(modules);

/// Start the AWS emulator and the stand-ins, deploy the local tenant, and exercise its systems.
#[derive(Parser)]
#[command(name = "ferrostack-local", version)]
struct Arguments {
    /// Exit after the exercise, with code 1 if any step failed, instead of staying up
    #[arg(long)]
    once: bool,
    /// Keep the folder with the logs; it is always kept after a failure
    #[arg(long)]
    keep: bool,
    /// Deploy and exercise only this system
    #[arg(long, value_name = "SYSTEM", value_parser = PossibleValuesParser::new(roster::names()))]
    only: Option<String>,
    /// Deploy only this system, and measure it instead of exercising it
    #[arg(long, value_name = "SYSTEM", conflicts_with = "only", value_parser = PossibleValuesParser::new(roster::measurable()))]
    measure: Option<String>,
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    out: PathBuf,
    /// The tenant to deploy
    #[arg(long, default_value = "local")]
    tenant: String,
    /// The folder for the browser's pictures of the pages
    #[arg(long, default_value = "target/local/pictures")]
    pictures: PathBuf,
    /// The Python interpreter that MiniStack is installed for
    #[arg(long, default_value = ".tools/venv/bin/python")]
    python: PathBuf,
    /// Print the file of the local tenant, for functions of this architecture, and exit
    #[arg(long, value_name = "ARCHITECTURE", value_parser = ["arm64", "x86_64"])]
    print_tenant: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(architecture) = &arguments.print_tenant {
        print!("{}", roster::tenant_file(architecture));
        return ExitCode::SUCCESS;
    }
    let progress = Progress::detect().stages_only();
    let result = run(&arguments, &progress).await;
    progress.clear();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, progress: &Progress) -> anyhow::Result<()> {
    let python = std::path::absolute(&arguments.python)?;
    if !python.is_file() {
        bail!("MiniStack is not installed: there is no {}; run scripts/tools local", arguments.python.display());
    }
    let platform = Assembly::read(&arguments.out, PLATFORM)?;
    let mut tenant = Assembly::read(&arguments.out, &arguments.tenant)?;
    let only = arguments.measure.as_deref().or(arguments.only.as_deref());
    if let Some(system) = only {
        tenant = tenant.only(system)?;
    }
    let folder = tempfile::Builder::new().prefix("ferrostack-local-").tempdir()?;

    progress.begin("starting the emulator and the stand-ins", 0);
    let services = Services::start(folder.path(), &python, roster::uses_warehouse(only)).await?;
    let variables = services.variables();
    let emulator = Emulator::start(Start { python: &python, folder: folder.path(), variables: &variables }).await?;
    services.connect(&emulator.caller);

    let world = World {
        emulator: &emulator,
        services: &services,
        pictures: &arguments.pictures,
        measures: arguments.measure.is_some(),
        progress,
    };
    // Ctrl-C ends the run in the orderly way; so does every failure.
    let result = tokio::select! {
        result = run::deploy_and_exercise(&world, platform, tenant, only) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    if result.is_ok() && !arguments.once {
        stay_up(&emulator).await?;
    }
    progress.begin("stopping the emulator", 0);
    emulator.stop().await;
    services.stop().await;
    progress.clear();
    if arguments.keep || result.is_err() {
        eprintln!("the logs are in {}", folder.keep().display());
    }
    result
}

async fn stay_up(emulator: &Emulator) -> anyhow::Result<()> {
    let endpoint = emulator.endpoint();
    println!("\nThis stays up until Ctrl-C. For the AWS CLI:");
    println!(
        "export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={REGION} AWS_REGION={REGION}"
    );
    println!("To query an Athena connector the way Athena does:");
    println!("ferrostack athena --endpoint {endpoint} \"select …\"");
    println!("The emulator's log: {}", emulator.log.display());
    Ok(tokio::signal::ctrl_c().await?)
}
