//! Closed pipes, full disks, and how much is printed.

use std::fs;
use std::process::Stdio;

use crate::workspace::{Workspace, err, out};

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let workspace = Workspace::with_tenant();
    for arguments in [&["list"][..], &["diff"], &["synth"], &["--help"], &["completions", "bash"]] {
        let (_, closed) = std::io::pipe().expect("a pipe");
        let output = workspace.command(arguments).stdout(closed).output().expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!err(&output).contains("error:") && !err(&output).contains("panicked"), "{}", err(&output));
    }
    assert!(workspace.template().exists(), "a synth writes its templates all the same");
}

#[test]
fn errors_that_nobody_reads_keep_their_exit_code() {
    let (_, closed) = std::io::pipe().expect("a pipe");
    let status = Workspace::with_tenant().command(&["check"]).stderr(closed).status().expect("the command runs");
    assert_eq!(status.code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").expect("a device that is always full");
    let output = Workspace::with_tenant().command(&["list"]).stdout(Stdio::from(full)).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).starts_with("error: cannot write to standard output: "), "{}", err(&output));
}

#[test]
fn quiet_prints_neither_progress_nor_warnings() {
    let workspace = Workspace::with_tenant();
    for arguments in [&["-q", "synth"][..], &["synth", "--quiet"]] {
        let output = workspace.run(arguments);
        assert_eq!((output.status.code(), out(&output), err(&output)), (Some(0), String::new(), String::new()));
    }
    assert!(workspace.template().exists());
    assert!(!out(&workspace.run(&["list", "-q"])).is_empty(), "a list is a result");
}

#[test]
fn verbose_names_the_files_that_are_read() {
    let output = Workspace::with_tenant().run(&["list", "--verbose"]);
    assert_eq!(err(&output), "reading stacks/tenants/example.yaml\n");
}

#[test]
fn help_in_a_pipe_has_no_colors() {
    let help = out(&Workspace::new(&[]).run(&["--help"]));
    assert!(!help.contains('\x1b'), "{help}");
}
