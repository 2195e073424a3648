//! Assemblies of many tenants, and connections to the world they are deployed to.

use std::path::Path;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use ferrostack_deploy::{Assembly, Target};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A folder in memory, if the system has one: the tests are about the order of the writes, not about the disk.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn name(number: usize) -> String {
    format!("t{number:04}")
}

/// Writes the assemblies of this number of tenants, all with the same function.
pub(crate) fn write(out: &Path, tenants: usize) {
    (0..tenants).for_each(|number| write_one(out, &name(number)));
}

pub(crate) fn read(out: &Path, tenants: usize) -> Vec<Assembly> {
    (0..tenants).map(|number| Assembly::read(out, &name(number)).unwrap()).collect()
}

pub(crate) async fn connect(endpoint: &str) -> Target {
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(60));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts.build())
        // Only for the first call, which asks who is calling; the deployer retries all others itself.
        .retry_config(RetryConfig::standard().with_max_attempts(12))
        .build();
    Target::connect(&config, Some("assets")).await.unwrap()
}

fn write_one(out: &Path, tenant: &str) {
    let stack = format!("{tenant}-demo");
    let folder = out.join(tenant);
    std::fs::create_dir_all(&folder).unwrap();
    let hash: String = Sha256::digest(b"code").iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.join("code.zip"), b"code").unwrap();
    let write = |name: String, value: serde_json::Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    write(
        format!("{stack}.template.json"),
        json!({
            "Description": tenant,
            "Parameters": {"AssetBucket": {"Type": "String"}, "PingCodeKey": {"Type": "String"}},
            "Resources": {"Ping": {"Type": "AWS::Lambda::Function"}},
        }),
    );
    let asset = json!({
        "source": {"path": "code.zip", "packaging": "file"},
        "destinations": {"here": {"objectKey": format!("{hash}.zip")}},
    });
    write(format!("{stack}.assets.json"), json!({"version": "34.0.0", "files": {hash.clone(): asset}}));
    let properties = json!({
        "templateFile": format!("{stack}.template.json"),
        "stackName": stack,
        "parameters": {"PingCodeKey": format!("{hash}.zip")},
    });
    let assets = format!("{stack}.assets");
    write(
        "manifest.json".to_owned(),
        json!({"version": "34.0.0", "artifacts": {
            assets.clone(): {"type": "cdk:asset-manifest", "properties": {"file": format!("{stack}.assets.json")}},
            stack: {"type": "aws:cloudformation:stack", "dependencies": [assets], "properties": properties},
        }}),
    );
}
