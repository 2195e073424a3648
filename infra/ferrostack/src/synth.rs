//! From tenants to assemblies, and into their folders.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Result;
use cfn::{App, CloudAssembly, Finding, Severity};
use ferrostack_command::{Verbosity, output};
use stacks::{Environment, Tenant, platform};
use time::OffsetDateTime;

use crate::cli::{Check, Folder, Selection, Synth};
use crate::parallel;
use crate::tenants::Project;
use crate::write::{self, Functions, Written};

/// Writes the assemblies, or with `--check` compares them. Good if there are no errors and nothing is stale.
pub(crate) fn synth(project: &Project, options: &Synth, verbosity: Verbosity) -> Result<bool> {
    if options.check {
        return check_all(project, &options.selection, &options.folder, verbosity);
    }
    let functions = Mutex::new(Functions::new(&options.lambdas));
    let write = |name: &str, assembly: &CloudAssembly| {
        if assembly.has_errors() {
            return Ok(None);
        }
        let built = functions.lock().expect("no thread panics while it reads zips").of(assembly)?;
        write::write(assembly, &built, options.folder.format(), &options.folder.out.join(name)).map(Some)
    };
    let mut good = true;
    each(project, &options.selection, write, |findings, written: Result<Option<Vec<Written>>>| {
        print_findings(&findings, verbosity);
        let written = written?;
        good &= written.is_some();
        for written in written.into_iter().flatten().filter(|_| !verbosity.quiet) {
            output::line(written);
        }
        Ok(())
    })?;
    let functions = functions.into_inner().expect("no thread panics while it reads zips");
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
    check_all(project, &options.selection, &options.folder, verbosity)
}

fn check_all(project: &Project, selection: &Selection, folder: &Folder, verbosity: Verbosity) -> Result<bool> {
    let compare = |name: &str, assembly: &CloudAssembly| {
        if assembly.has_errors() {
            return Ok(None);
        }
        write::stale(assembly, folder.format(), &folder.out.join(name)).map(Some)
    };
    let mut good = true;
    each(project, selection, compare, |findings, stale: Result<Option<BTreeSet<PathBuf>>>| {
        print_findings(&findings, verbosity);
        let stale = stale?;
        good &= stale.as_ref().is_some_and(BTreeSet::is_empty);
        for path in stale.into_iter().flatten() {
            output::error_line(format_args!("error: {} is stale; run `cargo run synth`", path.display()));
        }
        Ok(())
    })?;
    Ok(good)
}

/// Synthesizes each assembly and does `work` with it and the name of its folder, on all cores; takes findings and results in order.
fn each<R: Send>(
    project: &Project,
    selection: &Selection,
    work: impl Fn(&str, &CloudAssembly) -> R + Sync,
    mut take: impl FnMut(Vec<Finding>, R) -> Result<()>,
) -> Result<()> {
    let synthesize = |part: &Part<'_>| {
        let mut assembly = part.assembly();
        let result = work(&part.folder, &assembly);
        (mem::take(&mut assembly.findings), result)
    };
    parallel::in_order(&parts(project, selection), synthesize, |(findings, result)| take(findings, result))
}

/// Each assembly with the name of its folder. One at a time, because those of a fleet would take much memory.
pub(crate) fn assemblies(project: &Project, selection: &Selection) -> impl Iterator<Item = (String, CloudAssembly)> {
    parts(project, selection).into_iter().map(|part| (part.folder.clone(), part.assembly()))
}

/// One assembly that is to be synthesized.
struct Part<'a> {
    folder: String,
    /// The tenant, or none for the platform.
    tenant: Option<&'a Tenant>,
    environment: Option<&'a Environment>,
}

fn parts<'a>(project: &'a Project, selection: &Selection) -> Vec<Part<'a>> {
    let tenants = project.tenants.iter().map(|tenant| {
        // Which environments there are was checked when the file of the tenant was read.
        let environment = project.environments.of(tenant).ok().flatten();
        Part { folder: tenant.tenancy.name.to_string(), tenant: Some(tenant), environment }
    });
    let platforms = if selection.platform() { platforms(project) } else { Vec::new() };
    let platforms = platforms.into_iter().map(|(folder, environment)| Part { folder, tenant: None, environment });
    tenants.chain(platforms).collect()
}

impl Part<'_> {
    fn assembly(&self) -> CloudAssembly {
        let mut stacks = self.tenant.map_or_else(|| vec![platform::stack()], Tenant::stacks);
        if let Some(environment) = self.environment {
            stacks = stacks.into_iter().map(|stack| environment.place(stack)).collect();
        }
        let today = OffsetDateTime::now_utc().date().to_string();
        App::default().stacks(stacks).checks(constructs::checks::ALL).today(today).synth()
    }
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
