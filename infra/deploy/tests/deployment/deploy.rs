//! Deploying stacks.

use std::collections::BTreeSet;

use ferrostack_deploy::{Assembly, Change, Deployed, Error, Options, Progress};
use serde_json::json;

use crate::fake_aws::{self, ACCOUNT, Fake, FakeStack, Shared, change};
use crate::tenant::{
    BOOTSTRAP_BUCKET, STACK, acme, calls, connect, ended, run, sha256, start, start_on, value_of, with_bucket,
    with_stack, write_assembly,
};

#[tokio::test]
async fn deploying_a_new_stack_uploads_its_code_and_returns_its_outputs() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let deployed = deploy(&endpoint).await.unwrap();

    assert_eq!(deployed[0].change, Change::Created);
    assert_eq!(deployed[0].outputs["Url"], "https://example.test");
    let fake = fake.lock().unwrap();
    let checksum = fake.put_headers.get("x-amz-checksum-sha256").or(fake.put_headers.get("x-amz-trailer"));
    assert!(checksum.is_some(), "S3 must be able to check what arrives: {:?}", fake.put_headers);
    assert_eq!(fake.put_headers["x-amz-expected-bucket-owner"], ACCOUNT);
    let request = &fake.requests["CreateChangeSet"];
    assert_eq!(request["Capabilities.member.1"], "CAPABILITY_IAM");
    assert!(request.contains_key("ClientToken"));
    assert_eq!(value_of(request, "Parameters", "Parameter", "AssetBucket"), Some(""));
    assert_eq!(value_of(request, "Tags", "", "tenant"), Some("acme"));
    assert!(fake.requests["ExecuteChangeSet"].contains_key("ClientRequestToken"));
}

#[tokio::test]
async fn code_that_is_already_in_the_bucket_is_not_uploaded_again() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    deploy(&endpoint).await.unwrap();
    deploy(&endpoint).await.unwrap();
    assert_eq!(calls(&fake, "PUT"), 1);
}

#[tokio::test]
async fn code_that_somebody_else_stored_under_its_key_is_replaced() {
    let key = format!("{}.zip", sha256(b"code"));
    for planted in [None, Some("AAAA"), Some("not base64"), Some("kPhW2yU4Wn6Eg6qGPAvmR3YCfpYLXwkNbTzpHuhGA5E=-2")] {
        let mut fake = with_bucket();
        fake.buckets.get_mut(BOOTSTRAP_BUCKET).unwrap().insert(key.clone());
        fake.checksums.extend(planted.map(|checksum| (key.clone(), checksum.to_owned())));
        let (endpoint, fake) = fake_aws::start(fake).await;
        let (code, _, said) = run(Some(endpoint.clone()), &["deploy", "acme"]).await;
        let sentence =
            format!("{key} in {BOOTSTRAP_BUCKET} is not the code of Ping/Code, or has no checksum; it is replaced");
        assert_eq!((code, calls(&fake, "PUT"), said.contains(&sentence)), (Some(0), 1, true), "{planted:?}: {said}");
        let (_, _, said) = run(Some(endpoint), &["deploy", "acme"]).await;
        assert_eq!((calls(&fake, "PUT"), said.contains("replaced")), (1, false), "{planted:?}: {said}");
    }
}

#[tokio::test]
async fn a_template_that_somebody_else_stored_under_its_key_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let template = json!({"Metadata": {"Padding": "x".repeat(51_200)}, "Resources": {}}).to_string();
    std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), &template).unwrap();
    let key = format!("{}.json", sha256(template.as_bytes()));
    let mut fake = with_bucket();
    fake.buckets.get_mut(BOOTSTRAP_BUCKET).unwrap().insert(key.clone());
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, _, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "acme"])).await;
    assert_eq!((code, calls(&fake, &format!("PUT {BOOTSTRAP_BUCKET}/{key}"))), (Some(0), 1), "{said}");
}

#[tokio::test]
async fn a_template_too_large_for_a_request_is_sent_through_the_bucket() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let template = json!({"Metadata": {"Padding": "x".repeat(51_200)}, "Resources": {}}).to_string();
    std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), template).unwrap();
    let assembly = Assembly::read(folder.path(), "acme").unwrap();
    let target = connect(&endpoint).await.unwrap();
    ferrostack_deploy::deploy(&target, &assembly, &Options::default(), &Progress::detect()).await.unwrap();

    assert_eq!(calls(&fake, "PUT"), 2, "the code and the template");
    let fake = fake.lock().unwrap();
    let request = &fake.requests["CreateChangeSet"];
    assert!(!request.contains_key("TemplateBody"));
    assert!(request["TemplateURL"].contains(BOOTSTRAP_BUCKET), "{}", request["TemplateURL"]);
}

