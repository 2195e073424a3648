//! Subcommands that are programs of their own. A script that prints its arguments takes the place of each.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::workspace::{TENANT, Workspace, err, out, renamed};

#[test]
fn arguments_are_passed_on_untouched_and_the_exit_code_is_returned() {
    let workspace = with_programs();
    for (arguments, expected) in [
        (&["deploy", "acme", "--failures=5", "--yes"][..], "deployer: deploy acme --failures=5 --yes\n"),
        (&["-q", "status", "--drift"], "deployer: -q status --drift\n"),
        (&["destroy", "acme"], "deployer: destroy acme\n"),
        (&["local", "--once", "-v", "--help"], "local: --once -v --help\n"),
        (&["athena", "--function", "f", "select 1"], "athena: --function f select 1\n"),
    ] {
        let output = run(&workspace, arguments);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(7), expected), "{}", err(&output));
    }
}

#[test]
fn wrong_arguments_are_reported_before_the_deployer_is_needed() {
    let workspace = Workspace::new(&[]);
    let output = workspace.run(&["deploy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("Usage: ferrostack deploy"), "{}", err(&output));
    let output = workspace.run(&["deploy", "acme", "--failures=200"]);
    assert!(err(&output).contains("`200` is not a percentage; must be 0 to 100"), "{}", err(&output));
}

#[test]
fn a_program_that_is_not_installed_is_one_sentence() {
    let workspace = Workspace::new(&[]);
    let output = Command::new(copy_command(&workspace))
        .arg("status")
        .env_remove("CARGO")
        .env("PATH", "")
        .output()
        .expect("it runs");
    let message = "error: `ferrostack-deploy` is not installed; put it next to `ferrostack`, or use `cargo run --` in the repository\n";
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(2), message));
}

#[test]
fn prepare_checks_builds_and_synthesizes_before_it_deploys() {
    let workspace = with_programs();
    let output = run(&workspace, &["prepare", "--build", "./build", "deploy", "--revision", "r1", "--all", "--yes"]);
    assert_eq!(output.status.code(), Some(7), "{}", err(&output));
    assert_eq!(out(&output), "deployer: deploy --revision r1 --yes example zeta\n");
    let steps = "preflight: deploy --preflight --quiet --revision r1 --yes example zeta\nbuild: --arch arm64\nbuild: --arch x86_64\n";
    assert!(err(&output).ends_with(steps), "{}", err(&output));
    assert!(workspace.template().exists());
}

#[test]
fn prepare_stops_before_it_builds() {
    let workspace = with_programs();
    let output = run(&workspace, &["prepare", "--build", "./build", "deploy", "example", "--only", "refused"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(3), ""));
    assert!(!err(&output).contains("build:"), "{}", err(&output));
    let workspace = with_programs();
    workspace.write("stacks/tenants/example.yaml", TENANT.replace("architecture: x86_64", "architecture: sparc"));
    let output = run(&workspace, &["prepare", "--build", "./build", "deploy", "example"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    assert!(err(&output).starts_with("error: ") && err(&output).contains("sparc"), "{}", err(&output));
    assert!(!workspace.path("cfn-out").exists());
}

#[test]
fn prepare_synthesizes_only_what_the_command_is_for() {
    let workspace = with_programs();
    assert_eq!(out(&run(&workspace, &["prepare", "destroy", "gone"])), "deployer: destroy gone\n");
    assert!(!workspace.path("cfn-out").exists(), "a tenant without a file can be destroyed");
    run(&workspace, &["prepare", "deploy", "--bootstrap"]);
    assert!(workspace.path("cfn-out/platform").exists() && !workspace.template().exists());
    assert_eq!(out(&run(&workspace, &["-q", "prepare", "status", "example"])), "deployer: status --quiet example\n");
    assert!(workspace.template().exists());
}

/// Two tenants with different architectures, and the command with programs next to it.
fn with_programs() -> Workspace {
    let arm = renamed("zeta").replace("architecture: x86_64", "architecture: arm64");
    let workspace = Workspace::new(&[("example.yaml", TENANT), ("zeta.yaml", &arm)]);
    copy_command(&workspace);
    let deployer = "case \"$*\" in
        *refused*) exit 3 ;;
        *--preflight*) echo \"preflight: $*\" >&2 ;;
        *) echo \"deployer: $*\" && exit 7 ;;
    esac";
    program(&workspace, "ferrostack-deploy", deployer);
    program(&workspace, "ferrostack-local", "echo \"local: $*\" && exit 7");
    program(&workspace, "ferrostack-athena", "echo \"athena: $*\" && exit 7");
    program(&workspace, "build", "echo \"build: $*\"");
    workspace
}

/// Written by another process: a file that a thread of this one has open for writing when another thread starts a program cannot be
/// executed until that program has started.
fn program(workspace: &Workspace, name: &str, script: &str) {
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$2\" && chmod 755 \"$2\"";
    let status = Command::new("sh").args(["-c", write, "sh", script]).arg(workspace.path(name)).status();
    assert!(status.expect("sh runs").success(), "{name} cannot be written");
}

/// A copy of the command, away from the programs next to it; by another process, as in [`program`].
fn copy_command(workspace: &Workspace) -> PathBuf {
    let copy = workspace.path("ferrostack");
    let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_ferrostack")).arg(&copy).status();
    assert!(status.expect("cp runs").success(), "the command cannot be copied");
    copy
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Output {
    let mut command = Command::new(workspace.path("ferrostack"));
    command.args(arguments).current_dir(workspace.path(".")).env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
    command.output().expect("the command runs")
}
