//! graph.

use crate::workspace::{NAME, Workspace, err, out, stacks};

#[test]
fn each_format_shows_every_stack() {
    let workspace = Workspace::with_tenant();
    for (options, beginning) in [
        (&[][..], "flowchart LR"),
        (&["--mermaid"], "flowchart LR"),
        (&["--svg"], "<svg"),
        (&["--html"], "<!DOCTYPE html>"),
    ] {
        let picture = workspace.run(&[&["graph", NAME], options].concat());
        assert_eq!(picture.status.code(), Some(0), "{}", err(&picture));
        assert!(out(&picture).starts_with(beginning), "{}", out(&picture));
        assert!(stacks().iter().all(|stack| out(&picture).contains(stack)), "{options:?}");
    }
}

#[test]
fn one_system_is_written_to_a_file() {
    let workspace = Workspace::with_tenant();
    let stack = &stacks()[0];
    let system = stack.trim_start_matches("example-");
    let written = workspace.run(&["graph", NAME, "--system", system, "--svg", "--out", "picture.svg"]);
    assert_eq!((written.status.code(), out(&written)), (Some(0), String::new()), "{}", err(&written));
    let picture = workspace.read("picture.svg");
    assert!(picture.contains(stack.as_str()) && !picture.contains(&stacks()[1]), "{picture}");
}

#[test]
fn a_system_that_no_tenant_has_is_named() {
    let workspace = Workspace::with_tenant();
    let refused = workspace.run(&["graph", "--system", "nothing"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("no tenant has the system `nothing`"), "{}", err(&refused));
}

#[test]
fn a_mistake_in_a_tenant_file_draws_nothing() {
    let workspace = Workspace::new(&[("example.yaml", "tenant: example\nsystems: 1\n")]);
    let refused = workspace.run(&["graph"]);
    assert_eq!((refused.status.code(), out(&refused)), (Some(1), String::new()));
    assert!(err(&refused).contains("example.yaml:"), "{}", err(&refused));
}
