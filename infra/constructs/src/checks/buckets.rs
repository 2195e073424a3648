//! Buckets: access control lists.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use cfn::{Finding, Template};

use super::{at, of_type};

/// New buckets have no access control lists, unless their ownership controls allow them.
pub(super) fn check(template: &Template) -> Vec<Finding> {
    let with_list = of_type(template, "AWS::S3::Bucket").filter_map(|(id, bucket)| {
        let list = bucket.properties["AccessControl"].as_str().filter(|list| *list != "Private")?;
        let message =
            format!("has the AccessControl {list}, which needs OwnershipControls; use a bucket policy instead");
        bucket.properties["OwnershipControls"].is_null().then(|| at(id, bucket, message))
    });
    with_list.collect()
}