#[tokio::test]
async fn an_existing_stack_is_updated() {
    let (endpoint, _fake) = fake_aws::start(with_stack("UPDATE_ROLLBACK_COMPLETE")).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Updated);
}

#[tokio::test]
async fn a_change_set_without_changes_is_deleted_and_the_stack_unchanged() {
    let fake = Fake { no_changes: true, ..with_stack("CREATE_COMPLETE") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Unchanged);
    assert_eq!(calls(&fake, "DeleteChangeSet"), 1);
    assert_eq!(calls(&fake, "ExecuteChangeSet"), 0);
}

#[tokio::test]
async fn a_stack_whose_creation_failed_is_deleted_and_created_again() {
    let (endpoint, fake) = fake_aws::start(with_stack("ROLLBACK_COMPLETE")).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Created);
    assert_eq!(calls(&fake, "DeleteStack"), 1);
}

#[tokio::test]
async fn a_stack_left_in_review_is_created() {
    let (endpoint, fake) = fake_aws::start(with_stack("REVIEW_IN_PROGRESS")).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Created);
    assert_eq!(calls(&fake, "DeleteStack"), 0);
}

#[tokio::test]
async fn a_deployment_waits_for_operations_of_others() {
    let mut fake = with_stack("UPDATE_IN_PROGRESS");
    fake.stacks.get_mut(STACK).unwrap().next_status = Some("UPDATE_COMPLETE".into());
    let (endpoint, _fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Updated);
}

#[tokio::test]
async fn a_failed_rollback_is_continued_first() {
    let (endpoint, fake) = fake_aws::start(with_stack("UPDATE_ROLLBACK_FAILED")).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Updated);
    assert_eq!(calls(&fake, "ContinueUpdateRollback"), 1);
    assert!(fake.lock().unwrap().requests["ContinueUpdateRollback"].contains_key("ClientRequestToken"));
}

#[tokio::test]
async fn a_rollback_that_fails_again_is_reported_with_its_cause_and_what_to_do() {
    let fake = Fake { failing: Some(("Claims", "it is gone")), ..with_stack("UPDATE_ROLLBACK_FAILED") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let error = deploy(&endpoint).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("because of Claims (AWS::IAM::Role, from stacks/uptime.rs:12): it is gone"), "{said}");
    assert!(said.contains("--resources-to-skip"), "{said}");
    assert_eq!((error.exit_code(), calls(&fake, "CreateChangeSet")), (1, 0));
}

#[tokio::test]
async fn a_stack_that_needs_a_person_is_not_changed() {
    let (endpoint, fake) = fake_aws::start(with_stack("DELETE_FAILED")).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert!(error.to_string().contains("run scripts/destroy first"), "{error}");
    assert_eq!((error.exit_code(), calls(&fake, "CreateChangeSet")), (1, 0));
}

