//! The command as its users meet it: what it writes, says and exits with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TENANT: &str = "tenant: acme
systems:
  qlik-reload:
    tenant_url: https://acme.eu.qlikcloud.com
    schedules:
      sales: { apps: [687ef393-f0ad-4c64-ac59-6db967126015], rate: 1 hour }
";

/// A folder with tenant files, gone after the test.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::create_dir_all(workspace.path("stacks/tenants")).expect("a tenants' folder");
        for (name, text) in files {
            fs::write(workspace.path(&format!("stacks/tenants/{name}")), text).expect("a tenant file");
        }
        workspace
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferrostack"));
        command.args(arguments).current_dir(&self.0).env_remove("CARGO_TARGET_DIR").output().expect("the command runs")
    }

    fn template(&self) -> PathBuf {
        self.path("cfn-out/acme/acme-qlik-reload.template.json")
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the folder is there");
    let mut names: Vec<String> =
        entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn synth_writes_an_assembly_and_says_what_changed() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    let first = workspace.run(&["synth"]);
    assert_eq!((first.status.code(), err(&first).as_str()), (Some(0), ""));
    assert!(out(&first).starts_with("acme-qlik-reload ") && out(&first).ends_with("bytes  new\n"), "{}", out(&first));
    assert_eq!(
        files(&workspace.path("cfn-out/acme")),
        ["acme-qlik-reload.assets.json", "acme-qlik-reload.template.json", "manifest.json"]
    );
    let written = fs::metadata(workspace.template()).expect("a template").modified().expect("a time");
    assert_eq!(
        files(&workspace.path("cfn-out/platform")),
        ["ferrostack-platform.assets.json", "ferrostack-platform.template.json", "manifest.json"]
    );
    assert!(out(&workspace.run(&["synth", "acme"])).ends_with("unchanged\n"));
    assert_eq!(fs::metadata(workspace.template()).expect("a template").modified().expect("a time"), written);
}

#[test]
fn built_functions_become_assets_and_parameters() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    fs::create_dir_all(workspace.path("target/lambda/x86_64")).expect("a folder");
    fs::write(workspace.path("target/lambda/x86_64/qlik-reload.zip"), "abc").expect("a zip");
    assert_eq!(workspace.run(&["synth"]).status.code(), Some(0));
    // SHA-256 of "abc": https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/SHA256.pdf
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let parameters =
        fs::read_to_string(workspace.path("cfn-out/acme/acme-qlik-reload.parameters.json")).expect("parameters");
    assert!(parameters.contains(&format!("ReloadCodeKey={hash}.zip")), "{parameters}");
    let read = |name: &str| fs::read_to_string(workspace.path(&format!("cfn-out/acme/{name}"))).expect("a file");
    assert!(read("acme-qlik-reload.cdk.json").contains(hash) && read("manifest.json").contains("reload.cdk.json"));
    assert!(read("manifest.json").contains("stacks/qlik_reload.rs:"), "the line that made each resource");
    assert!(!read("acme-qlik-reload.template.json").contains(hash), "a compiler must not change the template");
    assert!(workspace.path(&format!("cfn-out/acme/asset.{hash}.zip")).exists());
    fs::write(workspace.path("target/lambda/x86_64/qlik-reload.zip"), "abcd").expect("a zip");
    assert_eq!(workspace.run(&["synth"]).status.code(), Some(0));
    assert!(!workspace.path(&format!("cfn-out/acme/asset.{hash}.zip")).exists(), "the zip of an earlier build goes");
}

#[test]
fn check_names_what_is_stale_and_writes_nothing() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    let missing = workspace.run(&["synth", "--check"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("acme-qlik-reload.template.json is not what a synth gives"), "{}", err(&missing));
    assert!(!workspace.path("cfn-out").exists());
    workspace.run(&["synth"]);
    assert_eq!(workspace.run(&["synth", "--check"]).status.code(), Some(0));
    fs::write(workspace.path("cfn-out/acme/acme-gone.template.json"), "{}").expect("a stale template");
    let leftover = workspace.run(&["synth", "--check"]);
    assert_eq!(leftover.status.code(), Some(1));
    assert!(err(&leftover).contains("acme-gone.template.json"), "{}", err(&leftover));
}

