//! Compares a checkout of the repository with a list of systems.

mod stray;
mod table;

use std::fs;
use std::path::Path;

use stacks::System;

/// What is missing or superfluous in the checkout at `root` for these systems. Each sentence names the system, and the path that
/// has to be written or removed. Nothing is compiled.
pub fn problems(root: &Path, systems: &[System]) -> Vec<String> {
    let mut problems: Vec<String> = systems.iter().flat_map(|system| missing(root, system)).collect();
    problems.extend(stray::folders(root, systems));
    problems.extend(stray::documents(root));
    problems.extend(table::differences(root, systems));
    problems.extend(example_keys(root, systems));
    problems
}

/// What a system does not have.
fn missing(root: &Path, system: &System) -> Vec<String> {
    let (name, module) = (system.name, system.module());
    let mut problems: Vec<String> = [
        (format!("lambdas/{name}/wiring/Cargo.toml"), "the check of its functions' environment variables"),
        (format!("stacks/{module}/mod.rs"), "its stack"),
        (format!("stacks/{module}/tenants/least.yaml"), "a tenant with every option off, for scripts/check"),
        (format!("stacks/{module}/tenants/options.yaml"), "a tenant with every option on, for scripts/check"),
        (format!("tests/templates/tests/{module}/main.rs"), "the tests of its template"),
        (format!("infra/local/src/{module}/mod.rs"), "its exercise on this machine"),
        (format!("infra/local/src/{module}/tenant.yaml"), "its settings on this machine"),
        (format!("docs/{name}.md"), "its page for operators"),
        (format!("cfn-out/example/example-{name}.template.json"), "its template; `cargo run synth` writes it"),
    ]
    .into_iter()
    .filter(|(path, _)| !root.join(path).is_file())
    .map(|(path, what)| format!("{name}: {path} is missing: {what}"))
    .collect();
    if functions(&root.join("lambdas").join(name)) == 0 {
        problems.push(format!("{name}: lambdas/{name}/ has no function, a crate with src/main.rs"));
    }
    problems
}

fn functions(folder: &Path) -> usize {
    subfolders(folder).iter().filter(|name| folder.join(name).join("src/main.rs").is_file()).count()
}

/// The example tenant has every system, and no others.
fn example_keys(root: &Path, systems: &[System]) -> Vec<String> {
    const PATH: &str = "stacks/tenants/example.yaml";
    let example = read(root, PATH);
    let keys: Vec<&str> = example
        .lines()
        .skip_while(|line| *line != "systems:")
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|key| !key.starts_with([' ', '#']))
        .collect();
    let missing = systems.iter().filter(|system| !keys.contains(&system.name));
    let missing = missing.map(|system| format!("{0}: {PATH} has no settings below `  {0}:`", system.name));
    let unknown = keys.iter().filter(|key| systems.iter().all(|system| system.name != **key));
    missing.chain(unknown.map(|name| format!("{name}: {PATH} has this key, but the roster does not"))).collect()
}

/// The text of a file, empty if there is none.
fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}

/// The names of the folders in a folder, in order.
fn subfolders(folder: &Path) -> Vec<String> {
    names(folder, |path| path.is_dir())
}

/// The names of the entries in a folder that `keep` accepts, in order; none if there is no such folder.
fn names(folder: &Path, keep: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter(|entry| keep(&entry.path())).filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
