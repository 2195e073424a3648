//! What a tenant has in the account outside its stacks, because a deletion was skipped or failed.

use aws_sdk_cloudformation::types::Stack;

use crate::cloudformation::kept::{self, Whose};
use crate::cloudformation::leftover;
use crate::cloudformation::live_stack::{LiveResource, LiveStack};
use crate::destroy::teardown::is_chosen;
use crate::{Assembly, Error, Progress, Target};

/// A resource that belongs to no stack.
pub(super) struct Left {
    /// The name of the stack that created it.
    pub(super) stack: String,
    pub(super) resource: LiveResource,
}

/// What the stacks that are to be deleted have left, and what is left of stacks that are gone, as far as the operator has chosen these.
/// Each with the place where it is.
pub(super) async fn find<'a>(
    target: &'a Target,
    assembly: &Assembly,
    doomed: &[(Target, LiveStack)],
    deployed: &[(&Target, Stack)],
    only: Option<&str>,
) -> Result<Vec<(&'a Target, Left)>, Error> {
    let tenant = &assembly.tenant;
    let mut left = Vec::new();
    for place in target.places() {
        for (_, live) in doomed.iter().filter(|(other, _)| other.region == place.region) {
            let stack = live.stack.stack_name().unwrap_or_default();
            let resources = leftover::of_stack(place, live).await?.into_iter();
            left.extend(resources.map(|resource| (place, Left { stack: stack.to_owned(), resource })));
        }
        let here = deployed.iter().filter(|(other, _)| other.region == place.region);
        let existing: Vec<_> = here.map(|(_, stack)| stack.clone()).collect();
        let kept = kept::of_gone_stacks(place, Whose::Tenant(tenant), &existing).await?.into_iter();
        let kept = kept.filter(|kept| is_chosen(tenant, &kept.stack, only));
        left.extend(kept.map(|kept| (place, Left { stack: kept.stack, resource: kept.resource })));
    }
    Ok(left)
}

/// Deletes them, all that can be.
///
/// # Errors
///
/// The first one that could not be deleted.
pub(super) async fn delete(left: &[(&Target, LiveResource)], progress: &Progress) -> Result<(), Error> {
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
