//! docs/answers.md: the tables of all functions in one page, answers with the same outcome in one row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/answers.md";

const INTRODUCTION: &str = "# What becomes of the work after each answer of a service

Each function is called while one service gives one of 64 answers to one of its calls: error codes with their statuses, statuses
without a code, pages of a proxy, redirects, connections that break before or after the effect, and signatures that are refused
because of the clock. The tests of each function state the outcome in the `ANSWERS.md` next to it. This page has the same outcomes, with
all answers that lead to one in one row.

An outcome is *unknown* only if there was no answer, or a server error without a reason; see
[how answers are sorted](../lambdas/shared/function/README.md#an-answer-is-sorted-by-what-it-proves). Written by the tests:
`UPDATE_TABLES=1 cargo test`.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One row of a function's table.
struct Row {
    /// Service and operation.
    call: String,
    answer: String,
    outcome: String,
}

/// A function's table.
struct Table {
    /// The function's name, or those of all that it is about.
    functions: String,
    /// What its outcomes say, such as `what becomes of the job`.
    question: String,
    rows: Vec<Row>,
}

/// All functions' tables by their paths.
fn tables() -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let mut folders = vec![root().join("lambdas")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path.ends_with("ANSWERS.md") {
                let text = fs::read_to_string(&path).expect("a table is text");
                let relative = path.strip_prefix(root()).expect("a path below the root").display().to_string();
                tables.insert(relative, Table::read(&text, &package(&folder)));
            }
        }
    }
    tables
}

/// The name of the package in a folder.
fn package(folder: &Path) -> String {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a table is next to its package");
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.expect("a package has a name").to_owned()
}

impl Table {
    fn read(text: &str, package: &str) -> Table {
        let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a table has a title");
        let (functions, question) = title.split_once(": ").unwrap_or((package, title));
        let question =
            question.strip_prefix("one answer of a service, ").unwrap_or(question).trim_start_matches("and ");
        let row = |line: &str| {
            let (name, outcome) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
            let (call, answer) = name.split_once(": ")?;
            let call = call.trim_start_matches("of ").to_owned();
            Some(Row { call, answer: answer.to_owned(), outcome: outcome.to_owned() })
        };
        let rows = text.lines().filter_map(row).collect();
        Table { functions: functions.to_owned(), question: uncapitalized(question), rows }
    }

    /// The table as a section of the page.
    fn section(&self, path: &str) -> String {
        let Table { functions, question, rows } = self;
        let mut section = format!("\n## {functions}\n\n[The table](../{path}) says {question}.\n");
        let mut calls: Vec<&str> = rows.iter().map(|row| row.call.as_str()).collect();
        calls.dedup();
        for call in calls {
            section.push_str(&format!("\n### {functions}: {call}\n\n| outcome | answers |\n|---|---|\n"));
            let of_call: Vec<&Row> = rows.iter().filter(|row| row.call == call).collect();
            for (outcome, answers) in outcomes(&of_call) {
                section.push_str(&format!("| {outcome} | {answers} |\n"));
            }
        }
        section
    }
}

fn uncapitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_ascii_lowercase() + rest
}

/// Each outcome with its answers, the rarest first. Of the last one only the number of answers is said if they are the majority.
fn outcomes<'a>(rows: &[&'a Row]) -> Vec<(&'a str, String)> {
    let mut outcomes: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        match outcomes.iter_mut().find(|(outcome, _)| *outcome == row.outcome) {
            Some((_, answers)) => answers.push(&row.answer),
            None => outcomes.push((&row.outcome, vec![&row.answer])),
        }
    }
    outcomes.sort_by_key(|(_, answers)| answers.len());
    let last = outcomes.len() - 1;
    let shown = |(number, (outcome, answers)): (usize, (&'a str, Vec<&str>))| {
        let shown = match answers.len() {
            all if last == 0 => format!("all {all}"),
            most if number == last && most > rows.len() / 2 => format!("the {most} others"),
            _ => answers.join("; "),
        };
        (outcome, shown)
    };
    outcomes.into_iter().enumerate().map(shown).collect()
}

#[test]
fn the_page_has_the_outcomes_of_all_functions() {
    let mut page = INTRODUCTION.to_owned();
    for (path, table) in tables() {
        page.push_str(&table.section(&path));
    }
    let path = root().join(PAGE);
    if std::env::var_os("UPDATE_TABLES").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{PAGE} is out of date; run `UPDATE_TABLES=1 cargo test --test answers`");
}

#[test]
fn each_function_that_calls_a_service_has_a_table() {
    let tables = tables();
    for function in functions() {
        let has_table = tables.values().any(|table| table.functions.split(" and ").any(|named| named == function));
        assert!(has_table, "no ANSWERS.md is about {function}, which depends on a client of a service");
    }
    for (path, table) in tables {
        assert!(table.rows.len() >= 60, "{path} has only {} rows", table.rows.len());
    }
}

/// The packages of functions that have an SDK or an HTTP client among their own dependencies, or a library of ours that has.
fn functions() -> Vec<String> {
    let mut found = Vec::new();
    for system in fs::read_dir(root().join("lambdas")).expect("a folder can be read") {
        let system = system.expect("an entry of a folder").path();
        for function in fs::read_dir(&system).into_iter().flatten() {
            let folder = function.expect("an entry of a folder").path();
            let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
            let calls = ["aws-sdk-", "reqwest", "redshift.", "report-queue.", "queries.", "warehouse-setup."];
            let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
            let dependencies = dependencies.split("\n[").next().unwrap_or_default();
            let is_called = dependencies.lines().any(|line| calls.iter().any(|call| line.starts_with(call)));
            if is_called && folder.join("src/main.rs").exists() {
                found.push(package(&folder));
            }
        }
    }
    found
}

#[test]
fn an_outcome_is_unknown_only_if_there_was_no_answer_or_no_reason() {
    for (path, table) in tables() {
        for Row { call, answer, outcome } in table.rows {
            let has_no_reason = ["500 ", "501 ", "502 ", "503 ", "504 ", "529 "].iter().any(|status| {
                answer.starts_with(status) && !answer.contains("Unavailable") && !answer.contains("SlowDown")
            });
            let is_no_answer =
                ["connection reset", "no answer", "half an answer", "200 "].iter().any(|how| answer.starts_with(how));
            let is_unknown = outcome.to_ascii_lowercase().contains("unknown");
            assert!(!is_unknown || has_no_reason || is_no_answer, "{path}: {call}, {answer} is {outcome}");
        }
    }
}
