//! What a tenant has in the account outside its stacks, because a deletion was skipped or failed.

use aws_sdk_cloudformation::types::Stack;

use crate::cloudformation::kept::{self, Whose};
use crate::cloudformation::leftover;
use crate::cloudformation::live_stack::{LiveResource, LiveStack};
use crate::{Error, Progress, Target};

/// A resource that belongs to no stack.
pub(super) struct Left {
    /// The name of the stack that created it.
    pub(super) stack: String,
    pub(super) resource: LiveResource,
}

/// What the stacks that are to be deleted have left, and what is left of stacks that are gone, as far as these are `chosen` by name.
pub(super) async fn find(
    target: &Target,
    tenant: &str,
    doomed: &[LiveStack],
    existing: &[Stack],
    chosen: impl Fn(&str) -> bool,
) -> Result<Vec<Left>, Error> {
    let mut left = Vec::new();
    for live in doomed {
        let stack = live.stack.stack_name().unwrap_or_default();
        let resources = leftover::of_stack(target, live).await?.into_iter();
        left.extend(resources.map(|resource| Left { stack: stack.to_owned(), resource }));
    }
    let kept = kept::of_gone_stacks(target, Whose::Tenant(tenant), existing).await?.into_iter();
    let kept = kept.filter(|kept| chosen(&kept.stack));
    left.extend(kept.map(|kept| Left { stack: kept.stack, resource: kept.resource }));
    Ok(left)
}

/// Deletes them, all that can be.
///
/// # Errors
///
/// The first one that could not be deleted.
pub(super) async fn delete(target: &Target, left: &[LiveResource], progress: &Progress) -> Result<(), Error> {
    let mut result = Ok(());
    for resource in left {
        let deleted = leftover::delete(target, resource, progress).await;
        result = result.and(deleted.map_err(|error| {
            Error::Failed(format!(
                "{} ({}) belongs to no stack and could not be deleted: {error}; fix that and destroy it again",
                resource.logical_id, resource.kind
            ))
        }));
    }
    result
}
