//! The empty stack that a change set of the type CREATE leaves behind if it is not executed.

use aws_sdk_cloudformation::types::{ChangeSetStatus, StackStatus};

use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::aws::stacks;
use crate::{Error, Target};

/// Deletes the empty stack, unless it has been created in the meantime or another change set waits in it.
pub(crate) async fn discard_empty_stack(target: &Target, stack: &str) -> Result<(), Error> {
    let Some(found) = stacks::describe(target, stack).await? else { return Ok(()) };
    let id = found.stack_id().unwrap_or(stack);
    if !stacks::is_empty(&found) || has_change_sets(target, id).await? {
        return Ok(());
    }
    let token = target.token(&format!("{id}/discard"));
    let request = target.cloudformation.delete_stack().stack_name(id).client_request_token(token);
    let deleted = target.lanes.changes.call(|| request.clone().send()).await;
    deleted.map_err(|error| from_sdk(&format!("deleting the empty stack {stack}"), error))?;
    let mut pauses = Pauses::new();
    while let Some(found) = stacks::describe(target, id).await? {
        match found.stack_status() {
            Some(StackStatus::DeleteComplete) => break,
            Some(StackStatus::DeleteFailed) => {
                return Err(Error::Failed(format!(
                    "the empty stack {stack} could not be deleted; run scripts/destroy"
                )));
            }
            _ => pauses.wait(&format!("the deletion of the empty stack {stack}")).await?,
        }
    }
    Ok(())
}

async fn has_change_sets(target: &Target, stack_id: &str) -> Result<bool, Error> {
    let request = target.cloudformation.list_change_sets().stack_name(stack_id);
    let answer = target.lanes.looks.call(|| request.clone().send()).await;
    let answer = answer.map_err(|error| from_sdk(&format!("listing the change sets of {stack_id}"), error))?;
    // A change set that is being deleted, as ours may be, does not count.
    let waits = |status: Option<&ChangeSetStatus>| {
        !matches!(
            status,
            Some(ChangeSetStatus::DeletePending | ChangeSetStatus::DeleteInProgress | ChangeSetStatus::DeleteComplete)
        )
    };
    Ok(answer.summaries().iter().any(|summary| waits(summary.status())))
}
