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

/// The first two default schemas in the example, and the systems that have them.
fn schemas() -> [(String, String); 2] {
    let names = TENANT.lines().filter_map(|line| line.strip_prefix("    # schema: "));
    let systems =
        names.map(|name| (name.to_owned(), name.strip_suffix("_example").expect("the tenant").replace('_', "-")));
    systems.take(2).collect::<Vec<_>>().try_into().expect("two systems with a schema")
}

/// The tenant with this schema instead of the default one.
fn with_schema(tenant: &str, default: &str, schema: &str) -> String {
    tenant.replace(&format!("    # schema: {default}\n"), &format!("    schema: {schema}\n"))
}

#[test]
fn two_stacks_with_one_schema_are_an_error_even_if_only_one_of_them_is_synthesized() {
    let [(schema, system), _] = schemas();
    let wrong = with_schema(&renamed("zeta"), &schema, &schema.to_uppercase());
    let workspace = Workspace::new(&[("example.yaml", TENANT), ("zeta.yaml", &wrong)]);
    let line = wrong.lines().position(|line| line == format!("  {system}:")).expect("the line") + 1;
    let expected = format!(
        "error: the schema `{schema}` of the database `sales` in `analytics` is also that of the stack example-{system}; \
         set a different `schema`\n  --> stacks/tenants/zeta.yaml:{line}:1\n"
    );
    for arguments in [&["synth"][..], &["synth", "zeta"], &["check", "zeta"]] {
        let output = workspace.run(arguments);
        assert_eq!((output.status.code(), err(&output)), (Some(1), expected.clone()), "{arguments:?}");
        assert!(!workspace.path("cfn-out").exists());
    }
    let output = workspace.run(&["synth", "example"]);
    assert!(err(&output).contains(&format!("is also that of the stack zeta-{system}")), "{}", err(&output));
}

#[test]
fn two_systems_of_a_tenant_have_different_schemas_too() {
    let [(first, _), (second, _)] = schemas();
    let wrong = with_schema(TENANT, &second, &first);
    let output = Workspace::new(&[("example.yaml", &wrong)]).run(&["synth"]);
    assert!(err(&output).contains("is also that of the stack example-"), "{}", err(&output));
}

#[test]
fn tenants_may_share_a_warehouse_and_warehouses_may_share_a_name() {
    let [(schema, _), _] = schemas();
    let id = "0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f";
    let another_warehouse = renamed("zeta").replace(id, "0f9e8d7c-6b5a-4c3d-8e2f-000000000000");
    for other in [renamed("zeta"), with_schema(&another_warehouse, &schema, &schema)] {
        let output = Workspace::new(&[("example.yaml", TENANT), ("zeta.yaml", &other)]).run(&["synth"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }
}

#[test]
fn a_mistake_in_the_file_of_a_tenant_that_is_not_selected_is_not_reported() {
    let workspace = Workspace::new(&[("example.yaml", TENANT), ("zeta.yaml", "analytics")]);
    assert_eq!(workspace.run(&["synth", "example"]).status.code(), Some(0));
}