#[tokio::test]
async fn a_failed_deployment_names_the_first_failed_resource_its_reason_and_the_line_that_added_it() {
    let fake = Fake { failing: Some(("Claims", "MalformedPolicyDocument: no")), ..with_bucket() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let expected = "acme-uptime ended as ROLLBACK_COMPLETE: \
                    Claims (AWS::IAM::Role, from stacks/uptime.rs:12): MalformedPolicyDocument: no";
    assert_eq!(deploy(&endpoint).await.unwrap_err(), Error::Failed(expected.to_owned()));
}

#[tokio::test]
async fn a_cancelled_update_is_reported_as_cancelled() {
    let fake = Fake { failing: Some(("", "Update cancelled by user")), ..with_stack("CREATE_COMPLETE") };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let expected = "acme-uptime ended as UPDATE_ROLLBACK_COMPLETE: Update cancelled by user";
    assert_eq!(deploy(&endpoint).await.unwrap_err(), Error::Failed(expected.to_owned()));
}

#[tokio::test]
async fn an_interrupted_deployment_continues_in_cloudformation_and_is_resumed_by_the_next_run() {
    let (endpoint, fake) = fake_aws::start(Fake { slow_change_set: true, ..with_bucket() }).await;
    let folder = tempfile::tempdir().unwrap();
    let child = start(Some(endpoint.clone()), &["deploy", "acme"], folder.path());
    while calls(&fake, "DescribeChangeSet") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let (code, _, said) = ended(child).await;
    let expected =
        "error: interrupted; CloudFormation finishes what was started, and the next run resumes from there\n";
    assert_eq!((code, said.ends_with(expected)), (Some(1), true), "{said}");

    fake.lock().unwrap().slow_change_set = false;
    let (code, _, said) = ended(start(Some(endpoint), &["deploy", "acme"], folder.path())).await;
    assert!(said.contains("\nresuming the unfinished run in "), "{said}");
    assert_eq!((code, fake.lock().unwrap().stacks[STACK].status.as_str()), (Some(0), "CREATE_COMPLETE"), "{said}");
}

#[tokio::test]
async fn data_loss_is_refused_with_what_happens_to_the_data_and_the_option_that_allows_it() {
    let (endpoint, fake) = fake_aws::start(with_data_loss()).await;
    let error = deploy(&endpoint).await.unwrap_err();
    let expected = "acme-uptime was not changed, because Claims (AWS::DynamoDB::Table) may be replaced and ITS DATA IS LOST, \
                    and Old (AWS::SQS::Queue) would be removed and its data is kept outside the stack; to do it anyway, \
                    add --allow-replacement Claims --allow-replacement Old";
    assert_eq!(error, Error::Refused(expected.to_owned()));
    assert_eq!((calls(&fake, "ExecuteChangeSet"), calls(&fake, "DeleteChangeSet")), (0, 1));
}

#[tokio::test]
async fn every_resource_with_data_must_be_allowed_by_name() {
    let (endpoint, fake) = fake_aws::start(with_data_loss()).await;
    let arguments = &["deploy", "acme", "--allow-replacement", "Claims"];
    let (code, _, said) = run(Some(endpoint.clone()), arguments).await;
    let said = said.lines().last().unwrap();
    assert_eq!((code, said.ends_with("add --allow-replacement Old")), (Some(2), true), "{said}");
    assert_eq!(calls(&fake, "ExecuteChangeSet"), 0);

    let arguments = &["deploy", "acme", "--allow-replacement", "Claims", "--allow-replacement", "Old"];
    assert_eq!(run(Some(endpoint), arguments).await.0, Some(0));
    assert_eq!(calls(&fake, "ExecuteChangeSet"), 1);
}

#[tokio::test]
async fn a_table_that_the_template_does_not_retain_is_not_removed_without_permission_either() {
    let fake = Fake { changes: change("Remove", "Gone", "AWS::DynamoDB::Table", "", "Delete"), ..with_data_loss() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert!(error.to_string().contains("Gone (AWS::DynamoDB::Table) would be removed and ITS DATA IS LOST"), "{error}");
}

#[tokio::test]
async fn a_resource_without_data_is_replaced_without_asking() {
    let fake = Fake {
        changes: change("Modify", "Stage", "AWS::ApiGateway::Deployment", "True", "ReplaceAndDelete"),
        ..with_data_loss()
    };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Updated);
}

#[tokio::test]
async fn the_stack_is_tagged_with_the_deployed_version() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    deploy_revision(&endpoint, "1a2b3c-dirty").await;
    let fake = fake.lock().unwrap();
    let stack = &fake.stacks[STACK];
    assert_eq!(stack.tags["ferrostack:revision"], "1a2b3c-dirty");
    assert_eq!(stack.tags["ferrostack:template"], sha256(stack.template.as_bytes()));
    assert_eq!(stack.tags["tenant"], "acme");
}

#[tokio::test]
async fn a_new_revision_of_the_same_template_and_code_keeps_the_old_tag() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    deploy_revision(&endpoint, "1").await;
    deploy_revision(&endpoint, "2").await;
    assert_eq!(revision(&fake), "1");
    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().parameters.insert("PingCodeKey".into(), "older.zip".into());
    deploy_revision(&endpoint, "3").await;
    assert_eq!(revision(&fake), "3", "different code is a different version");
    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().tags.insert("ferrostack:template".into(), "another".into());
    deploy_revision(&endpoint, "4").await;
    assert_eq!(revision(&fake), "4", "a different template is a different version");
}

#[tokio::test]
async fn throttled_calls_are_repeated() {
    let mut fake = with_bucket();
    fake.refusals.insert("CreateChangeSet", vec![(400, "Throttling"), (503, "ServiceUnavailable")]);
    fake.refusals.insert("DescribeStackEvents", vec![(400, "Throttling")]);
    let (endpoint, fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Created);
    assert_eq!(calls(&fake, "CreateChangeSet"), 3);
}

