//! Tenant files that are wrong or missing.

use crate::workspace::{TENANT, Workspace, err, renamed};

#[test]
fn a_mistake_in_a_tenant_file_is_one_error_with_its_place_and_nothing_is_written() {
    let wrong = renamed("zeta").replace("architecture: x86_64", "architecture: sparc");
    let workspace = Workspace::new(&[("example.yaml", TENANT), ("zeta.yaml", &wrong)]);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    let line = wrong.lines().position(|line| line == "architecture: sparc").expect("the line") + 1;
    let message = err(&output);
    assert!(message.starts_with("error: ") && message.contains("sparc"), "{message}");
    assert!(message.ends_with(&format!("\n  --> stacks/tenants/zeta.yaml:{line}:15\n")), "{message}");
    assert_eq!(message.lines().count(), 2, "{message}");
    assert!(!workspace.path("cfn-out").exists());
}

#[test]
fn a_tenant_is_in_a_file_of_its_name() {
    let output = Workspace::new(&[("other.yaml", TENANT)]).run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: this file defines the tenant `example`; its name must be example.yaml\n";
    assert!(err(&output).starts_with(expected), "{}", err(&output));
}

#[test]
fn a_file_that_cannot_be_a_tenant_is_named() {
    let workspace = Workspace::new(&[]);
    workspace.write("stacks/tenants/example.yaml", b"tenant: example\n# M\xfcller\n");
    let latin = workspace.run(&["synth"]);
    assert_eq!(latin.status.code(), Some(1));
    let message =
        "error: the text is not UTF-8 from here on; save the file as UTF-8\n  --> stacks/tenants/example.yaml:2:4\n";
    assert_eq!(err(&latin), message);
    let workspace = Workspace::new(&[("example.yaml", TENANT), ("other.yml", TENANT)]);
    let yml = workspace.run(&["synth"]);
    assert_eq!(yml.status.code(), Some(2));
    let message =
        "error: stacks/tenants/other.yml is ignored because of its name; rename it to stacks/tenants/other.yaml\n";
    assert_eq!(err(&yml), message);
}

#[test]
fn no_tenant_has_the_name_of_the_platform() {
    let output = Workspace::new(&[("platform.yaml", &renamed("platform"))]).run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("error: the name `platform` is reserved"), "{}", err(&output));
}

#[test]
fn a_command_that_cannot_be_carried_out_exits_with_2() {
    let workspace = Workspace::new(&[]);
    for arguments in [&["synth", "nobody"][..], &["synth"], &["check"], &["synth", "--sideways"], &["sideways"], &[]] {
        assert_eq!(workspace.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert!(
        err(&workspace.run(&["synth", "nobody"])).starts_with("error: there is no file stacks/tenants/nobody.yaml")
    );
}

#[test]
fn hidden_files_are_not_tenants() {
    let hidden = [(".#example.yaml", ""), ("._example.yaml", "\0"), (".example.yml", TENANT), (".yaml", TENANT)];
    let workspace = Workspace::new(&hidden);
    workspace.write("stacks/tenants/example.yaml", TENANT);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(workspace.template().exists());
    let empty = Workspace::new(&hidden).run(&["synth"]);
    assert!(err(&empty).starts_with("error: no tenant file in stacks/tenants"), "{}", err(&empty));
}
