//! Swapping functions' code without CloudFormation.

use serde_json::json;

use crate::fake_aws;
use crate::tenant::{
    BOOTSTRAP_BUCKET, STACK, calls, ended, run, sha256, start_on, with_bucket, with_stack, write_assembly,
};

#[tokio::test]
async fn only_code_is_swapped_and_other_differences_are_reported_as_skipped() {
    let mut fake = with_stack("UPDATE_COMPLETE");
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.resources = vec![("Ping", "AWS::Lambda::Function", "acme-ping-1"), ("Old", "AWS::SQS::Queue", "old")];
    stack.template = json!({"Resources": {"Old": {"Type": "AWS::SQS::Queue"}}}).to_string();
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, printed, said) = run(Some(endpoint), &["deploy", "acme", "--hotswap"]).await;
    let expected = "acme-uptime: code swapped: Ping; skipped, because it needs a deployment: \
                    Claims is new, Ping is new, Old is removed, Parameters are changed\n";
    assert_eq!((code, printed.as_str()), (Some(0), expected), "{said}");
    assert_eq!(calls(&fake, "CreateChangeSet"), 0);
    let fake = fake.lock().unwrap();
    let body: serde_json::Value = serde_json::from_str(&fake.swapped[0]).unwrap();
    let key = format!("{}.zip", sha256(b"code"));
    assert_eq!((fake.swapped.len(), &body["S3Bucket"], &body["S3Key"]), (1, &json!(BOOTSTRAP_BUCKET), &json!(key)));
}

#[tokio::test]
async fn code_is_swapped_together_with_the_architecture_it_was_built_for() {
    for (architectures, expected) in [(json!(null), "x86_64"), (json!(["arm64"]), "arm64")] {
        let folder = tempfile::tempdir().unwrap();
        write_assembly(folder.path(), Some(b"code"));
        let path = folder.path().join(format!("acme/{STACK}.template.json"));
        let mut template: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        template["Resources"]["Ping"]["Properties"]["Architectures"] = architectures;
        std::fs::write(path, template.to_string()).unwrap();
        let mut fake = with_stack("UPDATE_COMPLETE");
        fake.stacks.get_mut(STACK).unwrap().resources = vec![("Ping", "AWS::Lambda::Function", "acme-ping-1")];
        let (endpoint, fake) = fake_aws::start(fake).await;
        let swap = start_on(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "acme", "--hotswap"]);
        let (code, _, said) = ended(swap).await;
        let body: serde_json::Value = serde_json::from_str(&fake.lock().unwrap().swapped[0]).unwrap();
        assert_eq!((code, &body["Architectures"]), (Some(0), &json!([expected])), "{said}");
    }
}

#[tokio::test]
async fn changes_that_depend_on_new_code_are_reported_as_skipped() {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let path = folder.path().join(format!("acme/{STACK}.template.json"));
    let mut template: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let custom = |code| json!({ "Type": "Custom::Site", "Properties": { "Code": code } });
    template["Resources"]["Site"] = custom(json!({ "Ref": "PingCodeKey" }));
    template["Resources"]["Copy"] = custom(json!({ "Fn::Sub": "from/${PingCodeKey}" }));
    template["Resources"]["Other"] = custom(json!({ "Ref": "AssetBucket" }));
    std::fs::write(path, template.to_string()).unwrap();
    let mut fake = with_stack("UPDATE_COMPLETE");
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.resources = vec![("Ping", "AWS::Lambda::Function", "acme-ping-1")];
    stack.template = template.to_string();
    let (endpoint, fake) = fake_aws::start(fake).await;
    for (deployed, skipped) in [
        (
            "old.zip".to_owned(),
            "; skipped, because it needs a deployment: Copy depends on new code, Site depends on new code",
        ),
        (format!("{}.zip", sha256(b"code")), ""),
    ] {
        fake.lock().unwrap().stacks.get_mut(STACK).unwrap().parameters.insert("PingCodeKey".to_owned(), deployed);
        let arguments = &["deploy", "acme", "--hotswap"];
        let (_, printed, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint.clone()), arguments)).await;
        assert_eq!(printed, format!("acme-uptime: code swapped: Ping{skipped}\n"), "{said}");
    }
}

#[tokio::test]
async fn hotswap_refuses_a_stack_that_is_not_deployed() {
    for fake in [with_bucket(), with_stack("ROLLBACK_COMPLETE")] {
        let (endpoint, fake) = fake_aws::start(fake).await;
        let (code, _, said) = run(Some(endpoint), &["deploy", "acme", "--hotswap"]).await;
        assert!(said.ends_with("is not deployed yet; run a normal deployment first\n"), "{said}");
        assert_eq!((code, fake.lock().unwrap().swapped.len()), (Some(2), 0));
    }
}

#[tokio::test]
async fn hotswap_waits_for_an_update_that_is_under_way() {
    let mut fake = with_stack("UPDATE_COMPLETE");
    fake.stacks.get_mut(STACK).unwrap().resources = vec![("Ping", "AWS::Lambda::Function", "acme-ping-1")];
    fake.busy_functions = 2;
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, printed, said) = run(Some(endpoint), &["deploy", "acme", "--hotswap"]).await;
    assert_eq!((code, printed.contains("code swapped: Ping")), (Some(0), true), "{said}");
    assert_eq!(fake.lock().unwrap().swapped.len(), 1);
}

#[tokio::test]
async fn a_stack_without_functions_is_reported_as_such() {
    let (endpoint, _fake) = fake_aws::start(with_stack("UPDATE_COMPLETE")).await;
    let (code, printed, said) = run(Some(endpoint), &["deploy", "acme", "--hotswap"]).await;
    assert!(printed.starts_with("acme-uptime: no functions to swap; skipped"), "{printed}{said}");
    assert_eq!(code, Some(0));
}
