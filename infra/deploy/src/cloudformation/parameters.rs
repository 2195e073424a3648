//! The values of a template's parameters.

use std::collections::BTreeMap;

use crate::Target;
use crate::assembly::{ASSET_BUCKET_PARAMETER, StackArtifact};
use crate::aws::target::Origin;

/// The parameters of the stack's template that get a value.
pub(crate) fn parameters(target: &Target, stack: &StackArtifact) -> BTreeMap<String, String> {
    let mut values = stack.parameters.clone();
    if stack.takes_asset_bucket() {
        // The templates find the bootstrap bucket themselves, so that the stock `cdk` CLI deploys the same stack.
        let bootstrap = target.bucket.origin == Origin::Bootstrap;
        let bucket = if bootstrap { String::new() } else { target.bucket.name.clone() };
        values.insert(ASSET_BUCKET_PARAMETER.to_owned(), bucket);
    }
    values
}
