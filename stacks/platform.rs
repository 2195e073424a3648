//! What all tenants of an account and region share. One stack, deployed once, before the first tenant.
//!
//! ```text
//! Assets   bucket: the functions' code and large templates, put there by the deployer, read by CloudFormation
//! Slots    table: who runs one of the few QuickSight snapshot jobs that an account may have at once
//! Gateway  the role with which API Gateway writes every stage's access log in this account and region, unless somebody else has
//!          set one; it is kept when the stack is deleted
//!    └──► parameters under /ferrostack/platform/, by which other stacks find the bucket and the table
//! ```
//!
//! Other stacks read these through parameters. An export would tie the stacks together: CloudFormation refuses to delete or replace what
//! another stack imports.

use aws::apigateway::account::Account;
use aws::iam::role::Role;
use aws::s3::bucket::{
    self, AbortIncompleteMultipartUpload, Bucket, BucketRef, LifecycleConfiguration, NoncurrentVersionExpiration, Rule,
    VersioningConfiguration,
};
use aws::s3::bucket_policy::{self, BucketPolicy};
use aws::ssm::parameter::{self, Parameter};
use cfn::intrinsic::{equals, sub, sub_with};
use cfn::{Attributes, Stack, Value};
use constructs::{Table, private_bucket};
use serde_json::json;

/// The stack's name, the same in every account and region.
pub const STACK: &str = "ferrostack-platform";
/// The folder of its assembly, next to those of the tenants: a name that no tenant can have. If there are environments, each has its own
/// assembly, in [`folder_in`].
pub const FOLDER: &str = "platform";
/// The folder of the platform's assembly in an environment of this name.
pub fn folder_in(environment: &str) -> String {
    format!("{FOLDER}.{environment}")
}

/// Whether this is the folder of a platform's assembly.
pub fn is_folder(name: &str) -> bool {
    name.strip_prefix(FOLDER).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The SSM parameter with the name of the bucket for functions' code and large templates.
pub const ASSET_BUCKET: &str = "/ferrostack/platform/asset-bucket";
/// The SSM parameter with the name of the table of QuickSight slots.
pub const SLOT_TABLE: &str = "/ferrostack/platform/slot-table";

/// The parameter with a role for API Gateway's logs that somebody else has set, which the deployer finds.
const LOG_ROLE: &str = "LogRole";

/// Days after which an overwritten or deleted object is removed for good. Until then, a mistake can be undone.
const NONCURRENT_DAYS: i64 = 30;
/// Days after which the parts of an incomplete upload are removed.
const INCOMPLETE_DAYS: i64 = 1;

/// The one stack of an account and region.
pub fn stack() -> Stack {
    let mut stack = Stack::new(STACK)
        .description(
            "What all tenants of this account and region share: code bucket, QuickSight slots, access-log role",
        )
        .tag("ferrostack:system", "platform");

    let assets = stack.add("Assets", asset_bucket());
    stack.add("AssetsPolicy", tls_only(&assets));
    // A slot is a lease of minutes, so there is nothing to keep.
    let slots = stack.add("Slots", Table::new("slot").disposable());

    add_log_role(&mut stack);

    stack.add(
        "AssetBucketName",
        name_of("Bucket for functions' code and large templates", ASSET_BUCKET, assets.reference()),
    );
    stack.add("SlotTableName", name_of("Table of QuickSight slots", SLOT_TABLE, slots.name()));
    stack.output("AssetBucket", assets.reference());
    stack.output("SlotTable", slots.name());
    stack
}

/// API Gateway has one role for logs in each account and region, and keeps it when the stack is deleted. So the role is kept too: without
/// it, every API of the region would lose its logs, including those of other teams. A role that somebody else has set stays.
fn add_log_role(stack: &mut Stack) {
    let existing: Value<String> = stack.parameter(
        LOG_ROLE,
        cfn::Parameter::string()
            .default("")
            .description("ARN of the role with which API Gateway writes logs already; empty if there is none"),
    );
    let is_missing = stack.condition("CreatesLogRole", equals(existing, ""));
    let role = stack.add("GatewayRole", log_writer().retain().only_if(&is_missing));
    stack.add("Gateway", Account::new().cloud_watch_role_arn(role.arn()).retain().only_if(&is_missing));
}

/// Objects are named by the hash of their content and are kept: to roll back an update, CloudFormation reads the previous code.
fn asset_bucket() -> cfn::With<Bucket> {
    let leftovers = Rule::new(bucket::RuleStatus::Enabled)
        .id("Leftovers")
        .noncurrent_version_expiration(NoncurrentVersionExpiration::new(NONCURRENT_DAYS))
        .abort_incomplete_multipart_upload(AbortIncompleteMultipartUpload::new(INCOMPLETE_DAYS));
    private_bucket(None)
        .lifecycle_configuration(LifecycleConfiguration::new([leftovers]))
        .versioning_configuration(VersioningConfiguration::new(bucket::VersioningConfigurationStatus::Enabled))
        .retain()
}

fn tls_only(bucket: &BucketRef) -> BucketPolicy {
    let objects = sub_with("${Bucket}/*", [("Bucket", bucket.arn())]);
    let statement = json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [cfn::Json::from(bucket.arn()), cfn::Json::from(objects)],
        "Condition": { "Bool": { "aws:SecureTransport": false } },
    });
    BucketPolicy::new(bucket_policy::Required {
        bucket: bucket.reference(),
        policy_document: json!({ "Version": "2012-10-17", "Statement": [statement] }).into(),
    })
}

/// API Gateway refuses a role that lacks any of the rights in AWS's own policy.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>
fn log_writer() -> Role {
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } },
    });
    let policy = sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs");
    Role::new(json!({ "Version": "2012-10-17", "Statement": [trust] })).managed_policy_arns([policy])
}

fn name_of(description: &str, parameter: &str, value: Value<String>) -> Parameter {
    Parameter::new(parameter::Required { r#type: parameter::Type::String.into(), value })
        .name(parameter)
        .description(description)
}
