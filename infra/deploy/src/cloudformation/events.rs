//! Follows one stack operation to its end: polls with back-off and jitter, and tells each event once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Stack, StackEvent, StackStatus};
use tokio::time::Instant;

use crate::cloudformation::next_step::is_under_way;
use crate::error::from_sdk;
use crate::{Error, Progress, Target};

/// No operation of ours takes longer than CloudFormation's own limit for a custom resource, one hour, and a rollback.
const LONGEST_OPERATION: Duration = Duration::from_secs(2 * 3600);

/// How one operation ended.
pub(crate) struct Ended {
    pub(crate) status: StackStatus,
    /// The first resource that failed, and why: the later ones are consequences. If none did, why the stack itself turned back.
    pub(crate) failure: Option<String>,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Ended {
    pub(crate) fn reason(&self) -> &str {
        self.failure.as_deref().unwrap_or("CloudFormation named no failed resource")
    }
}

/// A growing, jittered pause: quick answers from quick operations, and few calls for slow ones.
pub(crate) struct Pauses {
    next: Duration,
    give_up: Instant,
}

impl Pauses {
    pub(crate) fn new() -> Pauses {
        Pauses { next: Duration::from_millis(100), give_up: Instant::now() + LONGEST_OPERATION }
    }

    /// Waits 50 to 100 % of the current pause, which then grows by half, up to five seconds.
    pub(crate) async fn wait(&mut self, for_what: &str) -> Result<(), Error> {
        if Instant::now() > self.give_up {
            return Err(Error::Failed(format!(
                "gave up waiting for {for_what} after two hours; it may still be under way"
            )));
        }
        tokio::time::sleep(self.next.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        self.next = (self.next + self.next / 2).min(Duration::from_secs(5));
        Ok(())
    }
}

/// The stack, unless it does not exist or is deleted. A name finds live stacks, an id (ARN) deleted ones too.
pub(crate) async fn describe(target: &Target, stack: &str) -> Result<Option<Stack>, Error> {
    let request = target.cloudformation.describe_stacks().stack_name(stack);
    match target.lanes.looks.call(|| request.clone().send()).await {
        Ok(answer) => Ok(answer.stacks.unwrap_or_default().into_iter().next()),
        // There is no code of its own for this.
        Err(error)
            if error.code() == Some("ValidationError")
                && error.message().is_some_and(|text| text.contains("does not exist")) =>
        {
            Ok(None)
        }
        Err(error) => Err(from_sdk(&format!("looking at the stack {stack}"), error)),
    }
}

/// Whether the stack is there and came to a good end.
pub(crate) fn stands(stack: &Stack) -> bool {
    use StackStatus as S;
    matches!(stack.stack_status(), Some(S::CreateComplete | S::UpdateComplete | S::UpdateCompleteCleanupInProgress))
}

/// The newest event of a stack, as the mark from which [`follow`] tells events.
pub(crate) async fn newest_event(target: &Target, stack: &str) -> Result<Option<String>, Error> {
    let request = target.cloudformation.describe_stack_events().stack_name(stack);
    let page = target.lanes.looks.call(|| request.clone().send()).await;
    let page = page.map_err(|error| from_sdk(&format!("reading the events of {stack}"), error))?;
    Ok(page.stack_events().first().and_then(StackEvent::event_id).map(str::to_owned))
}

/// Waits for an operation that somebody else has started; `None` once the stack is gone.
pub(crate) async fn settle(target: &Target, stack_id: &str) -> Result<Option<Stack>, Error> {
    let mut pauses = Pauses::new();
    loop {
        let stack = describe(target, stack_id).await?;
        if !stack.as_ref().and_then(Stack::stack_status).is_some_and(is_under_way) {
            return Ok(stack);
        }
        pauses.wait(stack_id).await?;
    }
}

/// Waits for the end of an operation that this run has started. `since` is the newest event before it.
///
/// Only the events are polled: each look is one call out of an account's few, and the events tell both what happens and the end.
pub(crate) async fn follow(
    target: &Target,
    stack_id: &str,
    since: Option<String>,
    sources: &BTreeMap<String, String>,
    progress: &Progress,
) -> Result<Ended, Error> {
    let mut pauses = Pauses::new();
    let mut told = BTreeSet::new();
    let mut finished = BTreeSet::new();
    let (mut failure, mut turned_back) = (None, None);
    loop {
        // The status alone does not do: for a moment it can still be the one from before the operation.
        let mut ended = false;
        for event in events_after(target, stack_id, since.as_deref()).await? {
            let is_stack = event.physical_resource_id() == Some(stack_id);
            if is_stack {
                ended = !status_of(&event).ends_with("_IN_PROGRESS");
            }
            if !told.insert(event.event_id().unwrap_or_default().to_owned()) {
                continue;
            }
            tell(&event, progress);
            failure = failure.or_else(|| failed_resource(&event, sources));
            turned_back = turned_back.or_else(|| failed_stack(&event).filter(|_| is_stack));
            if !is_stack && is_finished(&event) {
                finished.insert(event.logical_resource_id().unwrap_or_default().to_owned());
                progress.done(finished.len() as u64);
            }
        }
        if ended {
            let stack = describe(target, stack_id).await?;
            let status = stack.as_ref().and_then(Stack::stack_status).cloned().unwrap_or(StackStatus::DeleteComplete);
            if !is_under_way(&status) {
                let outputs = stack.map(|stack| outputs(&stack)).unwrap_or_default();
                return Ok(Ended { status, failure: failure.or(turned_back), outputs });
            }
        }
        pauses.wait(stack_id).await?;
    }
}

/// The stack's outputs by name.
pub(crate) fn outputs(stack: &Stack) -> BTreeMap<String, String> {
    let pair = |output: &aws_sdk_cloudformation::types::Output| {
        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
    };
    stack.outputs().iter().filter_map(pair).collect()
}

/// Events newer than `since`, oldest first. The service lists the newest first, in pages.
async fn events_after(target: &Target, stack_id: &str, since: Option<&str>) -> Result<Vec<StackEvent>, Error> {
    let mut events = Vec::new();
    let mut next = None;
    loop {
        let request = target.cloudformation.describe_stack_events().stack_name(stack_id).set_next_token(next);
        let page = target.lanes.looks.call(|| request.clone().send()).await;
        let page = page.map_err(|error| from_sdk(&format!("reading the events of {stack_id}"), error))?;
        next = page.next_token;
        for event in page.stack_events.unwrap_or_default() {
            if since.is_some() && event.event_id() == since {
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

fn status_of(event: &StackEvent) -> &str {
    event.resource_status().map_or("", |status| status.as_str())
}

fn tell(event: &StackEvent, progress: &Progress) {
    let reason = event.resource_status_reason().filter(|reason| !reason.is_empty()).map(|reason| format!("  {reason}"));
    let reason = reason.unwrap_or_default();
    let (kind, name) = (event.resource_type().unwrap_or_default(), event.logical_resource_id().unwrap_or_default());
    let line = format!("  {:<20} {name}  {kind}{reason}", status_of(event));
    if status_of(event).ends_with("_FAILED") { progress.line(line) } else { progress.detail(line) }
}

fn is_finished(event: &StackEvent) -> bool {
    status_of(event).ends_with("_COMPLETE") || status_of(event) == "DELETE_SKIPPED"
}

/// Why a stack goes back to what it was, for example because somebody cancelled its update.
fn failed_stack(event: &StackEvent) -> Option<String> {
    let status = status_of(event);
    let back = status.ends_with("_FAILED") || status.ends_with("ROLLBACK_IN_PROGRESS");
    event.resource_status_reason().filter(|reason| back && !reason.is_empty()).map(str::to_owned)
}

/// A resource that CloudFormation gave up only because another one failed is no cause.
fn failed_resource(event: &StackEvent, sources: &BTreeMap<String, String>) -> Option<String> {
    let reason = event.resource_status_reason().unwrap_or("no reason was given");
    let is_stack = event.physical_resource_id().is_some() && event.physical_resource_id() == event.stack_id();
    if !status_of(event).ends_with("_FAILED") || reason.contains("cancelled") || is_stack {
        return None;
    }
    let (kind, name) = (event.resource_type().unwrap_or_default(), event.logical_resource_id().unwrap_or_default());
    let made = sources.get(name).map(|line| format!(", from {line}")).unwrap_or_default();
    Some(format!("{name} ({kind}{made}): {reason}"))
}
