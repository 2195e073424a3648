//! Deletes one stack.

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use crate::aws::sdk_error::from_sdk;
use crate::cloudformation::events;
use crate::{Error, Progress, Target};

/// Deletes the stack and waits until it is gone.
pub(crate) async fn delete_stack(target: &Target, stack: &Stack, progress: &Progress) -> Result<(), Error> {
    let name = stack.stack_name().unwrap_or_default();
    let id = stack.stack_id().unwrap_or(name);
    let since = events::newest(target, id).await?;
    progress.begin(format!("{name}: deleting"), 0);
    let token = target.token(&format!("{id}/delete"));
    let request = target.cloudformation.delete_stack().stack_name(id).client_request_token(token);
    let deleted = target.lanes.changes.call(|| request.clone().send()).await;
    deleted.map_err(|error| from_sdk(&format!("deleting {name}"), error))?;
    let outcome = events::follow(target, id, since, None, progress).await?;
    if outcome.status == StackStatus::DeleteComplete {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{name} could not be deleted and is {}: {}; fix that and destroy it again, or leave the resource behind with \
         `aws cloudformation delete-stack --stack-name {name} --retain-resources LOGICAL_ID`",
        outcome.status.as_str(),
        outcome.reason()
    )))
}
