//! What comes before `deploy`, `status` and `destroy` in the repository: a synth, and for `deploy` also built functions.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::stderr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cfn::Format;
use clap::Parser;
use ferrostack_command::{DeployerArguments, DeployerCommand, Verbosity, output};
use stacks::platform;

use crate::cli::{Prepare, Selection, lambdas};
use crate::delegate::{self, DEPLOYER};
use crate::tenants::Project;
use crate::{FAILED, synth, tenants, write};

/// Prepares the command and becomes it.
pub(crate) fn run(prepare: &Prepare, verbosity: Verbosity) -> Result<u8> {
    let words = [OsString::from("ferrostack")].into_iter().chain(prepare.command.iter().cloned());
    let DeployerArguments { command, verbosity: own } = DeployerArguments::parse_from(words);
    let verbosity = Verbosity { verbose: verbosity.verbose || own.verbose, quiet: verbosity.quiet || own.quiet };
    let mut arguments = prepare.command.clone();
    if let Some(selection) = selection(&command, prepare) {
        let project = match tenants::load(&selection, verbosity)? {
            Ok(project) => project,
            Err(error) => {
                output::error_line(error);
                return Ok(FAILED);
            }
        };
        let architectures = architectures(&project, &selection, verbosity)?;
        let out = match &command {
            DeployerCommand::Deploy(deploy) => {
                if deploy.all {
                    arguments = with_names(&arguments, &project);
                }
                // Bad credentials are reported before functions are built, which takes minutes.
                let shows = own.verbose || own.quiet;
                let options = if shows { &["--preflight"][..] } else { &["--preflight", "--quiet"] };
                let preflight = delegate::run(DEPLOYER, with_options(&arguments, options), verbosity)?;
                if !preflight.success() {
                    return Ok(preflight.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED));
                }
                if let Some(program) = &prepare.build {
                    build(program, &architectures)?;
                }
                &deploy.environment.out
            }
            DeployerCommand::Status(status) => &status.environment.out,
            DeployerCommand::Destroy(destroy) => &destroy.environment.out,
        };
        write(&project, &selection, out)?;
    }
    let mut passed_on = Vec::new();
    if verbosity.verbose && !own.verbose {
        passed_on.push("--verbose");
    }
    if verbosity.quiet && !own.quiet {
        passed_on.push("--quiet");
    }
    delegate::exec(DEPLOYER, with_options(&arguments, &passed_on), verbosity)
}

/// What to synthesize. Nothing for a tenant to be destroyed whose file is gone: its stacks are found by their names and tags.
fn selection(command: &DeployerCommand, prepare: &Prepare) -> Option<Selection> {
    let names = match command {
        DeployerCommand::Deploy(deploy) if deploy.bootstrap => vec![platform::FOLDER.to_owned()],
        // Without names, every tenant that has a file: the folder of assemblies may also hold one of a tenant whose file is gone.
        DeployerCommand::Deploy(deploy) => deploy.tenants.clone(),
        DeployerCommand::Status(status) => status.tenants.clone(),
        DeployerCommand::Destroy(destroy) => {
            let file = prepare.tenants.join(format!("{}.yaml", destroy.tenant));
            let known = platform::is_folder(&destroy.tenant) || file.exists();
            if !known {
                return None;
            }
            vec![destroy.tenant.clone()]
        }
    };
    Some(Selection { names, tenants: prepare.tenants.clone(), environments: prepare.environments.clone() })
}

/// The architectures that the functions of these tenants need. Nothing is deployed if a stack has errors.
fn architectures(project: &Project, selection: &Selection, verbosity: Verbosity) -> Result<BTreeSet<String>> {
    let mut architectures = BTreeSet::new();
    let mut good = true;
    for (_, assembly) in synth::assemblies(project, selection) {
        synth::print_findings(&assembly.findings, verbosity);
        good &= !assembly.has_errors();
        let assets = assembly.stacks.iter().flat_map(|stack| &stack.assets);
        architectures.extend(assets.map(|asset| asset.architecture.clone()));
    }
    if !good {
        bail!("the command was not run, because of the errors above");
    }
    Ok(architectures)
}

/// Replaces `--all` by the names of the tenants.
fn with_names(arguments: &[OsString], project: &Project) -> Vec<OsString> {
    let names = project.tenants.iter().map(|tenant| OsString::from(tenant.tenancy.name.as_str()));
    arguments.iter().filter(|argument| *argument != "--all").cloned().chain(names).collect()
}

/// Adds options directly after the name of the subcommand, because an argument `--` may follow.
fn with_options(arguments: &[OsString], options: &[&str]) -> impl Iterator<Item = OsString> {
    let (name, others) = arguments.split_at(1);
    name.iter().cloned().chain(options.iter().map(OsString::from)).chain(others.iter().cloned())
}

/// The program's output goes to standard error: standard output is for the results of the deployment.
fn build(program: &Path, architectures: &BTreeSet<String>) -> Result<()> {
    for architecture in architectures {
        let status = Command::new(program).arg("--arch").arg(architecture).stdout(stderr()).status();
        let status = status.with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(status.success(), "{} --arch {architecture} failed", program.display());
    }
    Ok(())
}

fn write(project: &Project, selection: &Selection, out: &Path) -> Result<()> {
    let mut functions = write::Functions::new(&lambdas());
    for (folder, assembly) in synth::assemblies(project, selection) {
        write::write(&assembly, &functions.of(&assembly)?, Format::Json, &out.join(folder))?;
    }
    if selection.platform() {
        write::remove_platforms_except(&synth::platforms(project), out)?;
    }
    Ok(())
}
