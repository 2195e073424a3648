//! The file of environments, and what a synth makes of it.

use serde_json::Value;

use crate::workspace::{TENANT, Workspace, err, out, renamed};

const FILE: &str = "stacks/environments.yaml";
const ENVIRONMENTS: &str = "production:\n  account: \"111122223333\"\n  region: eu-central-1\n  \
    role: arn:aws:iam::111122223333:role/deployer\n  execution_role: arn:aws:iam::111122223333:role/cloudformation\n  \
    permissions_boundary: arn:aws:iam::111122223333:policy/limits\ntrial:\n  account: \"012345678901\"\n  region: us-west-2\n";

/// The tenant in an environment.
fn in_environment(environment: &str) -> String {
    TENANT.replace("tenant: example\n", &format!("tenant: example\nenvironment: {environment}\n"))
}

fn json(workspace: &Workspace, file: &str) -> Value {
    serde_json::from_str(&workspace.read(file)).expect("JSON")
}

#[test]
fn a_tenant_goes_to_its_environment_with_a_boundary_on_each_role() {
    let workspace = Workspace::new(&[("example.yaml", &in_environment("production"))]);
    workspace.write(FILE, ENVIRONMENTS);
    let output = workspace.run(&["synth"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let manifest = json(&workspace, "cfn-out/example/manifest.json");
    let artifacts = manifest["artifacts"].as_object().expect("artifacts").values();
    let stacks: Vec<_> = artifacts.filter(|artifact| artifact["type"] == "aws:cloudformation:stack").collect();
    assert!(stacks.iter().all(|stack| stack["environment"] == "aws://111122223333/eu-central-1"), "{manifest}");
    let role = |property: &str, name: &str| {
        let arn = format!("arn:aws:iam::111122223333:role/{name}");
        assert!(stacks.iter().all(|stack| stack["properties"][property] == *arn), "{property}: {manifest}");
    };
    role("assumeRoleArn", "deployer");
    role("cloudFormationExecutionRoleArn", "cloudformation");
    let templates = stacks.iter().map(|stack| stack["properties"]["templateFile"].as_str().expect("a file"));
    let mut roles = 0;
    for file in templates
        .map(|file| format!("cfn-out/example/{file}"))
        .chain(["cfn-out/platform.production/ferrostack-platform.template.json".to_owned()])
    {
        let template = json(&workspace, &file);
        let resources = template["Resources"].as_object().expect("resources");
        for (id, resource) in resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role") {
            roles += 1;
            let boundary = &resource["Properties"]["PermissionsBoundary"];
            assert_eq!(*boundary, "arn:aws:iam::111122223333:policy/limits", "{file}: {id}");
        }
    }
    assert!(roles > 10, "{roles}");
}

#[test]
fn each_environment_has_a_platform_and_one_that_is_gone_has_none() {
    let workspace = Workspace::new(&[]);
    workspace.run(&["synth", "platform"]);
    workspace.write(FILE, ENVIRONMENTS);
    let output = workspace.run(&["synth", "platform"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let folders = || crate::workspace::files(&workspace.path("cfn-out"));
    assert_eq!(folders(), ["platform.production", "platform.trial"]);
    let environment = |folder: &str| {
        let manifest = json(&workspace, &format!("cfn-out/{folder}/manifest.json"));
        manifest["artifacts"]["ferrostack-platform"]["environment"].as_str().expect("text").to_owned()
    };
    assert_eq!(environment("platform.trial"), "aws://012345678901/us-west-2");
    workspace.write(FILE, "# none\n");
    workspace.run(&["synth", "platform"]);
    assert_eq!(folders(), ["platform"]);
    assert_eq!(environment("platform"), "aws://unknown-account/unknown-region");
}

#[test]
fn a_tenant_names_one_of_the_environments() {
    let cases = [
        (renamed("example"), ENVIRONMENTS, "the key `environment` is missing; use one of production, trial\n", 1),
        (in_environment("staging"), ENVIRONMENTS, "`staging` is not an environment; use one of production, trial\n", 3),
        (in_environment("staging"), "", "there is no environment `staging`, because no file lists environments;", 3),
    ];
    for (tenant, environments, expected, line) in cases {
        let workspace = Workspace::new(&[("example.yaml", &tenant)]);
        workspace.write(FILE, environments);
        let output = workspace.run(&["synth"]);
        let message = err(&output);
        assert_eq!(
            (output.status.code(), message.starts_with(&format!("error: {expected}"))),
            (Some(1), true),
            "{message}"
        );
        assert!(message.ends_with(&format!("  --> stacks/tenants/example.yaml:{line}:1\n")), "{message}");
        assert!(!workspace.path("cfn-out").exists());
    }
}

#[test]
fn a_mistake_in_the_file_of_environments_is_reported_at_its_place() {
    let workspace = Workspace::with_tenant();
    workspace.write(FILE, ENVIRONMENTS.replace("us-west-2", "oregon"));
    let output = workspace.run(&["synth"]);
    let expected =
        "error: `oregon` is not an AWS region; use a name such as eu-central-1\n  --> stacks/environments.yaml:9:11\n";
    assert_eq!((output.status.code(), err(&output).as_str(), out(&output).as_str()), (Some(1), expected, ""));
    let output = workspace.run(&["synth", "--environments", "nowhere.yaml"]);
    assert_eq!(
        (output.status.code(), err(&output).starts_with("error: there is no file nowhere.yaml")),
        (Some(2), true)
    );
}
