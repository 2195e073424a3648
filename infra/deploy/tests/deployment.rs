//! Deploying and destroying against a fake AWS, over real HTTP.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod fake_aws;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use fake_aws::{ACCOUNT, Fake, FakeStack, Shared};
use ferrostack_deploy::{Assembly, Change, Deployed, Error, Progress, Target};
use serde_json::json;
use sha2::{Digest, Sha256};

const STACK: &str = "acme-qlik-reload";
const BOOTSTRAP_BUCKET: &str = "cdk-hnb659fds-assets-111122223333-eu-west-1";

#[tokio::test]
async fn a_new_stack_gets_its_code_uploaded_and_its_outputs_told() {
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
async fn a_template_too_large_for_a_request_goes_through_the_bucket() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let template = json!({"Metadata": {"Padding": "x".repeat(51_200)}, "Resources": {}}).to_string();
    std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), template).unwrap();
    let assembly = Assembly::read(folder.path(), "acme").unwrap();
    let target = Target::connect(&config(&endpoint), None).await.unwrap();
    ferrostack_deploy::deploy(&target, &assembly, false, &Progress::detect()).await.unwrap();

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
async fn a_change_set_without_changes_is_thrown_away_and_the_stack_unchanged() {
    let fake = Fake { no_changes: true, ..with_stack("CREATE_COMPLETE") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Unchanged);
    assert_eq!(calls(&fake, "DeleteChangeSet"), 1);
    assert_eq!(calls(&fake, "ExecuteChangeSet"), 0);
}

#[tokio::test]
async fn a_stack_that_never_came_to_be_is_deleted_and_created_again() {
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
async fn an_operation_of_somebody_else_is_waited_for() {
    let mut fake = with_stack("UPDATE_IN_PROGRESS");
    fake.stacks.get_mut(STACK).unwrap().next_status = Some("UPDATE_COMPLETE".into());
    let (endpoint, _fake) = fake_aws::start(fake).await;
    assert_eq!(deploy(&endpoint).await.unwrap()[0].change, Change::Updated);
}

#[tokio::test]
async fn a_stack_that_needs_a_person_is_left_alone() {
    let (endpoint, fake) = fake_aws::start(with_stack("UPDATE_ROLLBACK_FAILED")).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert!(error.to_string().contains("continue-update-rollback"), "{error}");
    assert_eq!((error.exit_code(), calls(&fake, "CreateChangeSet")), (1, 0));
}

#[tokio::test]
async fn a_failed_deployment_names_the_first_failed_resource_and_its_reason() {
    let fake = Fake { failing: Some(("Role", "MalformedPolicyDocument: no")), ..with_bucket() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let expected = "acme-qlik-reload ended as ROLLBACK_COMPLETE: Role (AWS::IAM::Role): MalformedPolicyDocument: no";
    assert_eq!(deploy(&endpoint).await.unwrap_err(), Error::Failed(expected.to_owned()));
}

#[tokio::test]
async fn replacing_a_resource_with_data_is_refused_where_nobody_can_be_asked() {
    let change = "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Claims</LogicalResourceId>\
                  <ResourceType>AWS::DynamoDB::Table</ResourceType><Replacement>Conditional</Replacement></ResourceChange></member>";
    let fake = Fake { changes: change.to_owned(), ..with_stack("CREATE_COMPLETE") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, said) = run_deploy(Some(endpoint)).await;
    assert_eq!((code, said.contains("--yes")), (Some(2), true), "{said}");
    assert_eq!((calls(&fake, "ExecuteChangeSet"), calls(&fake, "DeleteChangeSet")), (0, 1));
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
        "access denied while creating the change set of acme-qlik-reload: AccessDenied: the fake was told to refuse";
    assert_eq!(deploy(&endpoint).await.unwrap_err(), Error::Refused(expected.to_owned()));
}

#[tokio::test]
async fn where_nobody_answers_the_way_to_aws_is_to_be_checked() {
    // A port that was free a moment ago: nothing listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = deploy(&endpoint).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().contains("check the network, the region")), (2, true), "{error}");
}

#[tokio::test]
async fn expired_credentials_are_named_as_such() {
    let mut fake = with_bucket();
    fake.refusals.insert("GetCallerIdentity", vec![(403, "ExpiredToken")]);
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().contains("have expired")), (2, true), "{error}");
}

#[tokio::test]
async fn a_missing_bucket_is_told_with_the_command_that_makes_it() {
    let (endpoint, fake) = fake_aws::start(Fake::default()).await;
    let error = deploy(&endpoint).await.unwrap_err();
    assert!(error.to_string().contains("run `cdk bootstrap aws://111122223333/eu-west-1`"), "{error}");
    assert_eq!((error.exit_code(), calls(&fake, "CreateChangeSet")), (2, 0));
}

#[tokio::test]
async fn without_built_functions_the_script_that_builds_them_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), None);
    let assembly = Assembly::read(folder.path(), "acme").unwrap();
    let error = assembly.stacks[0].require_functions().unwrap_err();
    assert!(error.to_string().contains("scripts/build-lambdas"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test]
async fn destroying_a_stack_that_does_not_exist_succeeds() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    destroy(&endpoint, false).await.unwrap();
    assert_eq!(calls(&fake, "DeleteStack"), 0);
}

#[tokio::test]
async fn destroying_keeps_the_data_unless_asked() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    destroy(&endpoint, false).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert_eq!(fake.versions.len(), 5);
    assert!(!fake.calls.iter().any(|call| call == "CreateChangeSet"));
}

