//! One change set: created, looked at, and either executed or thrown away.

use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter, ResourceChange, StackStatus, Tag,
};

use crate::assets::TemplateSource;
use crate::error::from_sdk;
use crate::watch::{self, Pauses};
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
    pub(crate) template: TemplateSource,
    pub(crate) parameters: Vec<Parameter>,
    /// None leaves the stack's tags as they are.
    pub(crate) tags: Option<Vec<Tag>>,
}

/// Creates a change set and waits for it; `None` if it would change nothing.
pub(crate) async fn create(target: &Target, request: Request<'_>) -> Result<Option<ChangeSet>, Error> {
    let stack = request.stack;
    let name = target.token(&format!("{stack}/{}", request.kind.as_str()));
    let (body, url) = match request.template {
        TemplateSource::Inline(body) => (Some(body), None),
        TemplateSource::Url(url) => (None, Some(url)),
    };
    let created = target
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
        .capabilities(Capability::CapabilityIam)
        .send()
        .await
        .map_err(|error| from_sdk(&format!("creating the change set of {stack}"), error))?;
    let (Some(id), Some(stack_id)) = (created.id, created.stack_id) else {
        return Err(Error::Failed(format!("CloudFormation created no change set for {stack}")));
    };
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

/// Starts the change set's work.
pub(crate) async fn execute(target: &Target, change_set: &ChangeSet, stack: &str) -> Result<(), Error> {
    let token = target.token(&format!("{}/execute", change_set.id));
    let request =
        target.cloudformation.execute_change_set().change_set_name(&change_set.id).client_request_token(token);
    request.send().await.map_err(|error| from_sdk(&format!("executing the change set of {stack}"), error))?;
    Ok(())
}

/// Deletes a change set that is not wanted, so that none pile up.
pub(crate) async fn discard(target: &Target, id: &str, stack: &str) -> Result<(), Error> {
    let request = target.cloudformation.delete_change_set().change_set_name(id);
    request.send().await.map_err(|error| from_sdk(&format!("deleting the change set of {stack}"), error))?;
    Ok(())
}

/// Deletes the stack that a change set of the type CREATE leaves behind when it is not executed, unless something came to be in it or
/// another change set waits in it.
pub(crate) async fn discard_empty_stack(target: &Target, stack: &str) -> Result<(), Error> {
    let Some(found) = watch::describe(target, stack).await? else { return Ok(()) };
    let id = found.stack_id().unwrap_or(stack);
    if found.stack_status() != Some(&StackStatus::ReviewInProgress) || has_change_sets(target, id).await? {
        return Ok(());
    }
    let token = target.token(&format!("{id}/discard"));
    let request = target.cloudformation.delete_stack().stack_name(id).client_request_token(token);
    request.send().await.map_err(|error| from_sdk(&format!("deleting the empty stack {stack}"), error))?;
    let mut pauses = Pauses::new();
    while let Some(found) = watch::describe(target, id).await? {
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
    let answer = target.cloudformation.list_change_sets().stack_name(stack_id).send().await;
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
        let mut pages = target.cloudformation.describe_change_set().change_set_name(id).into_paginator().send();
        let mut state = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| from_sdk(&format!("looking at the change set of {stack}"), error))?;
            state = page.status.clone().map(|status| (status, page.status_reason.clone().unwrap_or_default()));
            changes.extend(page.changes.unwrap_or_default().into_iter().filter_map(|change| change.resource_change));
        }
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
