//! A change to one system is a change in files and folders that carry its name, plus one line in the roster.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use stacks::SYSTEMS;

/// The files that name systems without carrying the name of one, and what keeps each of them correct.
const LISTS: [(&str, &str); 7] = [
    ("stacks/lib.rs", "the roster"),
    ("stacks/tenants/example.yaml", "the example of a tenant, compared with the roster"),
    ("README.md", "a table, compared with the roster"),
    ("docs/README.md", "a table, compared with the roster"),
    ("docs/security.md", "a table of tests, which tests/docs looks for"),
    ("docs/unverified.md", "a section per system, to which each system's page links"),
    ("Cargo.toml", "paths of libraries and profiles, which Cargo checks"),
];

/// What no one edits for the sake of a system: Cargo's own file, and past changes.
const RECORDS: [&str; 2] = ["Cargo.lock", "CHANGELOG.md"];

#[test]
fn a_system_is_named_only_in_its_own_files_and_in_lists() {
    let mut elsewhere: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in tracked_files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for system in SYSTEMS {
            let forms = forms(system.name);
            let is_named = |text: &str| forms.iter().any(|form| text.contains(form.as_str()));
            if is_named(&text) && !is_named(&path) {
                elsewhere.entry(path.clone()).or_default().push(system.name);
            }
        }
    }
    let allowed = |path: &str| LISTS.iter().any(|(list, _)| *list == path) || RECORDS.contains(&path);
    let strange: Vec<String> = elsewhere
        .iter()
        .filter(|(path, _)| !allowed(path))
        .map(|(path, systems)| format!("{path} names {}", systems.join(", ")))
        .collect();
    assert!(
        strange.is_empty(),
        "\n{}\n\nMove what is about one system into a file or folder with its name, or derive it from the roster.",
        strange.join("\n")
    );
}

/// `two-words` as a name, a module and a type. Words in prose, such as "Slack", may mean something else.
fn forms(name: &str) -> [String; 3] {
    let type_name = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    [name.to_owned(), name.replace('-', "_"), type_name]
}

fn tracked_files() -> Vec<String> {
    let mut git = Command::new("git");
    // New files count before they are committed.
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let output = git.output().unwrap_or_else(|error| panic!("this test needs git to list the files: {error}"));
    assert!(output.status.success(), "this test needs a git checkout: {}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).expect("paths in the repository are UTF-8");
    list.split_terminator('\0').map(str::to_owned).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
