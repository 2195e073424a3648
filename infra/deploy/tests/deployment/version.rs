//! Which version is deployed is in parameters that outputs show, so a new version touches only what it changes.

use std::path::Path;

use serde_json::{Value, json};

use crate::fake_aws::{self, FakeStack};
use crate::tenant::{STACK, calls, ended, sha256, start_on, with_bucket, with_stack, write_assembly};

#[tokio::test]
async fn the_version_is_in_parameters_and_not_in_tags() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let folder = tempfile::tempdir().unwrap();
    let template = write(folder.path());
    deploy(folder.path(), &endpoint, "1").await;
    let stack = || fake.lock().unwrap().stacks[STACK].clone();
    let version = |stack: &FakeStack| ["Revision", "TemplateDigest"].map(|name| stack.parameters[name].clone());
    let digest = sha256(template.as_bytes());
    assert_eq!(version(&stack()), ["1".to_owned(), digest.clone()]);
    assert_eq!(stack().tags, [("tenant".to_owned(), "acme".to_owned())].into());

    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().outputs.push(("Revision", "1"));
    let printed = deploy(folder.path(), &endpoint, "2").await;
    assert_eq!((calls(&fake, "CreateChangeSet"), version(&stack())), (1, ["1".to_owned(), digest]));
    assert_eq!(printed, format!("{STACK}: unchanged\n  Url = https://example.test\n"));
}

#[tokio::test]
async fn a_stack_with_tags_is_understood_and_loses_them_with_its_next_change() {
    let mut fake = with_stack("CREATE_COMPLETE");
    let old = fake.stacks.get_mut(STACK).unwrap();
    old.tags = [("ferrostack:revision", "0"), ("ferrostack:template", "old"), ("tenant", "acme")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let (endpoint, fake) = fake_aws::start(fake).await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let status = || async {
        let arguments = ["status", "acme"];
        ended(start_on(folder.path(), "eu-west-1", Some(endpoint.clone()), &arguments)).await.1
    };
    assert!(status().await.contains("revision 0  template different"));
    deploy(folder.path(), &endpoint, "1").await;
    assert_eq!(fake.lock().unwrap().stacks[STACK].tags, [("tenant".to_owned(), "acme".to_owned())].into());
    assert!(status().await.contains("revision 1  template equal"));
}

/// The tenant, with a template that has the two parameters; returns the template.
fn write(folder: &Path) -> String {
    write_assembly(folder, Some(b"code"));
    let path = folder.join(format!("acme/{STACK}.template.json"));
    let mut template: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for name in ["Revision", "TemplateDigest"] {
        template["Parameters"][name] = json!({ "Type": "String", "Default": "unknown" });
        template["Outputs"][name] = json!({ "Value": { "Ref": name } });
    }
    std::fs::write(path, template.to_string()).unwrap();
    template.to_string()
}

async fn deploy(folder: &Path, endpoint: &str, revision: &str) -> String {
    let arguments = ["deploy", "acme", "--revision", revision];
    let (code, printed, said) = ended(start_on(folder, "eu-west-1", Some(endpoint.to_owned()), &arguments)).await;
    assert_eq!(code, Some(0), "{said}");
    printed
}
