//! Help, which people read before anything else.

use crate::workspace::{Workspace, out};

/// The subcommands whose help this program writes itself.
const COMMANDS: &[&str] = &[
    "synth",
    "check",
    "list",
    "diff",
    "graph",
    "deploy",
    "status",
    "capacity",
    "destroy",
    "prepare",
    "package",
    "completions",
];

#[test]
fn help_groups_every_subcommand() {
    let help = help(&["--help"]);
    for command in COMMANDS.iter().chain(&["local", "athena"]) {
        let lines = help.lines().filter(|line| line.starts_with(&format!("  {command} "))).count();
        assert_eq!(lines, 1, "{command}: {help}");
    }
    for heading in ["Templates:", "AWS:", "Examples:", "Environment variables:", "Exit codes:"] {
        assert!(help.contains(heading), "{heading}: {help}");
    }
}

#[test]
fn help_of_the_deployer_needs_no_deployer() {
    for arguments in [&["deploy", "--help"][..], &["help", "deploy"], &["prepare", "deploy", "--help"]] {
        let help = help(arguments);
        for text in ["Usage: ferrostack deploy", "Safety:", "Speed:", "--allow-replacement", "Exit codes:"] {
            assert!(help.contains(text), "{text}: {help}");
        }
    }
}

#[test]
fn help_is_at_most_100_columns_wide() {
    for command in COMMANDS {
        let help = help(&["help", command]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    assert!(help(&["--help"]).lines().all(|line| line.chars().count() <= 100));
}

fn help(arguments: &[&str]) -> String {
    let output = Workspace::new(&[]).run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    out(&output)
}
