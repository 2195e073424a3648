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
