//! From tenants to assemblies, and into their folders.

use anyhow::Result;
use cfn::{App, CloudAssembly, Finding, Severity, Stack};
use ferrostack_command::{Verbosity, output};
use stacks::{Tenant, platform};

use crate::cli::{Check, Folder, Selection, Synth};
use crate::write::{self, Functions};

/// Writes the assemblies, or with `--check` compares them. Good if there are no errors and nothing is stale.
pub(crate) fn synth(tenants: &[Tenant], options: &Synth, verbosity: Verbosity) -> Result<bool> {
    let assemblies = assemblies(tenants, &options.selection);
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
    Ok(good)
}

/// Compares the assemblies with what is in their folders. Good if there are no errors and nothing is stale.
pub(crate) fn check(tenants: &[Tenant], options: &Check, verbosity: Verbosity) -> Result<bool> {
    check_all(assemblies(tenants, &options.selection), &options.folder, verbosity)
}

fn check_all<'a>(
    assemblies: impl Iterator<Item = (&'a str, CloudAssembly)>,
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
pub(crate) fn assemblies<'a>(
    tenants: &'a [Tenant],
    selection: &Selection,
) -> impl Iterator<Item = (&'a str, CloudAssembly)> {
    let platform = selection.platform().then_some(platform::FOLDER).into_iter();
    tenants
        .iter()
        .map(|tenant| (tenant.tenancy.name.as_str(), assemble(tenant.stacks())))
        .chain(platform.map(|folder| (folder, assemble(vec![platform::stack()]))))
}

/// Prints findings to standard error, with a blank line after each. Warnings are left out if the command is quiet.
pub(crate) fn print_findings(findings: &[Finding], verbosity: Verbosity) {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error || !verbosity.quiet) {
        output::error_text(format_args!("{finding}\n\n"));
    }
}

fn assemble(stacks: Vec<Stack>) -> CloudAssembly {
    App::default().stacks(stacks).checks(constructs::checks::ALL).synth()
}
