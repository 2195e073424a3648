//! `ferrostack-local`: everything on this machine, with no AWS account.

mod browser;
mod exercise;
mod qlik_reload;
mod query_app;
mod report_delivery;
mod rest;
mod services;
mod slack_connector;
mod sql;
mod stack;
mod write_back;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail, ensure};
use clap::Parser;
use ferrostack_deploy::{Assembly, PLATFORM, Progress, Target};
use stand_ins::emulator::{Emulator, REGION, Start};
use stand_ins::left_out::leave_out;

use crate::exercise::Exercise;
use crate::rest::Rest;
use crate::services::Services;
use crate::stack::DeployedStack;

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
    /// Put only this system to work, for example qlik-reload; all are deployed
    #[arg(long)]
    only: Option<String>,
    /// Measure the query app instead of putting systems to work
    #[arg(long)]
    measure: bool,
    /// The folder that `synth` wrote to
    #[arg(long, default_value = "cfn-out")]
    out: PathBuf,
    /// The tenant to deploy
    #[arg(long, default_value = "local")]
    tenant: String,
    /// Where the browser leaves its pictures of the pages
    #[arg(long, default_value = "target/local/pictures")]
    pictures: PathBuf,
    /// The Python that MiniStack is installed for
    #[arg(long, default_value = ".tools/venv/bin/python")]
    python: PathBuf,
}

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
    let platform = Assembly::read(&arguments.out, PLATFORM)?;
    let tenant = Assembly::read(&arguments.out, &arguments.tenant)?;
    let folder = tempfile::Builder::new().prefix("ferrostack-local-").tempdir()?;

    progress.begin("starting the emulator and the stand-ins", 0);
    let stand_ins = Services::start(folder.path(), &python).await?;
    let variables = stand_ins.variables();
    let emulator = Emulator::start(Start { python: &python, folder: folder.path(), variables: &variables }).await?;
    stand_ins.connect(&emulator.caller);

    let only = if arguments.measure { Some("query-app") } else { arguments.only.as_deref() };
    // Ctrl-C ends the run in the orderly way; so does everything that fails.
    let world = World {
        emulator: &emulator,
        stand_ins: &stand_ins,
        pictures: &arguments.pictures,
        measures: arguments.measure,
        progress,
    };
    let result = tokio::select! {
        result = world.deploy_and_exercise(platform, tenant, only) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    if result.is_ok() && !arguments.once {
        stay_up(&emulator).await?;
    }
    progress.begin("stopping the emulator", 0);
    emulator.stop().await;
    stand_ins.stop().await;
    progress.clear();
    if arguments.keep || result.is_err() {
        eprintln!("the logs are in {}", folder.keep().display());
    }
    result
}

/// What is running.
struct World<'a> {
    emulator: &'a Emulator,
    stand_ins: &'a Services,
    pictures: &'a Path,
    measures: bool,
    progress: &'a Progress,
}

