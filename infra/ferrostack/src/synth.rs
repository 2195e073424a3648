//! From tenants to assemblies, and into their folders.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Result;
use cfn::{App, CloudAssembly, Finding, Severity, Stack};
use ferrostack_command::{Verbosity, output};
use stacks::{Tenant, platform};
use time::OffsetDateTime;

use crate::cli::{Check, Folder, Selection, Synth};
use crate::parallel;
use crate::write::{self, Functions, Written};

/// Writes the assemblies, or with `--check` compares them. Good if there are no errors and nothing is stale.
pub(crate) fn synth(tenants: &[Tenant], options: &Synth, verbosity: Verbosity) -> Result<bool> {
    if options.check {
        return check_all(tenants, &options.selection, &options.folder, verbosity);
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
    each(tenants, &options.selection, write, |findings, written: Result<Option<Vec<Written>>>| {
        print_findings(&findings, verbosity);
        let written = written?;
        good &= written.is_some();
        for written in written.into_iter().flatten().filter(|_| !verbosity.quiet) {
            output::line(written);
        }
        Ok(())
    })?;
    Ok(good)
}

/// Compares the assemblies with what is in their folders. Good if there are no errors and nothing is stale.
pub(crate) fn check(tenants: &[Tenant], options: &Check, verbosity: Verbosity) -> Result<bool> {
    check_all(tenants, &options.selection, &options.folder, verbosity)
}

fn check_all(tenants: &[Tenant], selection: &Selection, folder: &Folder, verbosity: Verbosity) -> Result<bool> {
    let compare = |name: &str, assembly: &CloudAssembly| {
        if assembly.has_errors() {
            return Ok(None);
        }
        write::stale(assembly, folder.format(), &folder.out.join(name)).map(Some)
    };
    let mut good = true;
    each(tenants, selection, compare, |findings, stale: Result<Option<BTreeSet<PathBuf>>>| {
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
    tenants: &[Tenant],
    selection: &Selection,
    work: impl Fn(&str, &CloudAssembly) -> R + Sync,
    mut take: impl FnMut(Vec<Finding>, R) -> Result<()>,
) -> Result<()> {
    let platform = selection.platform().then_some(None);
    let folders: Vec<Option<&Tenant>> = tenants.iter().map(Some).chain(platform).collect();
    let synthesize = |tenant: &Option<&Tenant>| {
        let (name, mut assembly) = assembly(*tenant);
        let result = work(name, &assembly);
        (mem::take(&mut assembly.findings), result)
    };
    parallel::in_order(&folders, synthesize, |(findings, result)| take(findings, result))
}

/// Each assembly with the name of its folder. One at a time, because those of a fleet would take much memory.
pub(crate) fn assemblies<'a>(
    tenants: &'a [Tenant],
    selection: &Selection,
) -> impl Iterator<Item = (&'a str, CloudAssembly)> {
    let platform = selection.platform().then_some(None);
    tenants.iter().map(Some).chain(platform).map(assembly)
}

/// The assembly of a tenant, or that of the platform, with the name of its folder.
fn assembly(tenant: Option<&Tenant>) -> (&str, CloudAssembly) {
    match tenant {
        Some(tenant) => (tenant.tenancy.name.as_str(), assemble(tenant.stacks())),
        None => (platform::FOLDER, assemble(vec![platform::stack()])),
    }
}

/// Prints findings to standard error, with a blank line after each. Warnings are left out if the command is quiet.
pub(crate) fn print_findings(findings: &[Finding], verbosity: Verbosity) {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error || !verbosity.quiet) {
        output::error_text(format_args!("{finding}\n\n"));
    }
}

fn assemble(stacks: Vec<Stack>) -> CloudAssembly {
    let today = OffsetDateTime::now_utc().date().to_string();
    App::default().stacks(stacks).checks(constructs::checks::ALL).today(today).synth()
}
