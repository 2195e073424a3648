//! `ferrostack`: tenant files become stacks, and stacks become templates in `cfn-out/`.
//!
//! Everything that needs the AWS SDK is a separate program, so that a synth does not wait for the SDK to be compiled: see `delegate`.

mod cli;
mod completions;
mod delegate;
mod diff;
mod folder;
mod graph;
mod list;
mod package;
mod parallel;
mod prepare;
mod schemas;
mod synth;
mod tenants;
mod write;

use std::process::ExitCode;

use anyhow::{Error, Result};
use cli::{Cli, Command, Selection};
use delegate::{ATHENA, DEPLOYER, LOCAL};
use ferrostack_command::{Verbosity, output};
use tenants::Project;

/// Exit code if everything is good.
const GOOD: u8 = 0;
/// Exit code if a tenant file or a stack has a mistake, or a template is stale.
const FINDINGS: u8 = 1;
/// Exit code if the command could not be carried out.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let Cli { verbosity, command } = cli::parse();
    let result = run(command, verbosity);
    let printed = output::finish().map_err(Error::msg);
    match printed.and(result) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error_line(format_args!("error: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command, verbosity: Verbosity) -> Result<u8> {
    match command {
        Command::Synth(options) => {
            with_tenants(&options.selection, verbosity, |project| synth::synth(project, &options, verbosity))
        }
        Command::Check(options) => {
            with_tenants(&options.selection, verbosity, |project| synth::check(project, &options, verbosity))
        }
        Command::List(selection) => with_tenants(&selection, verbosity, |project| Ok(list::print(project))),
        Command::Diff(options) => with_tenants(&options.selection, verbosity, |project| {
            diff::print(synth::assemblies(project, &options.selection), &options.out, verbosity)
        }),
        Command::Graph(options) => {
            with_tenants(&options.selection, verbosity, |project| graph::draw(project, &options, verbosity))
        }
        Command::Package { lambdas } => package::run(&lambdas, verbosity),
        Command::Completions { shell } => Ok(completions::print(shell)),
        Command::Prepare(options) => prepare::run(&options, verbosity),
        // These programs read all arguments themselves, in the words of the caller.
        Command::Deployer(_) => delegate::exec(DEPLOYER, std::env::args_os().skip(1), verbosity),
        Command::Local(_) => delegate::exec(LOCAL, delegate::arguments_after("local"), verbosity),
        Command::Athena(_) => delegate::exec(ATHENA, delegate::arguments_after("athena"), verbosity),
    }
}

/// Reads every file before anything is done, so that nothing is written if one tenant file has a mistake.
fn with_tenants(
    selection: &Selection,
    verbosity: Verbosity,
    work: impl FnOnce(&Project) -> Result<bool>,
) -> Result<u8> {
    match tenants::load(selection, verbosity)? {
        Ok(project) => Ok(if work(&project)? { GOOD } else { FINDINGS }),
        Err(error) => {
            output::error_line(error);
            Ok(FINDINGS)
        }
    }
}
