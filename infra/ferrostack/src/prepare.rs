//! What comes before `deploy`, `status` and `destroy` in the repository: a synth, and for `deploy` also built functions.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::stderr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
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
        let (out, deploy) = match &command {
            DeployerCommand::Deploy(deploy) => (&deploy.connection.out, Some(deploy)),
            DeployerCommand::Status(status) => (&status.connection.out, None),
            DeployerCommand::Destroy(destroy) => (&destroy.connection.out, None),
        };
        let synthesized = Synthesized::write(&project, &selection, out, verbosity)?;
        if let Some(deploy) = deploy {
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
                build(program, &synthesized.architectures)?;
                if synthesized.functions.have_changed()? {
                    Synthesized::write(&project, &selection, out, verbosity)?;
                }
            }
        }
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

/// What was written, and what it was made from.
struct Synthesized {
    /// The architectures that the functions need.
    architectures: BTreeSet<String>,
    functions: write::Functions,
}

impl Synthesized {
    /// Writes the assemblies.
    ///
    /// # Errors
    ///
    /// If a stack has errors, which are printed: then nothing is deployed.
    fn write(project: &Project, selection: &Selection, out: &Path, verbosity: Verbosity) -> Result<Self> {
        let mut this = Self { architectures: BTreeSet::new(), functions: write::Functions::new(&lambdas()) };
        let mut good = true;
        for (folder, assembly) in synth::assemblies(project, selection) {
            synth::print_findings(&assembly.findings, verbosity);
            if assembly.has_errors() {
                good = false;
                continue;
            }
            let assets = assembly.stacks.iter().flat_map(|stack| &stack.assets);
            this.architectures.extend(assets.map(|asset| asset.architecture.clone()));
            write::write(&assembly, &this.functions.of(&assembly)?, Format::Json, &out.join(folder))?;
        }
        if good && selection.is_everything() {
            this.functions.remove_unused(out)?;
        }
        if selection.platform() {
            write::remove_platforms_except(&synth::platforms(project), out)?;
        }
        ensure!(good, "the command was not run, because of the errors above");
        Ok(this)
    }
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