#[tokio::test]
async fn denied_access_is_one_sentence_and_changes_nothing() {
    let mut fake = with_bucket();
    fake.refusals.insert("CreateChangeSet", vec![(403, "AccessDenied")]);
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let expected =
        "access denied while creating the change set of acme-uptime: AccessDenied: the fake was told to refuse";
    let error = deploy(&endpoint).await.unwrap_err();
    assert_eq!((error.exit_code(), error), (2, Error::Refused(expected.to_owned())));
}

#[tokio::test]
async fn what_early_validation_found_is_named_and_no_empty_stack_is_left() {
    let event = "<member><LogicalResourceId>Claims</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>\
        <ValidationStatus>FAILED</ValidationStatus><ValidationPath>/Resources/Claims/Properties/TableName</ValidationPath>\
        <ValidationStatusReason>the name is taken</ValidationStatusReason></member>\
        <member><LogicalResourceId>Ping</LogicalResourceId><ValidationStatus>SKIPPED</ValidationStatus></member>";
    let reason = "The change set failed early validation; call DescribeEvents";
    let found = "Claims (AWS::DynamoDB::Table) at /Resources/Claims/Properties/TableName: the name is taken";
    for (validation, expected) in [(event, found), ("", reason)] {
        let fake = Fake { refused_change_set: Some(reason), validation, ..with_bucket() };
        let (endpoint, fake) = fake_aws::start(fake).await;
        let error = deploy(&endpoint).await.unwrap_err().to_string();
        assert_eq!(error, format!("CloudFormation rejected the change set of acme-uptime: {expected}"));
        assert_eq!(fake.lock().unwrap().stacks[STACK].status, "DELETE_COMPLETE");
    }
}

#[tokio::test]
async fn without_an_answer_the_error_says_to_check_the_network() {
    // A port that was free a moment ago, so nothing listens on it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = deploy(&endpoint).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().contains("check the network, the region")), (2, true), "{error}");
}

#[tokio::test]
async fn expired_credentials_are_reported_as_expired() {
    let mut fake = with_bucket();
    fake.refusals.insert("GetCallerIdentity", vec![(403, "ExpiredToken")]);
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().contains("have expired")), (2, true), "{error}");
}

#[tokio::test]
async fn a_missing_bucket_is_reported_with_the_command_that_creates_it() {
    let (endpoint, fake) = fake_aws::start(Fake::default()).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert!(error.to_string().contains("run `scripts/deploy --bootstrap` once"), "{error}");
    assert_eq!((error.exit_code(), calls(&fake, "CreateChangeSet")), (2, 0));
}

#[tokio::test]
async fn the_code_is_uploaded_to_the_platforms_bucket_if_the_platform_is_deployed() {
    let (endpoint, fake) = fake_aws::start(with_platform()).await;
    deploy(&endpoint).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.buckets["shared-assets"].len(), 1);
    assert_eq!(fake.put_headers["x-amz-expected-bucket-owner"], ACCOUNT);
    assert_eq!(
        value_of(&fake.requests["CreateChangeSet"], "Parameters", "Parameter", "AssetBucket"),
        Some("shared-assets")
    );
}

#[tokio::test]
async fn express_mode_is_requested_from_cloudformation_and_still_rolls_back() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    assert_eq!(run(Some(endpoint), &["deploy", "acme", "--express"]).await.0, Some(0));
    let fake = fake.lock().unwrap();
    let request = &fake.requests["CreateChangeSet"];
    assert_eq!(request["DeploymentConfig.Mode"], "EXPRESS");
    assert_eq!(request["DeploymentConfig.DisableRollback"], "false");
}

