//! The mistakes that synth and the compiler find, next to the rules of cfn-lint; `docs/checks.md` is written from here.

mod resources;
mod rules;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use cfn::{App, Finding, Stack};

use crate::rules::{ELSEWHERE, RULES, Where, cfn_lint};
use crate::table::{MISTAKES, Mistake};

/// The only finding about a mistake; all of them, if there are several or none.
fn finding(mistake: &Mistake) -> Result<Finding, Vec<Finding>> {
    let mut stack = Stack::new("s");
    (mistake.plant)(&mut stack);
    let findings = App::default().stack(stack).checks(constructs::checks::ALL).synth().findings;
    <[Finding; 1]>::try_from(findings).map(|[finding]| finding)
}

/// What the author of a mistake reads.
fn message(mistake: &Mistake) -> String {
    let finding = finding(mistake).expect("the test below passes");
    let about = if finding.subject.is_empty() { String::new() } else { format!("{}: ", finding.subject) };
    let severity = if finding.is_error() { "" } else { "warning: " };
    // Long texts would fill the page, and a bar would end the cell.
    let message = format!("{severity}{about}{}", finding.message);
    let short =
        message.chars().take(240).collect::<String>() + if message.chars().count() > 240 { "\u{2026}" } else { "" };
    short.replace('|', "\\|")
}

#[test]
fn each_mistake_gives_one_finding() {
    let all: Vec<&Mistake> = MISTAKES.iter().flat_map(|(_, mistakes)| mistakes.iter()).collect();
    assert!(all.len() >= 40);
    let wrong = all.into_iter().filter_map(|mistake| Some((mistake.what, finding(mistake).err()?)));
    let wrong: Vec<String> = wrong
        .map(|(what, findings)| {
            let messages = findings.iter().map(|finding| format!("\n    {}: {}", finding.subject, finding.message));
            format!("{what}:{}", messages.collect::<String>())
        })
        .collect();
    assert!(wrong.is_empty(), "not exactly one finding:\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_of_cfn_lint_has_an_answer() {
    let planted = MISTAKES.iter().flat_map(|(_, mistakes)| mistakes.iter()).flat_map(|mistake| mistake.rules);
    let planted: BTreeSet<&str> = planted.copied().collect();
    let elsewhere: Vec<&str> = ELSEWHERE.iter().flat_map(|(_, rules)| rules.split_whitespace()).collect();
    let answered: BTreeSet<&str> = planted.iter().copied().chain(elsewhere.iter().copied()).collect();
    let known: BTreeSet<&str> = cfn_lint().map(|(id, _)| id).collect();
    assert_eq!(known.difference(&answered).collect::<Vec<_>>(), [&""; 0], "these rules have no answer");
    assert_eq!(answered.difference(&known).collect::<Vec<_>>(), [&""; 0], "cfn-lint has no such rules");
    let twice: Vec<&&str> = elsewhere.iter().filter(|id| planted.contains(**id)).collect();
    assert!(twice.is_empty(), "these rules have two answers: {twice:?}");
    assert_eq!(elsewhere.len() + planted.len(), known.len(), "a rule is listed twice");
}

#[test]
fn the_rules_are_those_of_the_pinned_version() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/gates.txt");
    let tools = std::fs::read_to_string(tools).expect("tests/tools/gates.txt");
    let pinned = tools.lines().find_map(|line| line.strip_prefix("cfn-lint==")).expect("cfn-lint is pinned");
    let version = pinned.split_whitespace().next().unwrap_or_default();
    assert_eq!(RULES.lines().next(), Some(format!("# cfn-lint {version}").as_str()), "list the rules again");
    assert!(page().contains(&format!("cfn-lint {version}")), "docs/checks.md names a different version");
}

#[test]
fn the_page_lists_every_mistake_and_every_rule() {
    let page = page();
    let (text, _) = page.split_once("## What synth finds\n").expect("the heading of the first table");
    let expected = text.to_owned() + &tables();
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(PAGE, expected).expect("the page can be written");
        return;
    }
    assert_eq!(page, expected, "run `UPDATE_TABLES=1 cargo test -p template-tests --test mistakes`");
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks.md");

fn page() -> String {
    std::fs::read_to_string(PAGE).expect("docs/checks.md")
}

fn tables() -> String {
    let mut text = "## What synth finds\n".to_owned();
    for (subject, mistakes) in MISTAKES {
        text += &format!("\n### {subject}\n\n| mistake | cfn-lint | finding |\n|---|---|---|\n");
        for mistake in *mistakes {
            text += &format!("| {} | {} | {} |\n", mistake.what, mistake.rules.join(", "), message(mistake));
        }
    }
    for place in [Where::Compiler, Where::NotApplicable, Where::Missed] {
        text += &format!("\n## {}\n\n| cfn-lint | reason |\n|---|---|\n", place.heading());
        for ((_, reason), rules) in ELSEWHERE.iter().filter(|((it, _), _)| *it == place) {
            let titles = rules.split_whitespace().map(|id| {
                let (_, title) = cfn_lint().find(|(known, _)| *known == id).expect("the rule exists");
                format!("{id} {title}")
            });
            text += &format!("| {} | {reason} |\n", titles.collect::<Vec<_>>().join("<br>"));
        }
    }
    text
}
