//! What a tenant has in the account outside its stacks, because a deletion was skipped or failed.

use aws_sdk_cloudformation::types::Stack;

use crate::assembly::{PLATFORM, is_platform};
use crate::cloudformation::kept::{self, Whose};
use crate::cloudformation::leftover;
use crate::cloudformation::live_stack::{LiveResource, LiveStack};
use crate::{Error, Progress, Target};

/// A resource that belongs to no stack.
pub(super) struct Left {
    pub(super) place: Target,
    /// The name of the stack that created it.
    pub(super) stack: String,
    pub(super) resource: LiveResource,
}

/// What the stacks that are to be deleted have left, and what is left of stacks that are gone, as far as these are `chosen` by name.
pub(super) async fn find(
    target: &Target,
    tenant: &str,
    doomed: &[(Target, LiveStack)],
    existing: &[(&Target, Stack)],
    chosen: impl Fn(&str) -> bool,
) -> Result<Vec<Left>, Error> {
    let tenant = if is_platform(tenant) { PLATFORM } else { tenant };
    let mut left = Vec::new();
    for (place, live) in doomed {
        let stack = live.stack.stack_name().unwrap_or_default();
        let resources = leftover::of_stack(place, live).await?.into_iter();
        left.extend(resources.map(|resource| Left { place: place.clone(), stack: stack.to_owned(), resource }));
    }
    for place in target.places() {
        let there = existing.iter().filter(|(other, _)| other.region == place.region);
        let there: Vec<_> = there.map(|(_, stack)| stack.clone()).collect();
        let kept = kept::of_gone_stacks(place, Whose::Tenant(tenant), &there).await?.into_iter();
        let kept = kept.filter(|kept| chosen(&kept.stack));
        left.extend(kept.map(|kept| Left { place: place.clone(), stack: kept.stack, resource: kept.resource }));
    }
    Ok(left)
}

/// Deletes them, all that can be.
///
/// # Errors
///
/// The first one that could not be deleted.
pub(super) async fn delete(left: &[(Target, LiveResource)], progress: &Progress) -> Result<(), Error> {
    let mut result = Ok(());
    for (place, resource) in left {
        let deleted = leftover::delete(place, resource, progress).await;
        result = result.and(deleted.map_err(|error| {
            Error::Failed(format!(
                "{} ({}) belongs to no stack and could not be deleted: {error}; fix that and destroy it again",
                resource.logical_id, resource.kind
            ))
        }));
    }
    result
}