impl World<'_> {
    async fn deploy_and_exercise(
        &self,
        platform: Assembly,
        tenant: Assembly,
        only: Option<&str>,
    ) -> anyhow::Result<()> {
        self.deploy(platform).await?;
        write_back::seed(&self.stand_ins.sql).await?;
        query_app::seed(&self.emulator.caller).await?;
        let deployed = self.deploy(tenant).await?;
        println!("{:<20} {}", "emulator", self.emulator.endpoint());
        self.stand_ins.addresses().iter().for_each(|(name, url)| println!("{name:<20} {url}"));

        let mut failed = Vec::new();
        let is_wanted = |stack: &&String| only.is_none_or(|system| stack.ends_with(&format!("-{system}")));
        let wanted: Vec<_> = deployed.iter().filter(is_wanted).collect();
        ensure!(!wanted.is_empty(), "the tenant has no system {}", only.unwrap_or_default());
        for name in wanted {
            let stack = DeployedStack::read(&self.emulator.config, name).await?;
            stack.give_dead_letter_queues(&self.emulator.caller).await?;
            println!("\n{name}");
            let failures = self.exercise(&stack).await?;
            if failures > 0 {
                let logs = stack.function_logs(&self.emulator.caller, 30).await;
                eprintln!("the functions' last lines:\n{logs}");
                failed.push(format!("{failures} steps of {name}"));
            }
        }
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }

    /// The names of the stacks that were deployed.
    async fn deploy(&self, mut assembly: Assembly) -> anyhow::Result<Vec<String>> {
        for stack in &mut assembly.stacks {
            let (template, gone) = leave_out(&stack.template)?;
            stack.template = template.replace(query_app::ORIGIN, &self.stand_ins.edge.url);
            if !gone.is_empty() {
                println!("{}: left out, since the emulator does not know it: {}", stack.name, gone.join(", "));
            }
        }
        let target = Target::connect(&self.emulator.config, None).await?;
        let options = ferrostack_deploy::Options::default();
        let deployed = ferrostack_deploy::deploy(&target, &assembly, &options, self.progress).await;
        let failed = || format!("the deployment to the emulator failed; it says:\n{}", self.emulator.last_lines(20));
        let deployed = deployed.with_context(failed)?;
        self.progress.clear();
        Ok(deployed.into_iter().map(|it| it.stack).collect())
    }

    /// Puts one stack's system to work, and tells how many steps failed.
    async fn exercise(&self, stack: &DeployedStack) -> anyhow::Result<usize> {
        let caller = &self.emulator.caller;
        let mut exercise = Exercise::new(self.progress);
        match stack.system() {
            "qlik-reload" => {
                qlik_reload::store_api_key(&self.emulator.config, stack, &self.stand_ins.qlik_key).await?;
                let rest = Rest::of(stack, caller).await?;
                let system = qlik_reload::System { stack, qlik: &self.stand_ins.qlik, caller, rest: &rest };
                qlik_reload::exercise(&system, &mut exercise).await;
            }
            "report-delivery" => {
                let rest = Rest::of(stack, caller).await?;
                let quicksight = &self.stand_ins.quicksight;
                let system = report_delivery::System { rest: &rest, quicksight, progress: self.progress };
                report_delivery::exercise(&system, &mut exercise).await;
            }
            "slack-connector" => {
                let (slack, pictures) = (&self.stand_ins.slack, self.pictures);
                let config = &self.emulator.config;
                let system = slack_connector::System { stack, slack, caller, config, pictures };
                slack_connector::prepare(&system, &self.stand_ins.slack_secret).await?;
                slack_connector::exercise(&system, &mut exercise).await;
            }
            "write-back" => {
                let rest = Rest::of(stack, caller).await?;
                let system = write_back::System { rest: &rest, sql: &self.stand_ins.sql, pictures: self.pictures };
                write_back::exercise(&system, &mut exercise).await;
            }
            "query-app" => {
                let rest = Rest::of(stack, caller).await?;
                let door = query_app::open(stack, self.emulator, &self.stand_ins.edge, &rest).await?;
                let people = query_app::People::of(stack.physical_id("Users")?, caller).await?;
                let redshift = &self.stand_ins.redshift;
                let (rest, door, people, pictures) = (&rest, &door, &people, self.pictures);
                let system = query_app::System { stack, rest, caller, door, redshift, people, pictures };
                match self.measures {
                    true => query_app::measure(&system, &mut exercise).await,
                    false => query_app::exercise(&system, &mut exercise).await,
                }
            }
            other => bail!("there is no exercise for {other}"),
        }
        Ok(exercise.failed())
    }
}

async fn stay_up(emulator: &Emulator) -> anyhow::Result<()> {
    println!("\nThis stays up until Ctrl-C. For the AWS CLI:");
    println!(
        "export AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={REGION} AWS_REGION={REGION}",
        emulator.endpoint()
    );
    println!("For Slack's member analytics, by a driver that is not Athena:");
    println!(
        "ferrostack athena --endpoint {} \"select date, count(*) from slackanalytics.member_analytics group by date\"",
        emulator.endpoint()
    );
    println!("The emulator's log: {}", emulator.log.display());
    Ok(tokio::signal::ctrl_c().await?)
}
