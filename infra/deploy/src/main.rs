//! `ferrostack-deploy`: brings a tenant's synthesized stacks up in AWS, looks at them, and takes them down.

mod cli;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use cli::{Arguments, Command, Deploy};
use ferrostack_deploy::{
    Assembly, Error, Fleet, Options, Outcome, Progress, Rates, Report, StackPlan, Target, Teardown, allowance,
    exit_code_of, prompt,
};
use futures_util::{StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};

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
