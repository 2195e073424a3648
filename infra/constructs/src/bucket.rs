//! S3 buckets.

use aws::s3::bucket::{
    self, AbortIncompleteMultipartUpload, BucketEncryption, EventBridgeConfiguration, LifecycleConfiguration,
    NoncurrentVersionExpiration, NotificationConfiguration, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, Rule, RuleStatus, ServerSideEncryptionByDefault, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use aws::s3::bucket_policy::{BucketPolicy, Required};
use cfn::intrinsic::{account_id, sub};
use cfn::{Attributes, Construct, Json, Referable, Scope, Value};
use serde_json::json;

use crate::grant::{Grant, deny_plain_http, document};

/// A bucket that is private, encrypted, versioned, accessible only over TLS, and kept when its stack is deleted.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    days: Option<u32>,
    scratch: bool,
    kms_key: Option<String>,
    events: bool,
    writer: Option<Writer>,
}

/// An AWS service that may write to a bucket.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Its principal, `quicksight.amazonaws.com`.
    pub service: &'static str,
    /// Where it may write: the start of every key, with a slash at the end.
    pub prefix: String,
    /// The resources for which it may write, an ARN with `*`: the account alone would allow all of its resources.
    pub source_arn: Value<String>,
}

impl Bucket {
    /// Days that a replaced or deleted version is kept, in case that was a mistake.
    const DAYS_OF_OLD_VERSIONS: i64 = 7;

    /// Deletes objects after this number of days.
    #[must_use]
    pub fn expires_after(mut self, days: u32) -> Self {
        self.days = Some(days);
        self
    }

    /// For objects that can be created again and should not be kept: no versions, so an expired or deleted object is gone.
    #[must_use]
    pub fn scratch(mut self) -> Self {
        self.scratch = true;
        self
    }

    /// Encrypts with the KMS key with this ARN instead of S3's own; readers and writers need rights on the key too.
    #[must_use]
    pub fn encrypted_with(mut self, kms_key: Option<&str>) -> Self {
        self.kms_key = kms_key.map(str::to_owned);
        self
    }

    /// Sends an event for every object to the account's default event bus.
    #[must_use]
    pub fn sends_events(mut self) -> Self {
        self.events = true;
        self
    }

    /// Lets a service write to it.
    #[must_use]
    pub fn written_by(mut self, writer: Writer) -> Self {
        self.writer = Some(writer);
        self
    }
}

impl Construct for Bucket {
    type Ref = BucketRef;

    fn add_to(self, scope: &mut Scope<'_>) -> BucketRef {
        let mut bucket = private_bucket(self.kms_key);
        if !self.scratch {
            let versions = VersioningConfiguration::new(bucket::VersioningConfigurationStatus::Enabled);
            bucket = bucket.versioning_configuration(versions);
        }
        if let Some(days) = self.days {
            bucket = bucket.lifecycle_configuration(lifecycle(days, self.scratch));
        }
        if self.events {
            let events = NotificationConfiguration::new();
            bucket = bucket
                .notification_configuration(events.event_bridge_configuration(EventBridgeConfiguration::new(true)));
        }
        let bucket = scope.add_here(bucket.retain());
        let mut statements = vec![deny_plain_http("s3:*", vec![bucket.arn(), objects(&bucket, "")])];
        if let Some(writer) = self.writer {
            statements.extend(writer.statements(&bucket));
        }
        scope.add(
            "Policy",
            BucketPolicy::new(Required { bucket: bucket.reference(), policy_document: document(statements).into() }),
        );
        BucketRef(bucket)
    }
}

/// What all buckets have in common: they are encrypted, with the KMS key with this ARN or with S3's own, and can never become public.
pub fn private_bucket(kms_key: Option<String>) -> bucket::Bucket {
    bucket::Bucket::new()
        .bucket_encryption(BucketEncryption::new([encryption(kms_key)]))
        .ownership_controls(OwnershipControls::new([
            OwnershipControlsRule::new().object_ownership(bucket::ObjectOwnership::BucketOwnerEnforced)
        ]))
        .public_access_block_configuration(
            PublicAccessBlockConfiguration::new()
                .block_public_acls(true)
                .block_public_policy(true)
                .ignore_public_acls(true)
                .restrict_public_buckets(true),
        )
}

fn encryption(kms_key: Option<String>) -> ServerSideEncryptionRule {
    use bucket::ServerSideEncryptionByDefaultSseAlgorithm::{Aes256, AwsKms};
    let rule = ServerSideEncryptionRule::new();
    match kms_key {
        None => rule.server_side_encryption_by_default(ServerSideEncryptionByDefault::new(Aes256)),
        Some(key) => rule
            .server_side_encryption_by_default(ServerSideEncryptionByDefault::new(AwsKms).kms_master_key_id(key))
            // Otherwise KMS is called for every object.
            .bucket_key_enabled(true),
    }
}

fn lifecycle(days: u32, scratch: bool) -> LifecycleConfiguration {
    let mut rule = Rule::new(RuleStatus::Enabled)
        .id("Expire")
        .expiration_in_days(i64::from(days))
        .abort_incomplete_multipart_upload(AbortIncompleteMultipartUpload::new(1));
    if !scratch {
        rule = rule.noncurrent_version_expiration(NoncurrentVersionExpiration::new(Bucket::DAYS_OF_OLD_VERSIONS));
    }
    LifecycleConfiguration::new([rule])
}

impl Writer {
    fn statements(self, bucket: &bucket::BucketRef) -> [Json; 2] {
        let statement = |actions: &[&str], resource: Value<String>| {
            json!({
                "Effect": "Allow",
                "Principal": { "Service": self.service },
                "Action": actions,
                "Resource": Json::from(resource),
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": Json::from(account_id()) },
                    "ArnLike": { "aws:SourceArn": self.source_arn.json() },
                },
            })
        };
        [
            statement(&["s3:GetBucketLocation"], bucket.arn()),
            statement(&["s3:PutObject", "s3:PutObjectAcl"], objects(bucket, &self.prefix)),
        ]
    }
}

/// The ARN of all objects whose key starts with `prefix`.
fn objects(bucket: &bucket::BucketRef, prefix: &str) -> Value<String> {
    sub(format!("${{{}.Arn}}/{prefix}*", bucket.logical_id()))
}

/// A bucket in a stack.
#[derive(Clone, Debug)]
pub struct BucketRef(bucket::BucketRef);

impl BucketRef {
    /// The bucket's name.
    pub fn name(&self) -> Value<String> {
        self.0.reference()
    }

    /// The bucket's ARN.
    pub fn arn(&self) -> Value<String> {
        self.0.arn()
    }

    /// The right to do `actions`, such as `s3:GetObject`, on its objects.
    pub fn grant_objects(&self, actions: impl Into<Vec<&'static str>>) -> Grant {
        self.grant_below("", actions)
    }

    /// The right to do `actions` on the objects whose key starts with `prefix`.
    pub fn grant_below(&self, prefix: &str, actions: impl Into<Vec<&'static str>>) -> Grant {
        Grant::new(actions, [objects(&self.0, prefix)])
    }

    /// The right to list its keys. It also lets S3 report that a key does not exist; without it, S3 only denies access.
    pub fn grant_list(&self) -> Grant {
        Grant::new(["s3:ListBucket"], [self.0.arn()])
    }

    /// The right to list all versions of the keys that start with `prefix`.
    pub fn grant_list_versions_below(&self, prefix: &str) -> Grant {
        Grant::new(["s3:ListBucketVersions"], [self.0.arn()])
            .only_when(json!({ "StringLike": { "s3:prefix": format!("{prefix}*") } }))
    }
}
