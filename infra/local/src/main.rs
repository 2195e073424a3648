//! `ferrostack-local`: everything on this machine, with no AWS account.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use clap::Parser;
use ferrostack_deploy::{Assembly, Progress, Target};
use ferrostack_local::emulator::{Emulator, REGION, Start};
use ferrostack_local::exercise::Exercise;
use ferrostack_local::qlik::{Options, Qlik};
use ferrostack_local::qlik_reload::{self, System};
use ferrostack_local::rest::Rest;
use ferrostack_local::stack::DeployedStack;

/// Starts the AWS emulator and the stand-ins, deploys the local tenant, and puts its systems to work.
#[derive(Parser)]
#[command(name = "ferrostack-local", version)]
struct Arguments {
    /// End after the exercise, with exit code 1 if any of it failed, instead of staying up
    #[arg(long)]
    once: bool,
    /// Keep the folder with the logs; it is always kept after a failure
    #[arg(long)]
    keep: bool,
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    out: PathBuf,
    /// The tenant to deploy
    #[arg(long, default_value = "local")]
    tenant: String,
    /// The Python that MiniStack is installed for
    #[arg(long, default_value = ".tools/venv/bin/python")]
    python: PathBuf,
}

/// The deployer's bucket for function code; on AWS it is the one that `cdk bootstrap` makes.
const ASSET_BUCKET: &str = "ferrostack-local-assets";

/// A reload takes two seconds here: long enough to be seen under way, short enough to wait for.
const QUEUED: Duration = Duration::from_millis(500);
const RELOADING: Duration = Duration::from_millis(1500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
    let assembly = Assembly::read(&arguments.out, &arguments.tenant)?;
    let folder = tempfile::Builder::new().prefix("ferrostack-local-").tempdir()?;

    progress.begin("starting the emulator and the stand-ins", 0);
    let api_key = random_key();
    let qlik = Qlik::start(Options { api_key: api_key.clone(), queued: QUEUED, reloading: RELOADING }).await?;
    let variables = [("QLIK_ENDPOINT_URL", qlik.url.as_str())];
    let emulator = Emulator::start(Start { python: &python, folder: folder.path(), variables: &variables }).await?;

    // Ctrl-C ends the run in the orderly way; so does everything that fails.
    let result = tokio::select! {
        result = deploy_and_exercise(&assembly, &emulator, &qlik, &api_key, progress) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    if result.is_ok() && !arguments.once {
        stay_up(&emulator).await?;
    }
    progress.begin("stopping the emulator", 0);
    emulator.stop().await;
    progress.clear();
    if arguments.keep || result.is_err() {
        eprintln!("the logs are in {}", folder.keep().display());
    }
    result
}

async fn deploy_and_exercise(
    assembly: &Assembly,
    emulator: &Emulator,
    qlik: &Qlik,
    api_key: &str,
    progress: &Progress,
) -> anyhow::Result<()> {
    create_asset_bucket(emulator).await?;
    let target = Target::connect(&emulator.config, Some(ASSET_BUCKET)).await?;
    let deployed = ferrostack_deploy::deploy(&target, assembly, &ferrostack_deploy::Options::default(), progress).await;
    let deployed = deployed
        .with_context(|| format!("the deployment to the emulator failed; it says:\n{}", emulator.last_lines(20)))?;
    progress.clear();
    println!("emulator       {}", emulator.endpoint());
    println!("Qlik stand-in  {}", qlik.url);

    let mut exercised = 0;
    for stack in deployed.iter().filter(|stack| stack.stack.ends_with("-qlik-reload")) {
        exercised += 1;
        let stack = DeployedStack::read(&emulator.config, &stack.stack).await?;
        stack.give_dead_letter_queues(&emulator.caller).await?;
        qlik_reload::store_api_key(&emulator.config, &stack, api_key).await?;
        let rest = Rest::of(&stack, &emulator.caller).await?;
        println!("REST API       {}\n\n{}", rest.url, stack.name);
        let system = System { stack: &stack, qlik, caller: &emulator.caller, rest: &rest };
        let mut exercise = Exercise::new(progress);
        qlik_reload::exercise(&system, &mut exercise).await;
        if exercise.failed() > 0 {
            eprintln!("the functions' last lines:\n{}", stack.function_logs(&emulator.caller, 30).await);
            bail!("{} steps of {} failed", exercise.failed(), stack.name);
        }
    }
    ensure!(exercised > 0, "tenant {} has no system that this could put to work", assembly.tenant);
    Ok(())
}

async fn create_asset_bucket(emulator: &Emulator) -> anyhow::Result<()> {
    let config = aws_sdk_s3::config::Builder::from(&emulator.config).force_path_style(true).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    client.create_bucket().bucket(ASSET_BUCKET).send().await.context("cannot create the bucket for function code")?;
    Ok(())
}

async fn stay_up(emulator: &Emulator) -> anyhow::Result<()> {
    println!("\nThis stays up until Ctrl-C. For the AWS CLI:");
    println!(
        "export AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={REGION}",
        emulator.endpoint()
    );
    println!("The emulator's log: {}", emulator.log.display());
    Ok(tokio::signal::ctrl_c().await?)
}

/// For the stand-in of this run only; nothing outside this machine accepts it.
fn random_key() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(32).collect()
}
