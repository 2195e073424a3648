//! S3 buckets.

use crate::grant::{Grant, deny_plain_http, document};
use aws::s3::bucket::{
    self, BucketEncryption, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault, ServerSideEncryptionRule, VersioningConfiguration,
};
use aws::s3::bucket_policy::{BucketPolicy, Required};
use cfn::intrinsic::join;
use cfn::{Attributes, Construct, Scope, Value};

/// A bucket that is private, encrypted, versioned, reached over TLS only, and survives its stack.
#[derive(Clone, Debug, Default)]
pub struct Bucket {}

impl Construct for Bucket {
    type Ref = BucketRef;

    fn add_to(self, scope: &mut Scope<'_>) -> BucketRef {
        let encryption = ServerSideEncryptionRule::new().server_side_encryption_by_default(
            ServerSideEncryptionByDefault::new(bucket::ServerSideEncryptionByDefaultSseAlgorithm::Aes256),
        );
        let bucket = scope.add_here(
            bucket::Bucket::new()
                .bucket_encryption(BucketEncryption::new([encryption]))
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
                .versioning_configuration(VersioningConfiguration::new(bucket::VersioningConfigurationStatus::Enabled))
                .retain(),
        );
        let statement = deny_plain_http("s3:*", vec![bucket.arn(), objects(&bucket)]);
        scope.add(
            "Policy",
            BucketPolicy::new(Required {
                bucket: bucket.reference(),
                policy_document: document(vec![statement]).into(),
            }),
        );
        BucketRef(bucket)
    }
}

fn objects(bucket: &bucket::BucketRef) -> Value<String> {
    join("", [bucket.arn(), "/*".into()])
}

/// A bucket in a stack.
#[derive(Clone, Debug)]
pub struct BucketRef(bucket::BucketRef);

impl BucketRef {
    /// The bucket's name.
    pub fn name(&self) -> Value<String> {
        self.0.reference()
    }

    /// The right to do `actions`, such as `s3:GetObject`, on its objects.
    pub fn grant_objects(&self, actions: impl Into<Vec<&'static str>>) -> Grant {
        Grant::new(actions, [objects(&self.0)])
    }
}
