//! The pages that people read: every Rust block is compiled, every other block says what it is, every link leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README.md and all pages in docs/, with their paths from the root.
fn pages() -> Vec<(String, String)> {
    let mut paths = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned(), "ARCHITECTURE.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).expect("docs/ can be read") {
        let name = entry.expect("an entry of docs/").file_name().into_string().expect("a UTF-8 name");
        if name.ends_with(".md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(root().join(&path)).expect("a page"))).collect()
}

/// The labels of a page's fenced blocks, such as `rust` or `sh`, with their line numbers.
fn labels(page: &str) -> Vec<(usize, String)> {
    let mut labels = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        if let Some(label) = line.trim_start().strip_prefix("```") {
            if !inside {
                labels.push((index + 1, label.to_owned()));
            }
            inside = !inside;
        }
    }
    labels
}

/// A page without its fenced blocks.
fn without_blocks(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

#[test]
fn every_block_says_what_language_it_is_in() {
    for (path, page) in pages() {
        for (line, label) in labels(&page) {
            assert!(
                !label.is_empty(),
                "{path}:{line}: the block has no language; Rust would be compiled, so say `text`"
            );
        }
    }
}

/// A recipe whose blocks are whole files: `tests/roster` follows it in a copy of this workspace.
const FOLLOWED: &str = "docs/adding-a-system.md";

#[test]
fn every_page_with_rust_is_compiled() {
    let compiled = include_str!("lib.rs");
    for (path, page) in pages() {
        let has_rust = labels(&page).iter().any(|(_, label)| label.starts_with("rust"));
        assert!(
            !has_rust || path == FOLLOWED || compiled.contains(&format!("\"../../{path}\"")),
            "{path} has Rust blocks that nothing compiles; include it in tests/docs/lib.rs"
        );
    }
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    for (path, page) in pages() {
        let folder = root().join(&path).parent().expect("a folder").to_owned();
        for link in without_blocks(&page).split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
            assert!(!is_file || folder.join(target).exists(), "{path}: the link to {target} leads nowhere");
        }
    }
}

/// All sources in Rust of the folders with tests.
fn sources() -> String {
    let mut folders: Vec<PathBuf> = ["infra", "lambdas", "stacks", "tests"].map(|name| root().join(name)).into();
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            // Bindings are generated and have no tests.
            if path.is_dir() && !path.ends_with("infra/aws") && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(&path).expect("a source in UTF-8");
            }
        }
    }
    text
}

#[test]
fn every_test_that_the_page_about_security_names_exists() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let sources = sources();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4);
    let names = rows.flat_map(|row| row.rsplit('|').nth(1).unwrap_or_default().split(','));
    let names: Vec<&str> = names.filter_map(|name| name.trim().strip_prefix('`')?.strip_suffix('`')).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(
            sources.contains(&format!("fn {name}()")),
            "docs/security.md names the test {name}, which does not exist"
        );
    }
}
