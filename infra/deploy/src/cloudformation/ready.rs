//! Brings a stack into a state in which it can be created or updated.

use aws_sdk_cloudformation::types::{ChangeSetType, Stack, StackStatus};

use crate::assembly::StackArtifact;
use crate::aws::sdk_error::from_sdk;
use crate::cloudformation::delete_stack::delete_stack;
use crate::cloudformation::live_stack::{self, LiveStack};
use crate::cloudformation::next_step::{NextStep, next_step};
use crate::cloudformation::{events, leftover};
use crate::{Error, Progress, Target};

/// A stack that can be created or updated.
pub(crate) struct ReadyStack {
    pub(crate) kind: ChangeSetType,
    /// The stack as it is; `None` if it is to be created.
    pub(crate) live: Option<Stack>,
    /// The `before` of the request that changes it.
    pub(crate) before: String,
}

impl ReadyStack {
    /// A stack to be created, after the stack with the ID `deleted` if that was in the way.
    pub(crate) fn to_create(deleted: &str) -> ReadyStack {
        ReadyStack { kind: ChangeSetType::Create, live: None, before: format!("nothing, after {deleted}") }
    }

    /// A stack to be updated.
    pub(crate) fn to_update(live: Stack) -> ReadyStack {
        ReadyStack { kind: ChangeSetType::Update, before: state_of(&live), live: Some(live) }
    }
}

/// Identifies the state of a stack: it changes with every update.
pub(crate) fn state_of(stack: &Stack) -> String {
    format!("{} of {:?}", stack.stack_id().unwrap_or_default(), stack.last_updated_time())
}

/// Deletes what is left of a failed creation, finishes the rollback of a failed update, and waits for operations of others.
pub(crate) async fn make_ready(
    target: &Target,
    stack: &StackArtifact,
    progress: &Progress,
) -> Result<ReadyStack, Error> {
    let name = stack.name.as_str();
    let mut deleted = String::new();
    // Each round ends in a stable status, and only a deletion or a rollback leads to another one; more rounds mean that somebody else is
    // deploying.
    for _ in 0..4 {
        let Some(live) = events::settle(target, name).await? else { return Ok(ReadyStack::to_create(&deleted)) };
        let status = live.stack_status().cloned().unwrap_or(StackStatus::DeleteComplete);
        match next_step(&status) {
            NextStep::Create => return Ok(ReadyStack::to_create(&deleted)),
            NextStep::Update => {
                leftover::clear(target, &live, progress).await?;
                return Ok(ReadyStack::to_update(live));
            }
            NextStep::Recreate => {
                progress.line(format!("{name} is {}: deleting it before it is created again", status.as_str()));
                // A rollback that was completed has left nothing.
                let failed = match status {
                    StackStatus::RollbackComplete => None,
                    _ => live_stack::read(target, name).await?,
                };
                delete_stack(target, &live, progress).await?;
                // New and unused, so the rollback was to delete it; but the deletion of a stack keeps it.
                for resource in failed.iter().flat_map(LiveStack::retained_except_on_create) {
                    leftover::try_to_delete(target, resource, progress).await;
                }
                deleted = live.stack_id().unwrap_or_default().to_owned();
            }
            NextStep::ContinueRollback => {
                progress.line(format!("{name} is {}: continuing the rollback of its update", status.as_str()));
                continue_rollback(target, stack, &live, progress).await?;
            }
            NextStep::Wait => progress.line(format!("{name} is {}", status.as_str())),
            NextStep::Stop(advice) => return Err(Error::Failed(format!("{name} is {}: {advice}", status.as_str()))),
        }
    }
    Err(keeps_changing(name))
}

/// Somebody else is at work on the stack.
pub(crate) fn keeps_changing(stack: &str) -> Error {
    Error::Failed(format!("{stack} keeps changing; somebody else is deploying it, try again later"))
}

async fn continue_rollback(
    target: &Target,
    stack: &StackArtifact,
    live: &Stack,
    progress: &Progress,
) -> Result<(), Error> {
    let name = stack.name.as_str();
    let id = live.stack_id().unwrap_or(name);
    let since = events::newest(target, id).await?;
    let token = target.token(&format!("{id}/continue/{}", since.as_deref().unwrap_or_default()));
    let request = target.cloudformation.continue_update_rollback().stack_name(id).client_request_token(token);
    let continued = target.lanes.changes.call(|| request.clone().send()).await;
    continued.map_err(|error| from_sdk(&format!("continuing the rollback of {name}"), error))?;
    let outcome = events::follow(target, id, since, Some(stack), progress).await?;
    if outcome.status == StackStatus::UpdateRollbackComplete {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{name} is {}: its update could not be rolled back because of {}; fix that and deploy again, or skip the resource with \
         `aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip LOGICAL_ID`",
        outcome.status.as_str(),
        outcome.reason()
    )))
}
