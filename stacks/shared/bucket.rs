//! Buckets that a tenant file names, and places in them.

use cfn::intrinsic::{account_id, sub};
use cfn::{Json, Value};
use constructs::{Grant, bucket_name};
use serde_json::json;

use crate::shared::fields::checked_text;

checked_text! {
    /// The name of a bucket.
    pub BucketName, bucket_name::check
}

impl BucketName {
    /// The right to perform `actions` on the objects whose keys match `keys`, which may contain `*`, if the bucket belongs to `account`.
    ///
    /// The name alone is not enough: when a bucket is deleted, anybody can create one of the same name.
    pub(crate) fn grant_objects(
        &self,
        keys: &str,
        actions: impl Into<Vec<&'static str>>,
        account: Value<String>,
    ) -> Grant {
        let objects = sub(format!("arn:${{AWS::Partition}}:s3:::{}/{keys}", self.0));
        Grant::new(actions, [objects]).only_when(json!({ "StringEquals": owned_by(account) }))
    }

    /// The right to list the keys that start with `prefix`, if the bucket belongs to this account.
    pub(crate) fn grant_list_below(&self, prefix: &str) -> Grant {
        let bucket = sub(format!("arn:${{AWS::Partition}}:s3:::{}", self.0));
        let below = json!({ "s3:prefix": format!("{prefix}*") });
        Grant::new(["s3:ListBucket"], [bucket])
            .only_when(json!({ "StringEquals": owned_by(account_id()), "StringLike": below }))
    }
}

fn owned_by(account: Value<String>) -> Json {
    json!({ "aws:ResourceAccount": Json::from(account) })
}

checked_text! {
    /// The start of a key, with a slash at its end.
    pub KeyPrefix, |text: &str| {
        let is_part = |part: &str| !part.is_empty() && !part.trim_matches('.').is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if text.len() <= 256 && text.strip_suffix('/').is_some_and(|path| path.split('/').all(is_part)) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid prefix; use folders of letters, digits, `-`, `_` and `.` with a slash after each, as in reports/daily/"))
    }
}
