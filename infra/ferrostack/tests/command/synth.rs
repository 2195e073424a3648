//! synth, check, diff and list.

use std::fs;

use crate::workspace::{NAME, TENANT, Workspace, assembly, err, files, out, stacks};

const ARM: &str = "architecture: arm64";

#[test]
fn synth_writes_an_assembly_and_reports_what_changed() {
    let workspace = Workspace::with_tenant();
    let first = workspace.run(&["synth"]);
    assert_eq!((first.status.code(), err(&first).contains("error:")), (Some(0), false), "{}", err(&first));
    assert!(out(&first).starts_with(&format!("{} ", stacks()[0])), "{}", out(&first));
    assert!(out(&first).lines().all(|line| line.ends_with("bytes  new")), "{}", out(&first));
    let mut expected = vec!["manifest.json".to_owned()];
    expected
        .extend(stacks().iter().flat_map(|stack| [format!("{stack}.assets.json"), format!("{stack}.template.json")]));
    expected.sort();
    assert_eq!(files(&workspace.path("cfn-out/example")), expected);
    assert_eq!(
        files(&workspace.path("cfn-out/platform")),
        ["ferrostack-platform.assets.json", "ferrostack-platform.template.json", "manifest.json"]
    );
    let written = fs::metadata(workspace.template()).expect("a template").modified().expect("a time");
    let second = out(&workspace.run(&["synth", NAME]));
    assert!(second.lines().all(|line| line.ends_with("unchanged")), "{second}");
    assert_eq!(fs::metadata(workspace.template()).expect("a template").modified().expect("a time"), written);
}

#[test]
fn built_functions_become_assets_and_parameters() {
    let assembly = assembly();
    let stack = &assembly.stacks[0];
    let (name, asset) = (&stack.template.stack, &stack.assets[0]);
    let zip = format!("target/lambda/{}/{}.zip", asset.architecture, asset.package);
    let workspace = Workspace::with_tenant();
    workspace.write(&zip, "abc");
    assert_eq!(workspace.run(&["synth"]).status.code(), Some(0));
    // SHA-256 of "abc": https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/SHA256.pdf
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let read = |file: &str| workspace.read(&format!("cfn-out/{NAME}/{file}"));
    let parameters = read(&format!("{name}.parameters.json"));
    assert!(parameters.contains(&format!("{}={hash}.zip", asset.key_parameter)), "{parameters}");
    assert!(read(&format!("{name}.cdk.json")).contains(hash));
    assert!(read("manifest.json").contains(&format!("{name}.cdk.json")));
    assert!(read("manifest.json").contains("stacks/"), "the manifest names the line that created each resource");
    assert!(!read(&format!("{name}.template.json")).contains(hash), "a compiler must not change the template");
    assert!(workspace.path(&format!("cfn-out/_assets/{hash}.zip")).exists());
    assert!(read(&format!("{name}.assets.json")).contains(&format!("\"../_assets/{hash}.zip\"")));
    workspace.write(&zip, "abcd");
    assert_eq!(workspace.run(&["synth"]).status.code(), Some(0));
    assert!(!workspace.path(&format!("cfn-out/_assets/{hash}.zip")).exists(), "the zip of an earlier build is deleted");
}

#[test]
fn check_names_stale_templates_and_writes_nothing() {
    for check in [&["check"][..], &["synth", "--check"]] {
        let workspace = Workspace::with_tenant();
        let missing = workspace.run(check);
        assert_eq!((missing.status.code(), out(&missing).as_str()), (Some(1), ""));
        let expected = format!("{}.template.json is stale; run `cargo run synth`", stacks()[0]);
        assert!(err(&missing).contains(&expected), "{}", err(&missing));
        assert!(!workspace.path("cfn-out").exists());
        workspace.run(&["synth"]);
        assert_eq!(workspace.run(check).status.code(), Some(0));
        workspace.write("cfn-out/example/example-gone.template.json", "{}");
        let leftover = workspace.run(check);
        assert_eq!(leftover.status.code(), Some(1));
        assert!(err(&leftover).contains("example-gone.template.json"), "{}", err(&leftover));
    }
}

#[test]
fn the_platform_is_synthesized_without_a_tenant() {
    let workspace = Workspace::new(&[]);
    let output = workspace.run(&["synth", "platform"]);
    assert!(out(&output).starts_with("ferrostack-platform "), "{}{}", out(&output), err(&output));
    assert!(workspace.path("cfn-out/platform/ferrostack-platform.template.json").exists());
}

#[test]
fn yaml_replaces_json() {
    let workspace = Workspace::with_tenant();
    workspace.run(&["synth"]);
    workspace.run(&["synth", "--yaml"]);
    assert!(!workspace.template().exists());
    let yaml = fs::read_to_string(workspace.template().with_extension("yaml")).expect("a template");
    assert!(yaml.starts_with("AWSTemplateFormatVersion: "), "{yaml}");
}

#[test]
fn list_names_every_stack() {
    let lines: String = stacks().iter().map(|stack| format!("{NAME:<20} {stack}\n")).collect();
    assert_eq!(out(&Workspace::with_tenant().run(&["list"])), lines);
}

#[test]
fn diff_names_what_changes() {
    let workspace = Workspace::with_tenant();
    let added = out(&workspace.run(&["diff"]));
    assert!(added.contains("\n  + ") && added.contains(" (AWS::Lambda::Function)\n"), "{added}");
    workspace.run(&["synth"]);
    let unchanged: String = stacks().iter().map(|stack| format!("{stack}: no changes\n")).collect();
    assert_eq!(out(&workspace.run(&["diff"])), unchanged + "ferrostack-platform: no changes\n");
    workspace.write("stacks/tenants/example.yaml", TENANT.replace("architecture: x86_64", ARM));
    let changed = out(&workspace.run(&["diff", NAME]));
    assert!(changed.contains(" (AWS::Lambda::Function): Architectures\n"), "{changed}");
}

#[test]
fn diff_compares_with_templates_in_yaml_as_well() {
    let workspace = Workspace::with_tenant();
    workspace.run(&["synth", "--yaml"]);
    let unchanged: String = stacks().iter().map(|stack| format!("{stack}: no changes\n")).collect();
    assert_eq!(out(&workspace.run(&["diff"])), unchanged + "ferrostack-platform: no changes\n");
    workspace.write("stacks/tenants/example.yaml", TENANT.replace("architecture: x86_64", ARM));
    let changed = out(&workspace.run(&["diff", NAME]));
    assert!(changed.contains(" (AWS::Lambda::Function): Architectures\n"), "{changed}");
    workspace.write("cfn-out/example/example-gone.template.yaml", "Resources: { A: { Type: AWS::SNS::Topic } }\n");
    let gone = out(&workspace.run(&["diff", NAME]));
    assert!(gone.contains("example-gone:\n  - A (AWS::SNS::Topic)\n"), "{gone}");
}