#[tokio::test]
async fn missing_functions_are_reported_with_the_script_that_builds_them() {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), None);
    let assembly = Assembly::read(folder.path(), "acme").unwrap();
    let error = assembly.stacks[0].require_functions().unwrap_err();
    assert!(error.to_string().contains("scripts/build-lambdas"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test]
async fn denied_access_is_one_sentence_with_exit_code_2_and_changes_nothing_at_any_step() {
    let cases = [
        ("GetCallerIdentity", "ExpiredToken", "the AWS credentials have expired"),
        (
            "GetCallerIdentity",
            "InvalidClientTokenId",
            "AWS does not accept these credentials while asking who is calling in eu-west-1: InvalidClientTokenId",
        ),
        ("DescribeStacks", "AccessDenied", "access denied while looking at the stack ferrostack-platform"),
        ("CreateChangeSet", "AccessDenied", "access denied while creating the change set of acme-uptime"),
    ];
    for (action, code, sentence) in cases {
        let mut fake = with_bucket();
        fake.refusals.insert(action, vec![(403, code); 20]);
        let (endpoint, fake) = fake_aws::start(fake).await;
        let (exit, printed, said) = run(Some(endpoint), &["deploy", "acme"]).await;
        let last = said.lines().last().unwrap();
        assert!(last.starts_with(&format!("error: {sentence}")), "{action}: {said}");
        assert_eq!((exit, printed.as_str(), calls(&fake, "ExecuteChangeSet")), (Some(2), "", 0), "{action}");
        assert!(fake.lock().unwrap().stacks.is_empty(), "{action}");
    }
}

#[tokio::test]
async fn without_a_region_the_error_says_how_to_set_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy"));
    write_assembly(folder.path(), Some(b"code"));
    command.args(["deploy", "acme", "--out"]).arg(folder.path()).env_clear().env("HOME", folder.path());
    let output = command.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: no AWS region is set"), "{said}");
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1));
}

#[tokio::test]
async fn a_wrong_region_is_one_sentence_that_names_it() {
    let cases = [
        (
            "eu-wset-1",
            "AWS does not accept these credentials while asking who is calling in eu-wset-1: SignatureDoesNotMatch: Credential should be scoped to a valid region; check the credentials, the region, and that the region is enabled for the account",
        ),
        (
            "Frankfurt",
            "`Frankfurt` is not an AWS region; set --region, AWS_REGION or the region of the profile to a name such as eu-west-1",
        ),
        ("eu-west", "`eu-west` is not an AWS region"),
    ];
    for (region, sentence) in cases {
        let (endpoint, fake) = fake_aws::start(with_bucket()).await;
        let folder = tempfile::tempdir().unwrap();
        write_assembly(folder.path(), Some(b"code"));
        let (exit, printed, said) = ended(start_on(folder.path(), region, Some(endpoint), &["deploy", "acme"])).await;
        assert!(said.starts_with(&format!("error: {sentence}")), "{said}");
        assert_eq!((exit, printed.as_str(), said.lines().count()), (Some(2), "", 1), "{said}");
        assert_eq!(fake.lock().unwrap().calls, [""; 0]);
    }
}

#[tokio::test]
async fn without_credentials_the_exit_code_is_2_and_the_error_says_what_to_do() {
    let (code, _, said) = run(None, &["deploy", "acme"]).await;
    assert!(said.starts_with("error: no AWS credentials were found"), "{said}");
    assert_eq!((code, said.lines().count()), (Some(2), 1));
}

#[tokio::test]
async fn a_stack_that_needs_the_platform_is_refused_without_it_before_anything_is_changed() {
    let slots = json!({"Parameters": {"SlotTable": {"Default": "/ferrostack/platform/slot-table"}}, "Resources": {}});
    let api = |kind: &str, protocol: &str| json!({"Resources": {"Api": {"Type": kind, "Properties": {"ProtocolType": protocol}}}});
    let logs = Some("the role with which API Gateway writes logs");
    for (template, need) in [
        (slots, Some("the table of QuickSight slots")),
        (api("AWS::ApiGateway::Stage", ""), logs),
        (api("AWS::ApiGatewayV2::Api", "WEBSOCKET"), logs),
        (api("AWS::ApiGatewayV2::Api", "HTTP"), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_assembly(folder.path(), Some(b"code"));
        std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), template.to_string()).unwrap();
        let failed = FakeStack { status: "ROLLBACK_COMPLETE".to_owned(), ..FakeStack::default() };
        let failed = [("ferrostack-platform".to_owned(), failed)].into();
        for without in [with_bucket(), Fake { stacks: failed, ..with_bucket() }] {
            for arguments in [&["deploy", "acme"] as &[_], &["deploy", "acme", "--plan"]] {
                let fake = Fake { stacks: without.stacks.clone(), ..with_bucket() };
                let (endpoint, fake) = fake_aws::start(fake).await;
                let (code, _, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), arguments)).await;
                let refused = need.is_some_and(|need| {
                    said.ends_with(&format!(
                        "error: acme-uptime needs {need}, which the platform stack provides, and that is not deployed in account \
                         111122223333, region eu-west-1; run `scripts/deploy --bootstrap` once\n"
                    ))
                });
                let expected = if need.is_some() { (Some(2), true, 0) } else { (Some(0), false, 1) };
                assert_eq!((code, refused, calls(&fake, "CreateChangeSet")), expected, "{template}: {said}");
            }
        }
        let (endpoint, fake) = fake_aws::start(with_platform()).await;
        let (code, _, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "acme"])).await;
        assert_eq!((code, calls(&fake, "CreateChangeSet")), (Some(0), 1), "{said}");
    }
}

