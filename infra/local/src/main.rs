//! `ferrostack-local`: everything on this machine, with no AWS account.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use ferrostack_deploy::{Assembly, Progress, Target};
use ferrostack_local::emulator::{Emulator, Start};
use ferrostack_local::exercise::Exercise;
use ferrostack_local::qlik::{Options, Qlik};
use ferrostack_local::qlik_reload::{self, System};
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = Progress::detect();
    // Ctrl-C ends the run in the orderly way: the future is dropped, and with it the emulator.
    let result = tokio::select! {
        result = run(&arguments, &progress) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
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
    let result = run_in(arguments, &python, folder.path(), &assembly, progress).await;
    if arguments.keep || result.is_err() {
        eprintln!("the logs are in {}", folder.keep().display());
    }
    result
}

async fn run_in(
    arguments: &Arguments,
    python: &Path,
    folder: &Path,
    assembly: &Assembly,
    progress: &Progress,
) -> anyhow::Result<()> {
    progress.begin("starting the emulator and the stand-ins", 0);
    let api_key = random_key();
    // Twenty times faster than a small reload at Qlik.
    let (queued, reloading) = (Duration::from_millis(300), Duration::from_millis(1500));
    let qlik = Qlik::start(Options { api_key: api_key.clone(), queued, reloading }).await?;
    let variables = [("QLIK_ENDPOINT_URL", qlik.url.as_str())];
    let emulator = Emulator::start(Start { python, folder, variables: &variables }).await?;

    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&emulator.config).force_path_style(true).build())
        .create_bucket()
        .bucket(ASSET_BUCKET)
        .send()
        .await
        .context("cannot create the bucket for function code")?;
    let target = Target::connect(&emulator.config, Some(ASSET_BUCKET)).await?;
    let deployed = ferrostack_deploy::deploy(&target, assembly, true, progress)
        .await
        .with_context(|| format!("the deployment to the emulator failed, which says:\n{}", emulator.last_lines(20)))?;
    progress.clear();

    let mut exercise = Exercise::new(progress);
    for stack in deployed.iter().filter(|stack| stack.stack.ends_with("-qlik-reload")) {
        let stack = DeployedStack::read(&emulator.config, &stack.stack).await?;
        stack.give_dead_letter_queues(&emulator.caller).await?;
        qlik_reload::store_api_key(&emulator.config, &stack, &api_key).await?;
        let system = System { stack: &stack, qlik: &qlik, caller: &emulator.caller };
        qlik_reload::exercise(&system, &mut exercise).await;
        println!("\n{}\n", exercise.table());
        println!("emulator       {}", emulator.endpoint());
        println!("Qlik stand-in  {}", qlik.url);
        println!("REST API       {}", system.rest_url()?);
    }
    if !exercise.succeeded() {
        eprintln!("the emulator's last lines:\n{}", emulator.last_lines(40));
        emulator.stop().await;
        bail!("not everything worked");
    }
    if arguments.once {
        emulator.stop().await;
        return Ok(());
    }
    println!("\nThis stays up until Ctrl-C. To look around with the AWS CLI:");
    println!(
        "export AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={}",
        emulator.endpoint(),
        ferrostack_local::emulator::REGION
    );
    tokio::signal::ctrl_c().await?;
    emulator.stop().await;
    Ok(())
}

/// For the stand-in of this run only; nothing outside this machine accepts it.
fn random_key() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(32).collect()
}
