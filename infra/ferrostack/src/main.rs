//! Tenant files -> stacks -> templates -> `cfn-out/`; `scripts/deploy` takes it from there.

mod cli;
mod diff;
mod folder;
mod package;
mod report;
mod tenants;
mod write;

use anyhow::Result;
use cfn::{App, CloudAssembly, Stack};
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
        Command::Diff(options) => {
            with_tenants(&options.selection, |it| diff::show(assemblies(it, &options.selection), &options.out))
        }
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
    for (folder, assembly) in assemblies(tenants, &options.selection) {
        good &= write_or_check(&assembly, &mut functions, options, folder)?;
    }
    Ok(good)
}

/// Each assembly with the name of its folder; one at a time, since a fleet's would take much memory.
fn assemblies<'a>(tenants: &'a [Tenant], selection: &Selection) -> impl Iterator<Item = (&'a str, CloudAssembly)> {
    let platform = selection.platform().then_some(platform::FOLDER).into_iter();
    tenants
        .iter()
        .map(|it| (it.tenancy.name.as_str(), assemble(it.stacks())))
        .chain(platform.map(|folder| (folder, assemble(vec![platform::stack()]))))
}

fn assemble(stacks: Vec<Stack>) -> CloudAssembly {
    App::default().stacks(stacks).checks(constructs::checks::ALL).synth()
}

/// Writes one assembly into its folder, or checks what lies there.
fn write_or_check(
    assembly: &CloudAssembly,
    functions: &mut write::Functions,
    options: &Synth,
    folder: &str,
) -> Result<bool> {
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
