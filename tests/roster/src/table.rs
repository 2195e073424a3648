//! The tables of systems in README.md and docs/README.md.

use std::path::Path;

use stacks::System;

use crate::read;

/// Rows that are missing or that no system has.
pub(crate) fn differences(root: &Path, systems: &[System]) -> Vec<String> {
    [("README.md", "docs/"), ("docs/README.md", "")]
        .into_iter()
        .flat_map(|(document, folder)| {
            let text = read(root, document);
            let rows: Vec<&str> = rows(&text).collect();
            let expected: Vec<(&str, String)> =
                systems.iter().map(|system| (system.name, row(system, folder))).collect();
            let missing = expected.iter().filter(|(_, row)| !rows.contains(&row.as_str()));
            let missing: Vec<String> = missing
                .map(|(name, row)| format!("{name}: the table of systems in {document} needs this row:\n{row}"))
                .collect();
            let strange = rows.iter().filter(|row| expected.iter().all(|(_, wanted)| wanted != *row));
            let strange = strange.map(|row| format!("{document} has a row that does not match the roster:\n{row}"));
            missing.into_iter().chain(strange).collect::<Vec<_>>()
        })
        .collect()
}

/// The row of a system in a document, seen from which `folder` has the systems' pages.
fn row(system: &System, folder: &str) -> String {
    format!("| [{}]({folder}{}.md) | {} |", system.title, system.name, system.summary)
}

/// The rows below the head of the table.
fn rows(document: &str) -> impl Iterator<Item = &str> {
    document
        .lines()
        .skip_while(|line| *line != "| system | what its users get |")
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .filter(|line| !line.starts_with("|--"))
}
