//! Follows one operation on a stack to its end: polls with back-off and jitter, and shows each event once.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{Stack, StackEvent, StackStatus};

use crate::assembly::StackArtifact;
use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::aws::stacks;
use crate::cloudformation::failed_resource::described;
use crate::cloudformation::next_step::is_under_way;
use crate::{Error, Progress, Target};

/// How one operation ended.
pub(crate) struct OperationOutcome {
    pub(crate) status: StackStatus,
    /// The first resource that failed, and why; later failures are consequences. If none failed, why the stack itself rolled back.
    pub(crate) failure: Option<String>,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl OperationOutcome {
    pub(crate) fn reason(&self) -> &str {
        self.failure.as_deref().unwrap_or("CloudFormation named no failed resource")
    }
}

/// The newest event of a stack, after which [`follow`] shows events.
pub(crate) async fn newest(target: &Target, stack: &str) -> Result<Option<String>, Error> {
    let request = target.cloudformation.describe_stack_events().stack_name(stack);
    let page = target.lanes.looks.call(|| request.clone().send()).await;
    let page = page.map_err(|error| from_sdk(&format!("reading the events of {stack}"), error))?;
    Ok(page.stack_events().first().and_then(StackEvent::event_id).map(str::to_owned))
}

/// Waits for an operation that somebody else has started; `None` if the stack does not exist or no longer exists.
pub(crate) async fn settle(target: &Target, stack_id: &str) -> Result<Option<Stack>, Error> {
    let mut pauses = Pauses::new();
    loop {
        let stack = stacks::describe(target, stack_id).await?;
        if !stack.as_ref().and_then(Stack::stack_status).is_some_and(is_under_way) {
            return Ok(stack);
        }
        pauses.wait(stack_id).await?;
    }
}

/// Waits for the end of an operation that this run has started. `since` is the newest event before it, and `artifact` knows the line of Rust
/// that added a resource which fails.
///
/// Only the events are polled: an account has few calls per second, and the events show both what happens and when it ends.
pub(crate) async fn follow(
    target: &Target,
    stack_id: &str,
    since: Option<String>,
    artifact: Option<&StackArtifact>,
    progress: &Progress,
) -> Result<OperationOutcome, Error> {
    let mut pauses = Pauses::new();
    let mut shown = BTreeSet::new();
    let mut finished = BTreeSet::new();
    let (mut failure, mut rolled_back) = (None, None);
    loop {
        // The status alone is not enough: for a moment it can still be the one from before the operation.
        let mut ended = false;
        for event in events_after(target, stack_id, since.as_deref()).await? {
            let is_stack = event.physical_resource_id() == Some(stack_id);
            if is_stack {
                ended = !status_of(&event).ends_with("_IN_PROGRESS");
            }
            if !shown.insert(event.event_id().unwrap_or_default().to_owned()) {
                continue;
            }
            show(&event, progress);
            failure = failure.or_else(|| failed_resource(&event, artifact));
            rolled_back = rolled_back.or_else(|| failed_stack(&event).filter(|_| is_stack));
            if !is_stack && is_finished(&event) {
                finished.insert(event.logical_resource_id().unwrap_or_default().to_owned());
                progress.done(finished.len() as u64);
            }
        }
        if ended {
            let stack = stacks::describe(target, stack_id).await?;
            let status = stack.as_ref().and_then(Stack::stack_status).cloned().unwrap_or(StackStatus::DeleteComplete);
            if !is_under_way(&status) {
                let outputs = stack.map(|stack| stacks::outputs(&stack)).unwrap_or_default();
                return Ok(OperationOutcome { status, failure: failure.or(rolled_back), outputs });
            }
        }
        pauses.wait(stack_id).await?;
    }
}

/// All events of the stack, oldest first. CloudFormation keeps them for 90 days after the stack is deleted.
pub(crate) async fn all(target: &Target, stack_id: &str) -> Result<Vec<StackEvent>, Error> {
    events_until(target, stack_id, |_| false).await
}

/// The events of the last update and its rollback, oldest first.
pub(crate) async fn of_last_update(target: &Target, stack_id: &str) -> Result<Vec<StackEvent>, Error> {
    let begins = |event: &StackEvent| is_of_stack(event) && status_of(event) == StackStatus::UpdateInProgress.as_str();
    events_until(target, stack_id, begins).await
}

/// Events newer than `since`, oldest first.
async fn events_after(target: &Target, stack_id: &str, since: Option<&str>) -> Result<Vec<StackEvent>, Error> {
    events_until(target, stack_id, |event| since.is_some() && event.event_id() == since).await
}

/// Events newer than the one that `ends` the search, oldest first. CloudFormation lists the newest first, in pages.
async fn events_until(
    target: &Target,
    stack_id: &str,
    ends: impl Fn(&StackEvent) -> bool,
) -> Result<Vec<StackEvent>, Error> {
    let mut events = Vec::new();
    let mut next = None;
    loop {
        let request = target.cloudformation.describe_stack_events().stack_name(stack_id).set_next_token(next);
        let page = target.lanes.looks.call(|| request.clone().send()).await;
        let page = page.map_err(|error| from_sdk(&format!("reading the events of {stack_id}"), error))?;
        next = page.next_token;
        for event in page.stack_events.unwrap_or_default() {
            if ends(&event) {
                next = None;
                break;
            }
            events.push(event);
        }
        if next.is_none() {
            events.reverse();
            return Ok(events);
        }
    }
}

/// Whether the event is about the stack itself.
pub(crate) fn is_of_stack(event: &StackEvent) -> bool {
    event.physical_resource_id().is_some() && event.physical_resource_id() == event.stack_id()
}

fn status_of(event: &StackEvent) -> &str {
    event.resource_status().map_or("", |status| status.as_str())
}

fn show(event: &StackEvent, progress: &Progress) {
    let reason = event.resource_status_reason().filter(|reason| !reason.is_empty()).map(|reason| format!("  {reason}"));
    let reason = reason.unwrap_or_default();
    let (kind, name) = (event.resource_type().unwrap_or_default(), event.logical_resource_id().unwrap_or_default());
    let line = format!("  {:<20} {name}  {kind}{reason}", status_of(event));
    if status_of(event).ends_with("_FAILED") { progress.line(line) } else { progress.detail(line) }
}

fn is_finished(event: &StackEvent) -> bool {
    status_of(event).ends_with("_COMPLETE") || status_of(event) == "DELETE_SKIPPED"
}

/// Why a stack rolls back, for example because somebody cancelled its update.
fn failed_stack(event: &StackEvent) -> Option<String> {
    let status = status_of(event);
    let back = status.ends_with("_FAILED") || status.ends_with("ROLLBACK_IN_PROGRESS");
    event.resource_status_reason().filter(|reason| back && !reason.is_empty()).map(str::to_owned)
}

/// The resource that failed, and why. A resource that CloudFormation cancelled because another one failed is not the cause.
fn failed_resource(event: &StackEvent, artifact: Option<&StackArtifact>) -> Option<String> {
    let reason = event.resource_status_reason().unwrap_or("no reason was given");
    if !status_of(event).ends_with("_FAILED") || reason.contains("cancelled") || is_of_stack(event) {
        return None;
    }
    let (kind, name) = (event.resource_type().unwrap_or_default(), event.logical_resource_id().unwrap_or_default());
    Some(format!("{}: {reason}", described(name, kind, artifact)))
}
