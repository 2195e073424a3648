//! One change set: created, looked at, and either executed or deleted.

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::operation::delete_change_set::DeleteChangeSetError;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, DeploymentConfig, DeploymentConfigMode, ExecutionStatus, ResourceChange,
};

use crate::aws::assets::TemplateSource;
use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::cloudformation::empty_stack::discard_empty_stack;
use crate::cloudformation::refusal;
use crate::cloudformation::request::Request;
use crate::{Error, Target};

/// A change set that can be executed.
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) stack_id: String,
    pub(crate) changes: Vec<ResourceChange>,
}

/// Creates a change set and waits until it can be executed; `None` if it would change nothing.
pub(crate) async fn create(target: &Target, request: Request<'_>) -> Result<Option<ChangeSet>, Error> {
    let stack = request.stack;
    let creates = request.kind == ChangeSetType::Create;
    let artifact = request.artifact;
    let (id, stack_id) = send_request(target, request).await?;
    match wait_until_created(target, &id, stack).await? {
        Creation::Ready(changes) => Ok(Some(ChangeSet { id, stack_id, changes })),
        Creation::NoChanges => {
            discard(target, &id, stack).await?;
            Ok(None)
        }
        Creation::Failed(reason) => {
            let found = refusal::findings(target, &id, artifact).await;
            discard(target, &id, stack).await?;
            if creates {
                discard_empty_stack(target, stack).await?;
            }
            let reason = if found.is_empty() { reason } else { found.join("; ") };
            Err(Error::Failed(format!("CloudFormation rejected the change set of {stack}: {reason}")))
        }
    }
}

/// The IDs of the new change set and its stack.
async fn send_request(target: &Target, request: Request<'_>) -> Result<(String, String), Error> {
    let stack = request.stack;
    let name = request.name(target);
    let (body, url) = match request.template {
        TemplateSource::Inline(body) => (Some(body), None),
        TemplateSource::Url(url) => (None, Some(url)),
    };
    // A failed express deployment is rolled back like any other; the mode's own default is not relied on.
    let express = DeploymentConfig::builder().mode(DeploymentConfigMode::Express).disable_rollback(false).build();
    let create = target
        .cloudformation
        .create_change_set()
        .stack_name(stack)
        .change_set_name(&name)
        .client_token(&name)
        .change_set_type(request.kind)
        .set_template_body(body)
        .set_template_url(url)
        .set_parameters(Some(request.parameters))
        .set_tags(request.tags)
        .set_role_arn(request.execution_role)
        .set_deployment_config(request.express.then_some(express))
        .capabilities(Capability::CapabilityIam);
    let created = match target.lanes.changes.call(|| create.clone().send()).await {
        Ok(created) => (created.id, created.stack_id),
        // It is ours: nobody else knows the name. The answer to an earlier request was lost, or the process that sent it was killed.
        Err(error) if error.code() == Some("AlreadyExistsException") => {
            let describe = target.cloudformation.describe_change_set().change_set_name(&name).stack_name(stack);
            let found = target.lanes.looks.call(|| describe.clone().send()).await;
            let found = found.map_err(|error| from_sdk(&format!("looking at the change set of {stack}"), error))?;
            (found.change_set_id, found.stack_id)
        }
        Err(error) => return Err(from_sdk(&format!("creating the change set of {stack}"), error)),
    };
    match created {
        (Some(id), Some(stack_id)) => Ok((id, stack_id)),
        _ => Err(Error::Failed(format!("CloudFormation created no change set for {stack}"))),
    }
}

/// Starts the execution of the change set.
pub(crate) async fn execute(target: &Target, change_set: &ChangeSet, stack: &str) -> Result<(), Error> {
    let token = target.token(&format!("{}/execute", change_set.id));
    let request =
        target.cloudformation.execute_change_set().change_set_name(&change_set.id).client_request_token(token);
    match target.lanes.changes.call(|| request.clone().send()).await {
        Ok(_) => Ok(()),
        // An earlier request took effect, and its answer was lost.
        Err(error) if error.code() == Some("InvalidChangeSetStatus") && is_executed(target, change_set).await? => {
            Ok(())
        }
        Err(error) => Err(from_sdk(&format!("executing the change set of {stack}"), error)),
    }
}

async fn is_executed(target: &Target, change_set: &ChangeSet) -> Result<bool, Error> {
    let request = target.cloudformation.describe_change_set().change_set_name(&change_set.id);
    let found = target.lanes.looks.call(|| request.clone().send()).await;
    let found = found.map_err(|error| from_sdk("looking at an executed change set", error))?;
    Ok(matches!(
        found.execution_status(),
        Some(ExecutionStatus::ExecuteInProgress | ExecutionStatus::ExecuteComplete | ExecutionStatus::ExecuteFailed)
    ))
}

/// Deletes a change set that is not executed, so that none pile up.
pub(crate) async fn discard(target: &Target, id: &str, stack: &str) -> Result<(), Error> {
    let request = target.cloudformation.delete_change_set().change_set_name(id);
    discarded(target.lanes.changes.call(|| request.clone().send()).await, stack)
}

/// Deletes a change set of which only the name is known, if it exists.
pub(crate) async fn discard_by_name(target: &Target, name: &str, stack: &str) -> Result<(), Error> {
    let request = target.cloudformation.delete_change_set().change_set_name(name).stack_name(stack);
    discarded(target.lanes.changes.call(|| request.clone().send()).await, stack)
}

fn discarded<T>(answer: Result<T, SdkError<DeleteChangeSetError, HttpResponse>>, stack: &str) -> Result<(), Error> {
    match answer {
        Err(error) if error.code() == Some("ChangeSetNotFound") => Ok(()),
        // The stack that it would be in does not exist either.
        Err(error) if error.message().is_some_and(|text| text.contains("does not exist")) => Ok(()),
        Err(error) => Err(from_sdk(&format!("deleting the change set of {stack}"), error)),
        Ok(_) => Ok(()),
    }
}

/// How the creation of a change set ended.
enum Creation {
    Ready(Vec<ResourceChange>),
    NoChanges,
    Failed(String),
}

async fn wait_until_created(target: &Target, id: &str, stack: &str) -> Result<Creation, Error> {
    let mut pauses = Pauses::new();
    loop {
        let mut changes = Vec::new();
        let mut next = None;
        let state = loop {
            let request = target.cloudformation.describe_change_set().change_set_name(id).set_next_token(next);
            let page = target.lanes.looks.call(|| request.clone().send()).await;
            let page = page.map_err(|error| from_sdk(&format!("looking at the change set of {stack}"), error))?;
            changes.extend(page.changes.unwrap_or_default().into_iter().filter_map(|change| change.resource_change));
            next = page.next_token;
            if next.is_none() {
                break page.status.map(|status| (status, page.status_reason.unwrap_or_default()));
            }
        };
        match state {
            Some((ChangeSetStatus::CreateComplete, _)) => return Ok(Creation::Ready(changes)),
            // CloudFormation has no status for "nothing to change", only these two sentences.
            Some((ChangeSetStatus::Failed, reason))
                if reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") =>
            {
                return Ok(Creation::NoChanges);
            }
            Some((ChangeSetStatus::Failed, reason)) => return Ok(Creation::Failed(reason)),
            _ => pauses.wait(&format!("the change set of {stack}")).await?,
        }
    }
}
