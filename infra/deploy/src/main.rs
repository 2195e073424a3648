//! `ferrostack-deploy`, the program behind `ferrostack deploy`, `status` and `destroy`.

mod cli;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use ferrostack_command::{Deploy, DeployerArguments, DeployerCommand, Destroy, Status, Verbosity, output};
use ferrostack_deploy::{
    Assembly, Error, Fleet, Options, Outcome, Placement, Progress, Rates, Report, Snapshot, StackPlan, Target,
    Teardown, allowance, exit_code_of, prompt,
};
use futures_util::{StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = DeployerArguments::parse();
    let progress = Progress::detect().at(verbosity(&arguments));
    let result = run(arguments.command, &progress).await;
    progress.clear();
    // The deployment is done, whether or not its output could be written.
    if let Err(error) = output::finish() {
        progress.error(error);
    }
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            progress.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// A person who is asked for permission to delete, or for a plan, needs to see what would be deleted.
fn verbosity(arguments: &DeployerArguments) -> Verbosity {
    let shows = matches!(&arguments.command, DeployerCommand::Destroy(destroy) if destroy.plan || !destroy.yes);
    Verbosity { quiet: arguments.verbosity.quiet && !shows, ..arguments.verbosity }
}

async fn run(command: DeployerCommand, progress: &Progress) -> Result<u8, Error> {
    match command {
        DeployerCommand::Deploy(command) => deploy(command, progress).await,
        DeployerCommand::Status(command) => status(command, progress).await,
        DeployerCommand::Destroy(command) => destroy(command, progress).await,
    }
}

async fn status(command: Status, progress: &Progress) -> Result<u8, Error> {
    let out = &command.connection.out;
    let all = command.tenants.is_empty();
    let tenants = if all { Assembly::tenants(out)? } else { command.tenants };
    let assemblies: Vec<_> = tenants.iter().map(|tenant| Assembly::read(out, tenant)).collect::<Result<_, _>>()?;
    let placements = cli::placements(&command.connection, assemblies, Rates::default(), progress).await?;
    for Placement { target, tenants } in &placements {
        let status = ferrostack_deploy::status(target, tenants, all, command.drift, progress).await?;
        progress.clear();
        if placements.len() > 1 {
            output::line(format_args!("account {}, region {}", target.account, target.region));
        }
        output::text(status);
    }
    Ok(0)
}

async fn destroy(command: Destroy, progress: &Progress) -> Result<u8, Error> {
    let assembly = Assembly::read_if_any(&command.connection.out, &command.tenant)?;
    let mut placements = cli::placements(&command.connection, vec![assembly], Rates::default(), progress).await?;
    let Some(Placement { target, tenants }) = placements.pop() else { return Ok(0) };
    let assembly = &tenants[0];
    // Otherwise a deployment that is under way could create again what is deleted here.
    let _locked = (!command.plan).then(|| ferrostack_deploy::lock(&command.connection.out, &target)).transpose()?;
    let teardown = Teardown { only: command.only, with_data: command.with_data, yes: command.yes, plan: command.plan };
    tokio::select! {
        destroyed = ferrostack_deploy::destroy(&target, assembly, &teardown, progress) => destroyed.map(|()| 0),
        () = interrupted() => Err(Error::Failed(interrupted_destroy(&assembly.tenant, teardown.with_data))),
    }
}

fn interrupted_destroy(tenant: &str, with_data: bool) -> String {
    let retention = if with_data {
        "; stacks that are left may already be set to delete their data, which the next deployment undoes"
    } else {
        ""
    };
    format!(
        "interrupted; CloudFormation finishes what was started{retention}; run `destroy {tenant}` again to delete the rest"
    )
}

async fn deploy(command: Deploy, progress: &Progress) -> Result<u8, Error> {
    if command.preflight {
        return cli::preflight(&command, progress).await.map(|()| 0);
    }
    let tenants = cli::assemblies(&command, progress)?;
    let count = tenants.len();
    for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
        stack.require_functions()?;
    }
    let rates = Rates { changes: command.changes_per_second, looks: command.looks_per_second };
    let mut placements = cli::placements(&command.connection, tenants, rates, progress).await?;
    for placement in &mut placements {
        ferrostack_deploy::require_platform(&placement.target, &placement.tenants).await?;
        ferrostack_deploy::keep_log_role(&placement.target, &mut placement.tenants).await?;
    }
    let at_once = usize::from(command.concurrency);
    if command.plan {
        return show_plans(&placements, &cli::options(&command), at_once, progress).await;
    }
    if count > 1 && !command.yes {
        let part = |Placement { target, tenants }: &Placement| {
            format!("{} tenants to account {} in {}", tenants.len(), target.account, target.region)
        };
        let what = placements.iter().map(part).collect::<Vec<_>>().join(", ");
        let answer = prompt::ask(&format!("deploy {what}? yes or no: "), &format!("this deploys {what}"))?;
        if answer != "yes" {
            return Err(Error::Refused("nothing was deployed, because the answer was not `yes`".to_owned()));
        }
    }
    if command.hotswap {
        let swap = async |target: &Target, tenant: &Assembly, progress: &Progress| {
            let swapped = ferrostack_deploy::hotswap(target, tenant, progress).await?;
            Ok(swapped.iter().map(ToString::to_string).collect())
        };
        return each(&placements, at_once, progress, swap).await;
    }
    let fleet = Fleet { concurrency: at_once, failures: command.failures, ..Fleet::new(&command.connection.out) };
    let options = cli::options(&command);
    let report = tokio::select! {
        report = ferrostack_deploy::deploy_fleets(&placements, &options, &fleet, progress) => report?,
        () = interrupted() => return Err(Error::Failed(
            "interrupted; CloudFormation finishes what was started, and the next run resumes from there".to_owned(),
        )),
    };
    progress.clear();
    show(&report, count > 1);
    Ok(report.exit_code())
}