#[tokio::test]
async fn a_role_for_api_gateways_logs_that_somebody_else_has_set_is_kept() {
    let theirs = "arn:aws:iam::111122223333:role/other-team";
    let ours = "arn:aws:iam::111122223333:role/ferrostack-platform-GatewayRole-1ABCDEFGHIJK";
    for (account, live, expected, asked) in [
        (json!({}), None, "", 1),
        (json!({ "cloudwatchRoleArn": theirs }), None, theirs, 1),
        // The role of a platform stack that was deleted may be gone.
        (json!({ "cloudwatchRoleArn": ours }), None, "", 1),
        // What was decided when the stack was created is kept.
        (json!({ "cloudwatchRoleArn": theirs }), Some(""), "", 0),
        (json!({ "cloudwatchRoleArn": theirs }), Some(theirs), theirs, 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        crate::dependencies::write(folder.path(), "platform", &[("ferrostack-platform", "")]);
        let template = json!({ "Parameters": { "LogRole": { "Type": "String", "Default": "" } }, "Resources": {} });
        let file = folder.path().join("platform/ferrostack-platform.template.json");
        std::fs::write(file, template.to_string()).unwrap();
        let stack = |role: &str| FakeStack {
            status: "CREATE_COMPLETE".to_owned(),
            parameters: [("LogRole".to_owned(), role.to_owned())].into(),
            ..FakeStack::default()
        };
        let stacks = live.map(|role| ("ferrostack-platform".to_owned(), stack(role)));
        let fake =
            Fake { stacks: stacks.into_iter().collect(), described: [("GetAccount", account)].into(), ..with_bucket() };
        let (endpoint, fake) = fake_aws::start(fake).await;
        let (code, _, said) =
            ended(start_on(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "platform"])).await;
        let requested = fake.lock().unwrap().requests["CreateChangeSet"].clone();
        assert_eq!(requested["Parameters.member.1.ParameterKey"], "LogRole");
        assert_eq!(
            (code, requested["Parameters.member.1.ParameterValue"].as_str(), calls(&fake, "GetAccount")),
            (Some(0), expected, asked),
            "{said}"
        );
    }
}

/// The platform stack, with its bucket.
fn with_platform() -> Fake {
    let platform = FakeStack {
        status: "CREATE_COMPLETE".to_owned(),
        outputs: vec![("AssetBucket", "shared-assets")],
        ..FakeStack::default()
    };
    Fake {
        stacks: [("ferrostack-platform".to_owned(), platform)].into(),
        buckets: [("shared-assets".to_owned(), BTreeSet::new())].into(),
        ..Fake::default()
    }
}

async fn deploy(endpoint: &str) -> Result<Vec<Deployed>, Error> {
    let target = connect(endpoint).await?;
    ferrostack_deploy::deploy(&target, &acme().assembly, &Options::default(), &Progress::detect()).await
}

async fn deploy_revision(endpoint: &str, revision: &str) {
    let options = Options { revision: Some(revision.to_owned()), ..Options::default() };
    let target = connect(endpoint).await.unwrap();
    ferrostack_deploy::deploy(&target, &acme().assembly, &options, &Progress::detect()).await.unwrap();
}

fn revision(fake: &Shared) -> String {
    fake.lock().unwrap().stacks[STACK].tags["ferrostack:revision"].clone()
}

/// An update that may replace a table, whose data would be lost, and removes a queue, which is kept.
fn with_data_loss() -> Fake {
    let changes = [
        change("Modify", "Claims", "AWS::DynamoDB::Table", "Conditional", "ReplaceAndDelete"),
        change("Remove", "Old", "AWS::SQS::Queue", "", "Retain"),
    ];
    let mut fake = Fake { changes: changes.concat(), ..with_stack("CREATE_COMPLETE") };
    fake.stacks.get_mut(STACK).unwrap().template =
        json!({ "Resources": { "Old": { "Type": "AWS::SQS::Queue" } } }).to_string();
    fake
}
