//! Resources that a stack created and that no longer belong to it: CloudFormation could not delete them, or was told to keep them.
//!
//! During an update, and during its rollback, CloudFormation skips what it cannot delete: the operation succeeds, and the resource is left.
//! <https://repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{ResourceStatus, Stack, StackEvent, StackStatus};

use crate::aws::{bucket, cloud_control};
use crate::cloudformation::events;
use crate::cloudformation::live_stack::{self, LiveResource, LiveStack};
use crate::{Error, Progress, Target};

/// What the stack has left behind in all its time, as far as it still exists.
pub(crate) async fn of_stack(target: &Target, live: &LiveStack) -> Result<Vec<LiveResource>, Error> {
    let history = events::all(target, live.stack.stack_id().unwrap_or_default()).await?;
    let mut left = Vec::new();
    for resource in in_events(&history, &live.resources) {
        // If the caller may not look, or Cloud Control does not know the type, it is better to name one too many.
        if cloud_control::exists(target, &resource.kind, &resource.physical_id).await.unwrap_or(true) {
            left.push(resource);
        }
    }
    Ok(left)
}

/// Deletes what the last update of the stack could not delete: a name that it still takes would stop the next one.
pub(crate) async fn clear(target: &Target, stack: &Stack, progress: &Progress) -> Result<(), Error> {
    if !matches!(stack.stack_status(), Some(StackStatus::UpdateComplete | StackStatus::UpdateRollbackComplete)) {
        return Ok(());
    }
    let history = events::of_last_update(target, stack.stack_id().unwrap_or_default()).await?;
    if history.iter().all(|event| event.resource_status() != Some(&ResourceStatus::DeleteFailed)) {
        return Ok(());
    }
    let Some(live) = live_stack::read(target, stack.stack_name().unwrap_or_default()).await? else { return Ok(()) };
    for resource in in_events(&history, &live.resources).iter().filter(|resource| !resource.retained) {
        try_to_delete(target, resource, progress).await;
    }
    Ok(())
}

/// Deletes a resource that belongs to no stack. If that fails, only says so, because it need not stop anything else.
pub(crate) async fn try_to_delete(target: &Target, left: &LiveResource, progress: &Progress) {
    let LiveResource { logical_id, kind, .. } = left;
    match cloud_control::delete(target, kind, &left.physical_id).await {
        Ok(()) => progress.line(format!("{logical_id} ({kind}), left by an operation that failed, is deleted")),
        Err(error) => {
            progress.line(format!("{logical_id} ({kind}), left by an operation that failed, is kept: {error}"))
        }
    }
}

/// Deletes a resource that belongs to no stack, with what it contains.
pub(crate) async fn delete(target: &Target, left: &LiveResource, progress: &Progress) -> Result<(), Error> {
    progress.begin(format!("deleting {}", left.physical_id), 0);
    if left.kind == "AWS::S3::Bucket" {
        bucket::empty(target, &left.physical_id, progress).await?;
    }
    cloud_control::delete(target, &left.kind, &left.physical_id).await
}

/// The resources whose last event is a deletion that failed or was skipped, without those that still belong to the stack.
fn in_events(history: &[StackEvent], members: &[LiveResource]) -> Vec<LiveResource> {
    let members: BTreeSet<_> = members.iter().map(|member| member.physical_id.as_str()).collect();
    let mut last: BTreeMap<(&str, &str), &StackEvent> = BTreeMap::new();
    for event in history.iter().filter(|event| !events::is_of_stack(event)) {
        let id = event.physical_resource_id().unwrap_or_default();
        last.insert((event.resource_type().unwrap_or_default(), id), event);
    }
    let left = last.into_iter().filter_map(|((kind, id), event)| {
        let retained = match event.resource_status()? {
            ResourceStatus::DeleteFailed => false,
            ResourceStatus::DeleteSkipped => true,
            _ => return None,
        };
        let logical_id = event.logical_resource_id().unwrap_or_default().to_owned();
        let resource = LiveResource { logical_id, physical_id: id.to_owned(), kind: kind.to_owned(), retained };
        (!id.is_empty() && !members.contains(id)).then_some(resource)
    });
    left.collect()
}
