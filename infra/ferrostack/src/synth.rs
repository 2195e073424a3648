//! From tenants to assemblies, and into their folders.

use anyhow::Result;
use cfn::{App, CloudAssembly, Finding, Severity, Stack};
use ferrostack_command::{Verbosity, output};
use stacks::{Environment, platform};

use crate::cli::{Check, Folder, Selection, Synth};
use crate::tenants::Project;
use crate::write::{self, Functions};

/// Writes the assemblies, or with `--check` compares them. Good if there are no errors and nothing is stale.
pub(crate) fn synth(project: &Project, options: &Synth, verbosity: Verbosity) -> Result<bool> {
    let assemblies = assemblies(project, &options.selection);
    if options.check {
        return check_all(assemblies, &options.folder, verbosity);
    }
    let mut functions = Functions::new(&options.lambdas);
    let mut good = true;
    for (name, assembly) in assemblies {
        print_findings(&assembly.findings, verbosity);
        if assembly.has_errors() {
            good = false;
            continue;
        }
        let (format, directory) = (options.folder.format(), options.folder.out.join(name));
        for written in write::write(&assembly, &functions.of(&assembly)?, format, &directory)? {
            if !verbosity.quiet {
                output::line(written);
            }
        }
    }
    if good && options.selection.is_everything() {
        functions.remove_unused(&options.folder.out)?;
    }
    if options.selection.platform() {
        write::remove_platforms_except(&platforms(project), &options.folder.out)?;
    }
    Ok(good)
}

/// Compares the assemblies with what is in their folders. Good if there are no errors and nothing is stale.
pub(crate) fn check(project: &Project, options: &Check, verbosity: Verbosity) -> Result<bool> {
    check_all(assemblies(project, &options.selection), &options.folder, verbosity)
}

fn check_all(
    assemblies: impl Iterator<Item = (String, CloudAssembly)>,
    folder: &Folder,
    verbosity: Verbosity,
) -> Result<bool> {
    let mut good = true;
    for (name, assembly) in assemblies {
        print_findings(&assembly.findings, verbosity);
        good &= !assembly.has_errors() && write::check(&assembly, folder.format(), &folder.out.join(name))?;
    }
    Ok(good)
}

/// Each assembly with the name of its folder. One at a time, because those of a fleet would take much memory.
pub(crate) fn assemblies(project: &Project, selection: &Selection) -> impl Iterator<Item = (String, CloudAssembly)> {
    let tenants = project.tenants.iter().map(|tenant| {
        // Which environments there are was checked when the file of the tenant was read.
        let environment = project.environments.of(tenant).ok().flatten();
        (tenant.tenancy.name.to_string(), assemble(tenant.stacks(), environment))
    });
    let platforms = if selection.platform() { platforms(project) } else { Vec::new() };
    let platforms =
        platforms.into_iter().map(|(folder, environment)| (folder, assemble(vec![platform::stack()], environment)));
    tenants.chain(platforms)
}

/// The folders of the platform's assemblies: one for each environment, or a single one if there are none.
pub(crate) fn platforms(project: &Project) -> Vec<(String, Option<&Environment>)> {
    let all = project.environments.all().map(|(name, environment)| (platform::folder_in(name), Some(environment)));
    let mut folders: Vec<_> = all.collect();
    if folders.is_empty() {
        folders.push((platform::FOLDER.to_owned(), None));
    }
    folders
}

/// Prints findings to standard error, with a blank line after each. Warnings are left out if the command is quiet.
pub(crate) fn print_findings(findings: &[Finding], verbosity: Verbosity) {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error || !verbosity.quiet) {
        output::error_text(format_args!("{finding}\n\n"));
    }
}

fn assemble(mut stacks: Vec<Stack>, environment: Option<&Environment>) -> CloudAssembly {
    if let Some(environment) = environment {
        stacks = stacks.into_iter().map(|stack| environment.place(stack)).collect();
    }
    App::default().stacks(stacks).checks(constructs::checks::ALL).synth()
}
