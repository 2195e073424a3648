//! The tenant `acme` with one stack: its assembly, and its state in AWS.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use ferrostack_deploy::{Assembly, Error, Target};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::fake_aws::{Fake, FakeStack, Shared};

pub(crate) const STACK: &str = "acme-uptime";
pub(crate) const BOOTSTRAP_BUCKET: &str = "cdk-hnb659fds-assets-111122223333-eu-west-1";

/// The assembly of tenant `acme`, and the folder from which uploads read its function's code.
pub(crate) struct Acme {
    pub(crate) assembly: Assembly,
    _folder: TempDir,
}

pub(crate) fn acme() -> Acme {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    Acme { assembly: Assembly::read(folder.path(), "acme").unwrap(), _folder: folder }
}

pub(crate) async fn connect(endpoint: &str) -> Result<Target, Error> {
    Target::connect(&config(endpoint), None).await
}

/// Runs the command on `acme` without a terminal; it gets credentials only together with an endpoint. Returns the exit code, standard
/// output and standard error.
pub(crate) async fn run(endpoint: Option<String>, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let child = start(endpoint, arguments, folder.path());
    ended(child).await
}

/// Starts the command on `acme`, whose assembly it writes into the folder.
pub(crate) fn start(endpoint: Option<String>, arguments: &[&str], folder: &Path) -> Child {
    write_assembly(folder, Some(b"code"));
    start_on(folder, "eu-west-1", endpoint, arguments)
}

/// Starts the command on the assemblies in the folder.
pub(crate) fn start_on(folder: &Path, region: &str, endpoint: Option<String>, arguments: &[&str]) -> Child {
    command(folder, region, endpoint, arguments).spawn().unwrap()
}

/// The command on the assemblies in the folder, with pipes to be read.
pub(crate) fn command(folder: &Path, region: &str, endpoint: Option<String>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy"));
    command.args(arguments).arg("--out").arg(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear().env("HOME", folder);
    command.envs([("AWS_REGION", region), ("AWS_EC2_METADATA_DISABLED", "true")]);
    if let Some(endpoint) = endpoint {
        command.env("AWS_ENDPOINT_URL", endpoint);
        command.envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")]);
    }
    command
}

pub(crate) async fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let [printed, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), printed, said)
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

pub(crate) fn with_bucket() -> Fake {
    Fake { buckets: [(BOOTSTRAP_BUCKET.to_owned(), BTreeSet::new())].into(), ..Fake::default() }
}

pub(crate) fn with_stack(status: &str) -> Fake {
    let parameters = [("PingCodeKey".to_owned(), "old.zip".to_owned())].into();
    let stack = FakeStack { status: status.to_owned(), template: "{}".to_owned(), parameters, ..FakeStack::default() };
    Fake { stacks: [(STACK.to_owned(), stack)].into(), ..with_bucket() }
}

pub(crate) fn calls(fake: &Shared, of: &str) -> usize {
    fake.lock().unwrap().calls.iter().filter(|call| *call == of || call.starts_with(&format!("{of} "))).count()
}

/// The value of a named member of a list in the query protocol.
pub(crate) fn value_of<'a>(
    request: &'a HashMap<String, String>,
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
pub(crate) fn write_assembly(out: &Path, code: Option<&[u8]>) {
    let folder = out.join("acme");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: &serde_json::Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    let template = json!({
        "Parameters": {
            "AssetBucket": {"Type": "String", "Default": ""},
            "PingCodeKey": {"Type": "String"},
            "SlotTable": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/acme/slot-table"},
        },
        "Resources": {
            "Claims": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate"},
            "Ping": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": {"Ref": "PingCodeKey"}}}},
        },
    });
    write(&format!("{STACK}.template.json"), &template);
    let mut files = json!({"template": {"source": {"path": format!("{STACK}.template.json"), "packaging": "file"}, "destinations": {}}});
    let mut parameters = json!({});
    if let Some(code) = code {
        let hash = sha256(code);
        std::fs::write(folder.join(format!("asset.{hash}.zip")), code).unwrap();
        parameters["PingCodeKey"] = json!(format!("{hash}.zip"));
        files[&hash] = json!({
            "displayName": "Ping/Code",
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
            "metadata": {format!("/{STACK}/Claims"): [{"type": "ferrostack:source", "data": "stacks/uptime.rs:12"}]},
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

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