#[tokio::test]
async fn destroying_with_data_gives_up_retention_and_empties_buckets_page_by_page() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    destroy(&endpoint, true).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert_eq!(fake.versions, []);
    let request = &fake.requests["CreateChangeSet"];
    assert!(request["TemplateBody"].contains(r#""DeletionPolicy":"Delete""#), "{}", request["TemplateBody"]);
    assert_eq!(request["Parameters.member.1.UsePreviousValue"], "true");
}

#[tokio::test]
async fn a_resource_that_cannot_be_deleted_is_named() {
    let fake = Fake { failing: Some(("Bucket", "the bucket is not empty")), ..with_data() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let error = destroy(&endpoint, false).await.unwrap_err();
    assert!(error.to_string().contains("Bucket (AWS::IAM::Role): the bucket is not empty"), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test]
async fn without_credentials_the_command_ends_2_and_says_what_to_do() {
    let (code, said) = run_deploy(None).await;
    assert!(said.starts_with("error: no AWS credentials were found"), "{said}");
    assert_eq!((code, said.lines().count()), (Some(2), 1));
}

/// Runs the command itself with nobody at its standard input; credentials are given only together with an endpoint.
async fn run_deploy(endpoint: Option<String>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy"));
    command.args(["deploy", "acme", "--out"]).arg(folder.path()).stdin(std::process::Stdio::null());
    command.env_clear().env("HOME", folder.path());
    command.envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")]);
    if let Some(endpoint) = endpoint {
        command.env("AWS_ENDPOINT_URL", endpoint);
        command.envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")]);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

async fn deploy(endpoint: &str) -> Result<Vec<Deployed>, Error> {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let assembly = Assembly::read(folder.path(), "acme")?;
    let target = Target::connect(&config(endpoint), None).await?;
    ferrostack_deploy::deploy(&target, &assembly, false, &Progress::detect()).await
}

async fn destroy(endpoint: &str, with_data: bool) -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let assembly = Assembly::read(folder.path(), "acme")?;
    let target = Target::connect(&config(endpoint), None).await?;
    ferrostack_deploy::destroy(&target, &assembly, with_data, true, &Progress::detect()).await
}

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(1)))
        .build()
}

fn with_bucket() -> Fake {
    Fake { buckets: [(BOOTSTRAP_BUCKET.to_owned(), BTreeSet::new())].into(), ..Fake::default() }
}

fn with_stack(status: &str) -> Fake {
    let stack = FakeStack { status: status.to_owned(), template: "{}".to_owned(), ..FakeStack::default() };
    Fake { stacks: [(STACK.to_owned(), stack)].into(), ..with_bucket() }
}

/// A stack with a bucket that holds five versions, listed two at a time.
fn with_data() -> Fake {
    let mut fake = with_stack("CREATE_COMPLETE");
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.resources = vec![("Reports", "AWS::S3::Bucket", "acme-reports")];
    stack.template =
        json!({"Resources": {"Reports": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}}}).to_string();
    fake.buckets.insert("acme-reports".to_owned(), BTreeSet::new());
    fake.versions = (1..=5).map(|n| ("report.pdf".to_owned(), format!("v{n}"))).collect();
    fake.listed_page_size = 2;
    fake
}

fn calls(fake: &Shared, of: &str) -> usize {
    fake.lock().unwrap().calls.iter().filter(|call| *call == of || call.starts_with(&format!("{of} "))).count()
}

/// The value of a named member of a list in the query protocol.
fn value_of<'a>(
    request: &'a std::collections::HashMap<String, String>,
    list: &str,
    prefix: &str,
    key: &str,
) -> Option<&'a str> {
    (1..10).map(|n| format!("{list}.member.{n}")).find_map(|member| {
        let name = request.get(&format!("{member}.{prefix}Key"))?;
        (name == key).then(|| request[&format!("{member}.{prefix}Value")].as_str())
    })
}

/// The assembly of tenant `acme` with one stack, with or without its function's code.
fn write_assembly(out: &Path, code: Option<&[u8]>) {
    let folder = out.join("acme");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: &serde_json::Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    let template = json!({
        "Parameters": {"AssetBucket": {"Type": "String", "Default": ""}, "ReloadCodeKey": {"Type": "String"}},
        "Resources": {"Claims": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate"}},
    });
    write(&format!("{STACK}.template.json"), &template);
    let mut files = json!({"template": {"source": {"path": format!("{STACK}.template.json"), "packaging": "file"}, "destinations": {}}});
    let mut parameters = json!({});
    if let Some(code) = code {
        let hash: String = Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(folder.join(format!("asset.{hash}.zip")), code).unwrap();
        parameters["ReloadCodeKey"] = json!(format!("{hash}.zip"));
        files[&hash] = json!({
            "displayName": "Reload/Code",
            "source": {"path": format!("asset.{hash}.zip"), "packaging": "file"},
            "destinations": {"current_account-current_region": {"bucketName": "b", "objectKey": format!("{hash}.zip")}},
        });
    }
    write(&format!("{STACK}.assets.json"), &json!({"version": "34.0.0", "files": files}));
    let manifest = json!({"version": "34.0.0", "artifacts": {
        format!("{STACK}.assets"): {"type": "cdk:asset-manifest", "properties": {"file": format!("{STACK}.assets.json")}},
        STACK: {
            "type": "aws:cloudformation:stack",
            "dependencies": [format!("{STACK}.assets")],
            "properties": {
                "templateFile": format!("{STACK}.template.json"),
                "stackName": STACK,
                "parameters": parameters,
                "tags": {"tenant": "acme"},
            },
        },
    }});
    write("manifest.json", &manifest);
}