#[test]
fn a_wrong_tenant_file_is_one_error_with_its_place_and_nothing_is_written() {
    let wrong = TENANT.replace("rate: 1 hour", "rate: 1 hours").replace("acme\n", "zeta\n");
    let workspace = Workspace::new(&[("acme.yaml", TENANT), ("zeta.yaml", &wrong)]);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        err(&output),
        "error: rate `1 hours` is not valid; use for example `1 minute`, `5 minutes`, `1 hour`, `2 hours` or `1 day`\n  \
         --> stacks/tenants/zeta.yaml:6:68\n"
    );
    assert!(!workspace.path("cfn-out").exists());
}

#[test]
fn a_tenant_lies_in_a_file_of_its_name() {
    let workspace = Workspace::new(&[("other.yaml", TENANT)]);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("the tenant `acme` lies in this file; allowed is the file name acme.yaml"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_file_that_cannot_be_a_tenant_is_named_and_not_passed_over() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    fs::write(workspace.path("stacks/tenants/acme.yaml"), b"tenant: acme\n# M\xfcller\n").expect("a tenant file");
    let latin = workspace.run(&["synth"]);
    assert_eq!(latin.status.code(), Some(1));
    let message =
        "error: the text is not in UTF-8 from here on; save the file as UTF-8\n  --> stacks/tenants/acme.yaml:2:4\n";
    assert_eq!(err(&latin), message);
    let workspace = Workspace::new(&[("acme.yaml", TENANT), ("other.yml", TENANT)]);
    let yml = workspace.run(&["synth"]);
    assert_eq!(yml.status.code(), Some(2));
    let message = "error: stacks/tenants/other.yml would not be read; name it stacks/tenants/other.yaml\n";
    assert_eq!(err(&yml), message);
}

#[test]
fn what_all_tenants_share_is_synthesized_without_a_tenant_and_no_tenant_takes_its_name() {
    let workspace = Workspace::new(&[]);
    let output = workspace.run(&["synth", "platform"]);
    assert!(out(&output).starts_with("ferrostack-platform "), "{}{}", out(&output), err(&output));
    assert!(workspace.path("cfn-out/platform/ferrostack-platform.template.json").exists());
    let workspace = Workspace::new(&[("platform.yaml", &TENANT.replace("acme\n", "platform\n"))]);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("error: the name `platform` is taken"), "{}", err(&output));
}

#[test]
fn what_cannot_be_carried_out_exits_with_2() {
    let workspace = Workspace::new(&[]);
    for arguments in [&["synth", "nobody"][..], &["synth"], &["synth", "--sideways"], &[]] {
        assert_eq!(workspace.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert!(err(&workspace.run(&["synth", "nobody"])).starts_with("error: no tenant file stacks/tenants/nobody.yaml"));
}

#[test]
fn yaml_takes_the_place_of_json() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    workspace.run(&["synth"]);
    workspace.run(&["synth", "--yaml"]);
    assert!(!workspace.template().exists());
    let yaml = fs::read_to_string(workspace.path("cfn-out/acme/acme-qlik-reload.template.yaml")).expect("a template");
    assert!(yaml.starts_with("AWSTemplateFormatVersion: "), "{yaml}");
}

#[test]
fn list_names_every_stack() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    assert_eq!(out(&workspace.run(&["list"])), "acme                 acme-qlik-reload\n");
}

#[test]
fn diff_names_what_changes() {
    let workspace = Workspace::new(&[("acme.yaml", TENANT)]);
    assert!(out(&workspace.run(&["diff"])).contains("+ Claims (AWS::DynamoDB::Table)"));
    workspace.run(&["synth"]);
    assert_eq!(
        out(&workspace.run(&["diff"])),
        "acme-qlik-reload: no changes\nferrostack-platform: no changes\n",
        "what all tenants share is compared too"
    );
    fs::write(workspace.path("stacks/tenants/acme.yaml"), TENANT.replace("1 hour", "2 hours")).expect("a tenant file");
    assert_eq!(
        out(&workspace.run(&["diff", "acme"])),
        "acme-qlik-reload:\n  ~ ScheduleSales (AWS::Scheduler::Schedule): ScheduleExpression\n"
    );
}
