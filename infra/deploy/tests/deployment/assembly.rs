//! Invalid assemblies are refused before any call to AWS.

use ferrostack_deploy::Assembly;
use serde_json::{Value, json};

use crate::fake_aws::{self, Fake, FakeStack};
use crate::tenant::{STACK, ended, start_on, write_assembly};

#[test]
fn an_invalid_assembly_is_refused_with_the_reason() {
    let asset = |path: &str, packaging: &str| {
        let source = json!({ "path": path, "packaging": packaging });
        json!({ "files": { "a": { "source": source, "destinations": { "here": { "objectKey": "a.zip" } } } } })
    };
    let manifest = format!("{STACK}.assets.json");
    let cases = [
        (
            "manifest.json",
            json!({ "artifacts": 1 }),
            "cfn-out/acme/manifest.json is not a valid file of a cloud assembly",
        ),
        (manifest.as_str(), asset("../beta/code.zip", "file"), "`../beta/code.zip` is not a file inside"),
        (manifest.as_str(), asset("/etc/passwd", "file"), "`/etc/passwd` is not a file inside"),
        (manifest.as_str(), asset("code", "zip"), "asset code has the packaging `zip`; only `file` can be deployed"),
    ];
    for (file, content, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("cfn-out");
        write_assembly(&out, Some(b"code"));
        std::fs::write(out.join("acme").join(file), content.to_string()).unwrap();
        let error = Assembly::read(&out, "acme").unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().contains(expected)), (2, true), "{error}");
    }
    let error = Assembly::read(tempfile::tempdir().unwrap().path(), "../acme").unwrap_err();
    assert!(error.to_string().starts_with("`../acme` is not a valid tenant name"), "{error}");
}

#[tokio::test]
async fn a_stack_of_another_tenant_is_neither_deployed_nor_destroyed() {
    let existing =
        FakeStack { status: "CREATE_COMPLETE".to_owned(), template: "{}".to_owned(), ..FakeStack::default() };
    let stacks = ["beta-uptime", "ferrostack-platform", "acmebeta-uptime"];
    for (stack, command) in stacks.into_iter().flat_map(|stack| [(stack, "deploy"), (stack, "destroy")]) {
        let fake = Fake { stacks: [(stack.to_owned(), existing.clone())].into(), ..Fake::default() };
        let (endpoint, fake) = fake_aws::start(fake).await;
        let folder = tempfile::tempdir().unwrap();
        write_assembly(folder.path(), Some(b"code"));
        let path = folder.path().join("acme/manifest.json");
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        manifest["artifacts"][STACK]["properties"]["stackName"] = json!(stack);
        std::fs::write(path, manifest.to_string()).unwrap();
        let arguments = [command, "acme", "--yes"];
        let (code, _, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), &arguments)).await;
        let expected =
            format!("error: stack `{stack}` does not belong to tenant acme: its name must start with `acme-`\n");
        assert_eq!((code, said), (Some(2), expected));
        assert_eq!(fake.lock().unwrap().calls, [""; 0]);
    }
}

#[test]
fn a_damaged_template_is_distinguished_from_one_in_yaml() {
    for (text, expected) in [
        (r#"{"Resources": {"Ping""#, "is damaged; synthesize again ("),
        ("", "is damaged; synthesize again ("),
        ("Resources:\n  Ping:\n", "is not a JSON template; synthesize without --yaml to deploy ("),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_assembly(folder.path(), Some(b"code"));
        std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), text).unwrap();
        let error = Assembly::read(folder.path(), "acme").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
