//! Completion scripts.

use std::process::Command;

use crate::workspace::{Workspace, out};

#[test]
fn completions_know_the_subcommands_and_the_options_of_the_deployer() {
    for shell in ["bash", "zsh", "fish"] {
        let script = script(shell);
        for word in ["synth", "deploy", "athena", "allow-replacement", "with-data", "drift"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_accepts_its_completions() {
    let workspace = Workspace::new(&[]);
    workspace.write("completions.bash", script("bash"));
    let output = Command::new("bash").arg("-n").arg(workspace.path("completions.bash")).output().expect("bash runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn script(shell: &str) -> String {
    out(&Workspace::new(&[]).run(&["completions", shell]))
}
