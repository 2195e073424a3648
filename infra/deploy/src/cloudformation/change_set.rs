//! One change set: created, looked at, and either executed or thrown away.

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::operation::delete_change_set::DeleteChangeSetError;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, DeploymentConfig, DeploymentConfigMode, ExecutionStatus, Parameter,
    ResourceChange, StackStatus, Tag,
};

use crate::aws::assets::TemplateSource;
use crate::cloudformation::events::{self, Pauses};
use crate::error::from_sdk;
use crate::{Error, Target};

/// A change set that can be executed.
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) stack_id: String,
    pub(crate) changes: Vec<ResourceChange>,
}

/// What a change set is made from.
pub(crate) struct Request<'a> {
    pub(crate) stack: &'a str,
    pub(crate) kind: ChangeSetType,
    /// What the stack is before: a change set for it as it is now is another one than for what it was once.
    pub(crate) before: String,
    pub(crate) template: TemplateSource,
    pub(crate) parameters: Vec<Parameter>,
    /// None leaves the stack's tags as they are.
    pub(crate) tags: Option<Vec<Tag>>,
    /// Whether CloudFormation is done as soon as everything is configured, before it is ready to serve.
    pub(crate) express: bool,
}

impl Request<'_> {
    /// The change set's name, which is its token too. The same request by the same try has the same name, also after a restart.
    pub(crate) fn name(&self, target: &Target) -> String {
        let template = match &self.template {
            TemplateSource::Inline(text) | TemplateSource::Url(text) => cfn::sha256(text),
        };
        let parameters: Vec<_> = self.parameters.iter().map(|it| (it.parameter_key(), it.parameter_value())).collect();
        target.token(&format!(
            "{}/{}/{}/{template}/{parameters:?}/{}",
            self.stack,
            self.kind.as_str(),
            self.before,
            self.express
        ))
    }
}

/// Creates a change set and waits for it; `None` if it would change nothing.
pub(crate) async fn create(target: &Target, request: Request<'_>) -> Result<Option<ChangeSet>, Error> {
    let stack = request.stack;
    let (id, stack_id) = request_one(target, request).await?;
    match wait(target, &id, stack).await? {
        Outcome::Ready(changes) => Ok(Some(ChangeSet { id, stack_id, changes })),
        Outcome::NoChanges => {
            discard(target, &id, stack).await?;
            Ok(None)
        }
        Outcome::Failed(reason) => {
            discard(target, &id, stack).await?;
            Err(Error::Failed(format!("CloudFormation refused the change set of {stack}: {reason}")))
        }
    }
}

/// The ids of the new change set and its stack.
async fn request_one(target: &Target, request: Request<'_>) -> Result<(String, String), Error> {
    let stack = request.stack;
    let name = request.name(target);
    let (body, url) = match request.template {
        TemplateSource::Inline(body) => (Some(body), None),
        TemplateSource::Url(url) => (None, Some(url)),
    };
    // A failed express deployment is undone like any other: the mode's own default for that is not relied on.
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
        .set_deployment_config(request.express.then_some(express))
        .capabilities(Capability::CapabilityIam);
    let created = match target.lanes.changes.call(|| create.clone().send()).await {
        Ok(created) => (created.id, created.stack_id),
        // It is ours: nobody else knows the name. The answer to an earlier request was lost, or the process that had asked was killed.
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

/// Starts the change set's work.
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

/// Deletes a change set that is not wanted, so that none pile up.
pub(crate) async fn discard(target: &Target, id: &str, stack: &str) -> Result<(), Error> {
    let request = target.cloudformation.delete_change_set().change_set_name(id);
    discarded(target.lanes.changes.call(|| request.clone().send()).await, stack)
}

/// Deletes a change set whose id is not known, if it exists.
pub(crate) async fn discard_by_name(target: &Target, name: &str, stack: &str) -> Result<(), Error> {
    let request = target.cloudformation.delete_change_set().change_set_name(name).stack_name(stack);
    discarded(target.lanes.changes.call(|| request.clone().send()).await, stack)
}

fn discarded<T>(answer: Result<T, SdkError<DeleteChangeSetError, HttpResponse>>, stack: &str) -> Result<(), Error> {
    match answer {
        Err(error) if error.code() == Some("ChangeSetNotFound") => Ok(()),
        // Nor is there a stack that it could be in.
        Err(error) if error.message().is_some_and(|text| text.contains("does not exist")) => Ok(()),
        Err(error) => Err(from_sdk(&format!("deleting the change set of {stack}"), error)),
        Ok(_) => Ok(()),
    }
}

/// Deletes the stack that a change set of the type CREATE leaves behind when it is not executed, unless something came to be in it or
/// another change set waits in it.
pub(crate) async fn discard_empty_stack(target: &Target, stack: &str) -> Result<(), Error> {
    let Some(found) = events::describe(target, stack).await? else { return Ok(()) };
    let id = found.stack_id().unwrap_or(stack);
    if found.stack_status() != Some(&StackStatus::ReviewInProgress) || has_change_sets(target, id).await? {
        return Ok(());
    }
    let token = target.token(&format!("{id}/discard"));
    let request = target.cloudformation.delete_stack().stack_name(id).client_request_token(token);
    let deleted = target.lanes.changes.call(|| request.clone().send()).await;
    deleted.map_err(|error| from_sdk(&format!("deleting the empty stack {stack}"), error))?;
    let mut pauses = Pauses::new();
    while let Some(found) = events::describe(target, id).await? {
        match found.stack_status() {
            Some(StackStatus::DeleteComplete) => break,
            Some(StackStatus::DeleteFailed) => {
                return Err(Error::Failed(format!(
                    "the empty stack {stack} could not be deleted; run scripts/destroy"
                )));
            }
            _ => pauses.wait(&format!("the end of the empty stack {stack}")).await?,
        }
    }
    Ok(())
}

async fn has_change_sets(target: &Target, stack_id: &str) -> Result<bool, Error> {
    let request = target.cloudformation.list_change_sets().stack_name(stack_id);
    let answer = target.lanes.looks.call(|| request.clone().send()).await;
    let answer = answer.map_err(|error| from_sdk(&format!("listing the change sets of {stack_id}"), error))?;
    // One that is on its way out, as ours may be, is none that waits.
    let waits = |status: Option<&ChangeSetStatus>| {
        !matches!(
            status,
            Some(ChangeSetStatus::DeletePending | ChangeSetStatus::DeleteInProgress | ChangeSetStatus::DeleteComplete)
        )
    };
    Ok(answer.summaries().iter().any(|summary| waits(summary.status())))
}

enum Outcome {
    Ready(Vec<ResourceChange>),
    NoChanges,
    Failed(String),
}

async fn wait(target: &Target, id: &str, stack: &str) -> Result<Outcome, Error> {
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
            Some((ChangeSetStatus::CreateComplete, _)) => return Ok(Outcome::Ready(changes)),
            // CloudFormation has no status for "nothing to do", only these two sentences.
            Some((ChangeSetStatus::Failed, reason))
                if reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") =>
            {
                return Ok(Outcome::NoChanges);
            }
            Some((ChangeSetStatus::Failed, reason)) => return Ok(Outcome::Failed(reason)),
            _ => pauses.wait(&format!("the change set of {stack}")).await?,
        }
    }
}