/// A table for several tenants; for one, the outputs of each stack, or why it failed.
fn show(report: &Report, several: bool) {
    if several {
        output::line(report);
        return;
    }
    for (tenant, outcome) in report.tenants() {
        match outcome {
            Outcome::Deployed(stacks) => {
                for stack in stacks {
                    output::line(format_args!("{}: {}", stack.stack, stack.change));
                    for (name, value) in &stack.outputs {
                        output::line(format_args!("  {name} = {value}"));
                    }
                }
            }
            Outcome::Failed(error) => output::error_line(format_args!("error: {error}")),
            other => output::line(format_args!("{tenant}  {other}")),
        }
    }
}

/// Leaves no change set behind, however it ends.
async fn show_plans(
    placements: &[Placement],
    options: &Options,
    at_once: usize,
    progress: &Progress,
) -> Result<u8, Error> {
    let places: Vec<_> = placements.iter().map(|placement| (&placement.target, placement.tenants.as_slice())).collect();
    if let Some(sentence) = allowance::unknown(&places, &options.allow_replacement).await? {
        return Err(Error::Refused(sentence));
    }
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let replaced_or_removed = RefCell::new(BTreeSet::new());
    let count: usize = placements.iter().map(|placement| placement.tenants.len()).sum();
    let mut snapshot = Snapshot::default();
    if count > 1 && !options.force {
        for placement in placements {
            snapshot.extend(Snapshot::take(&placement.target).await?);
        }
    }
    let plan = async |target: &Target, tenant: &Assembly, progress: &Progress| {
        let plans = ferrostack_deploy::plan(target, tenant, options, &snapshot, progress).await?;
        replaced_or_removed.borrow_mut().extend(plans.iter().flat_map(StackPlan::replaced_or_removed));
        Ok(plans.iter().map(|plan| plan.text(color)).collect())
    };
    let result = tokio::select! {
        result = each(placements, at_once, progress, plan) => result,
        () = interrupted() => {
            progress.begin("interrupted: deleting the change sets", 0);
            Err(Error::Failed("interrupted; nothing was changed".to_owned()))
        }
    };
    if result.is_err() {
        let clear = async {
            for placement in placements {
                if let Err(error) = ferrostack_deploy::clear_plans(&placement.target).await {
                    progress.error(error);
                }
            }
        };
        tokio::select! {
            () = clear => {}
            () = interrupted() => progress.line("interrupted again; a change set may be left behind, which does no harm"),
        }
    }
    if result == Ok(0)
        && let Some(sentence) = allowance::unneeded(&options.allow_replacement, &replaced_or_removed.borrow())
    {
        progress.line(sentence);
    }
    result
}

/// Does the work for several tenants at once and prints the results in their order. A tenant that fails does not stop the others,
/// unless AWS rejects the caller.
async fn each(
    placements: &[Placement],
    at_once: usize,
    progress: &Progress,
    work: impl AsyncFn(&Target, &Assembly, &Progress) -> Result<Vec<String>, Error>,
) -> Result<u8, Error> {
    let mut tenants = Vec::new();
    for placement in placements {
        tenants.extend(placement.tenants.iter().map(|tenant| (&placement.target, tenant)));
    }
    let alone = tenants.len() == 1;
    let mut results = stream::iter(tenants)
        .map(async |(target, tenant)| match alone {
            true => work(target, tenant, progress).await,
            false => work(target, tenant, &progress.part(&tenant.tenant)).await,
        })
        .buffered(at_once);
    let mut failed = Vec::new();
    while let Some(result) = results.next().await {
        match result {
            Ok(lines) => {
                for line in lines {
                    progress.output(line);
                }
            }
            Err(error @ Error::Access(_)) => return Err(error),
            Err(error) => {
                progress.error(&error);
                failed.push(error);
            }
        }
    }
    Ok(exit_code_of(&failed))
}

/// Returns on Ctrl-C or SIGTERM.
async fn interrupted() {
    let Ok(mut ended) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        _ = ended.recv() => {}
    }
}
