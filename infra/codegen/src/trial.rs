//! The generator's trial: every existing resource type, generated and compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::config::Config;
use crate::generate::generate;
use crate::limits::Dropped;
use crate::patterns::{Pattern, portable};
use crate::sources::Sources;
use crate::specification::{Limits, Property, Specification};
use crate::{files, fixups};

/// Generates all types into `<target>/bindings-all`, runs `cargo check` there, and prints counts and times.
///
/// # Errors
///
/// If something cannot be generated, or does not compile.
pub fn run(config: &Config, sources: &mut Sources, infra: &Path) -> Result<()> {
    let started = Instant::now();
    let (mut specification, dropped) = sources.extract(config, &sources.resource_types())?;
    fixups::apply(&mut specification)?;
    let (generated, counts) = generate(&specification)?;
    let bytes: usize = generated.values().map(String::len).sum();
    println!(
        "generated in {:.1} s: {} files, {:.1} MB",
        started.elapsed().as_secs_f64(),
        generated.len(),
        megabytes(bytes)
    );
    println!(
        "{} types, {} property types, {} properties, {} attributes, {} enums with {} values, {} properties with limits",
        counts.types,
        counts.property_types,
        counts.properties,
        counts.attributes,
        counts.enums,
        counts.values,
        counts.constraints
    );
    report(&specification, &dropped);

    let folder = target(infra).join("bindings-all");
    files::write(&folder.join("src"), &generated, |_, text| text.starts_with("// @generated"))?;
    for name in ["schema.rs", "tag.rs"] {
        std::fs::copy(infra.join("aws/src").join(name), folder.join("src").join(name))?;
    }
    std::fs::write(folder.join("Cargo.toml"), manifest(infra)?)?;
    std::fs::copy(infra.join("../Cargo.lock"), folder.join("Cargo.lock"))?;
    compile(&folder)
}

/// Prints how many limits are checked, and each that is not, with the reason.
fn report(specification: &Specification, dropped: &[Dropped]) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, reason) in dropped {
        reasons.entry(reason).or_default().push(path);
    }
    for (reason, paths) in reasons {
        println!("not joined, {reason}: {} (for example {})", paths.len(), paths[0]);
    }
    let (mut lengths, mut ranges, mut counts, mut checked, mut allow_all) = (0, 0, 0, 0, 0);
    let mut unsupported: BTreeMap<&str, usize> = BTreeMap::new();
    each_limit(specification, &mut |limits| {
        lengths += usize::from(limits.min_length.or(limits.max_length).is_some());
        ranges += usize::from(limits.minimum.is_some() || limits.maximum.is_some() || !limits.numbers.is_empty());
        counts += usize::from(limits.min_items.or(limits.max_items).is_some() || limits.unique_items);
        match limits.pattern.as_deref().map(|pattern| (pattern, portable(pattern))) {
            Some((_, Pattern::Checked(_))) => checked += 1,
            Some((_, Pattern::AllowsAll)) => allow_all += 1,
            Some((pattern, Pattern::Unsupported)) => *unsupported.entry(pattern).or_default() += 1,
            None => {}
        }
    });
    println!("limits: {lengths} lengths, {ranges} ranges, {counts} item counts, {checked} patterns");
    let left_out: usize = unsupported.values().sum();
    println!("patterns left out: {allow_all} allow everything, {left_out} regex-lite does not run:");
    for (pattern, uses) in unsupported {
        println!("  {uses}x {pattern:?}");
    }
}

fn each_limit<'a>(specification: &'a Specification, visit: &mut dyn FnMut(&'a Limits)) {
    for resource in specification.resources.values() {
        let properties = [&resource.properties].into_iter().chain(resource.types.values());
        for Property { limits, .. } in properties.flat_map(|properties| properties.values()) {
            let mut limits = Some(limits);
            while let Some(own) = limits {
                visit(own);
                limits = own.items.as_deref();
            }
        }
    }
}

/// Compiles the crate's dependencies first, so that the printed time is the crate's own.
fn compile(folder: &Path) -> Result<()> {
    cargo(folder, &["check", "--quiet", "--package", "cfn"])?;
    let (before, started) = (children_cpu_seconds()?, Instant::now());
    cargo(folder, &["check", "--quiet"])?;
    let cpu = children_cpu_seconds()? - before;
    println!("cargo check: {cpu:.1} CPU seconds, {:.1} s elapsed", started.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the generated code in {} does not compile", folder.display());
    Ok(())
}

/// User and system time of all child processes that have ended, from the kernel; zero without /proc.
fn children_cpu_seconds() -> Result<f64> {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return Ok(0.0) };
    // The second field is the command in brackets and may contain spaces; cutime and cstime are fields 16 and 17.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| {
        fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).context("/proc/self/stat has an unknown format")
    };
    // Linux reports in ticks of 1/100 s on every architecture it shares with Rust's tier 1.
    Ok((ticks(13)? + ticks(14)?) / 100.0)
}

fn target(infra: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| infra.join("../target"), PathBuf::from)
}

fn manifest(infra: &Path) -> Result<String> {
    let cfn = infra.join("cfn").canonicalize()?;
    Ok(format!(
        "[package]\nname = \"bindings-all\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [dependencies]\ncfn = {{ path = {cfn:?} }}\n"
    ))
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
