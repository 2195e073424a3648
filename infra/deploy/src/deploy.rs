//! Brings the stacks of an assembly up, one change set each.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Stack, StackStatus, Tag};

use crate::assembly::{ASSET_BUCKET_PARAMETER, StackArtifact};
use crate::change_set::{self, ChangeSet};
use crate::status::{Verb, verb};
use crate::{Assembly, Error, Progress, Target, assets, destroy, prompt, watch};

/// What became of one stack.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The stack's name.
    pub stack: String,
    /// What had to be done.
    pub change: Change,
    /// The stack's outputs by name.
    pub outputs: BTreeMap<String, String>,
}

/// What a deployment did to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did not exist.
    Created,
    /// It existed and was different.
    Updated,
    /// It was already as synthesized.
    Unchanged,
}

impl std::fmt::Display for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        })
    }
}

/// Deploys every stack of the assembly in order, and stops at the first that fails. Running it again goes on from there.
///
/// With `yes`, a change set that removes or replaces a resource with data is executed without asking.
///
/// # Errors
///
/// [`Error::Refused`] before anything was changed; [`Error::Failed`] with the first failed resource and its reason.
pub async fn deploy(
    target: &Target,
    assembly: &Assembly,
    yes: bool,
    progress: &Progress,
) -> Result<Vec<Deployed>, Error> {
    for stack in &assembly.stacks {
        stack.require_functions()?;
    }
    for stack in &assembly.stacks {
        assets::upload_missing(target, &stack.assets, progress).await?;
    }
    let mut deployed = Vec::new();
    for stack in &assembly.stacks {
        deployed.push(deploy_stack(target, stack, yes, progress).await?);
    }
    Ok(deployed)
}

async fn deploy_stack(
    target: &Target,
    stack: &StackArtifact,
    yes: bool,
    progress: &Progress,
) -> Result<Deployed, Error> {
    let name = stack.name.as_str();
    progress.begin(format!("{name}: looking at what is there"), 0);
    let (kind, existing) = ready_for_change(target, name, progress).await?;

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let request = change_set::Request {
        stack: name,
        kind: kind.clone(),
        template: assets::template_source(target, &stack.template).await?,
        parameters: parameters(target, stack),
        tags: Some(tags(stack)),
    };
    let Some(change_set) = change_set::create(target, request).await? else {
        let outputs = existing.map(|stack| watch::outputs(&stack)).unwrap_or_default();
        return Ok(Deployed { stack: name.to_owned(), change: Change::Unchanged, outputs });
    };
    agree(target, stack, &change_set, yes, progress).await?;

    let since = watch::newest_event(target, &change_set.stack_id).await?;
    progress.begin(format!("{name}: {} changes", change_set.changes.len()), change_set.changes.len() as u64);
    change_set::execute(target, &change_set, name).await?;
    let ended = watch::follow(target, &change_set.stack_id, since, progress).await?;
    match ended.status {
        StackStatus::CreateComplete | StackStatus::UpdateComplete => {
            let change = if kind == ChangeSetType::Create { Change::Created } else { Change::Updated };
            Ok(Deployed { stack: name.to_owned(), change, outputs: ended.outputs })
        }
        status => Err(Error::Failed(format!(
            "{name} ended as {}: {}",
            status.as_str(),
            ended.failure.unwrap_or_else(|| "CloudFormation named no failed resource".to_owned())
        ))),
    }
}

/// Brings the stack into a state in which it can be created or updated.
async fn ready_for_change(
    target: &Target,
    name: &str,
    progress: &Progress,
) -> Result<(ChangeSetType, Option<Stack>), Error> {
    // Each round ends in a stable status, and only a deletion leads to another; three rounds mean that somebody else is at work.
    for _ in 0..3 {
        let Some(stack) = watch::settle(target, name).await? else { return Ok((ChangeSetType::Create, None)) };
        let status = stack.stack_status().cloned().unwrap_or(StackStatus::DeleteComplete);
        match verb(&status) {
            Verb::Create => return Ok((ChangeSetType::Create, None)),
            Verb::Update => return Ok((ChangeSetType::Update, Some(stack))),
            Verb::Recreate => {
                progress.line(format!("{name} is {}: deleting it before it is created again", status.as_str()));
                destroy::delete_stack(target, &stack, progress).await?;
            }
            Verb::Wait => progress.line(format!("{name} is {}", status.as_str())),
            Verb::Stop(advice) => return Err(Error::Failed(format!("{name} is {}: {advice}", status.as_str()))),
        }
    }
    Err(Error::Failed(format!("{name} keeps changing; somebody else is deploying it, try again later")))
}

/// Asks before the stack parts from data.
async fn agree(
    target: &Target,
    stack: &StackArtifact,
    change_set: &ChangeSet,
    yes: bool,
    progress: &Progress,
) -> Result<(), Error> {
    let name = stack.name.as_str();
    let parted: Vec<_> =
        change_set.changes.iter().filter(|change| change_set::leaves_data_behind(change, &stack.retained)).collect();
    if parted.is_empty() || yes {
        return Ok(());
    }
    progress.clear();
    progress.line(format!("{name} would part from data; the old resources stay, but outside the stack:"));
    for change in &parted {
        progress.line(format!("  {}", change_set::summary(change)));
    }
    let question = format!("type yes to change {name} like this: ");
    let answer = prompt::ask(&question, &format!("{name} would part from the data in {} resources", parted.len()));
    if matches!(answer.as_deref(), Ok("yes")) {
        return Ok(());
    }
    change_set::discard(target, &change_set.id, name).await?;
    answer.and(Err(Error::Refused(format!("{name} was left as it is"))))
}

fn parameters(target: &Target, stack: &StackArtifact) -> Vec<Parameter> {
    let mut values = stack.parameters.clone();
    if stack.takes_asset_bucket() {
        // The templates find the bootstrap bucket themselves, so that the stock `cdk` CLI deploys the same stack.
        let bucket = if target.bucket.bootstrap { String::new() } else { target.bucket.name.clone() };
        values.insert(ASSET_BUCKET_PARAMETER.to_owned(), bucket);
    }
    values
        .into_iter()
        .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
        .collect()
}

fn tags(stack: &StackArtifact) -> Vec<Tag> {
    stack.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
