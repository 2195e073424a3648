//! Tenant files -> stacks -> templates -> `cfn-out/`; `scripts/deploy` takes it from there.

mod cli;
mod diff;
mod package;
mod report;
mod tenants;
mod write;

use anyhow::Result;
use cfn::{App, CloudAssembly};
use clap::Parser;
use cli::{Cli, Command, Selection, Synth};
use stacks::{Tenant, platform};
use std::process::ExitCode;

/// Exit status when a tenant file or a stack is not right, or `--check` found a stale file.
const FINDINGS: u8 = 1;
/// Exit status when the command itself could not be carried out.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match run(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FINDINGS),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Whether there was nothing to find.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Synth(options) => with_tenants(&options.selection, |it| synth(it, &options)),
        Command::List(selection) => with_tenants(&selection, |it| Ok(report::list(it))),
        Command::Diff(options) => with_tenants(&options.selection, |it| diff::show(it, &options.out)),
        Command::Package { lambdas } => Ok(report::packages(&package::package(&lambdas)?)),
    }
}

/// Every file is read before anything is done: one mistake in a tenant file, and nothing is written.
fn with_tenants(selection: &Selection, work: impl FnOnce(&[Tenant]) -> Result<bool>) -> Result<bool> {
    match tenants::load(selection)? {
        Ok(tenants) => work(&tenants),
        Err(error) => {
            eprintln!("{error}");
            Ok(false)
        }
    }
}

fn synth(tenants: &[Tenant], options: &Synth) -> Result<bool> {
    let mut functions = write::Functions::new(&options.lambdas);
    let mut good = true;
    for tenant in tenants {
        good &= put(&assemble(tenant), &mut functions, options, tenant.tenant.as_str())?;
    }
    if options.selection.platform() {
        let assembly = App::default().stack(platform::stack()).checks(constructs::checks::ALL).synth();
        good &= put(&assembly, &mut functions, options, platform::FOLDER)?;
    }
    Ok(good)
}

/// Writes one assembly into its folder, or checks what lies there.
fn put(assembly: &CloudAssembly, functions: &mut write::Functions, options: &Synth, folder: &str) -> Result<bool> {
    report::findings(&assembly.findings);
    if assembly.has_errors() {
        return Ok(false);
    }
    let directory = options.out.join(folder);
    if options.check {
        return write::check(assembly, options.format(), &directory);
    }
    write::write(assembly, &functions.of(assembly)?, options.format(), &directory)
}

fn assemble(tenant: &Tenant) -> CloudAssembly {
    App::default().stacks(tenant.stacks()).checks(constructs::checks::ALL).synth()
}
