//! Brings the stacks of an assembly up, one change set each.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Stack, StackStatus};

use crate::assembly::{ASSET_BUCKET_PARAMETER, StackArtifact};
use crate::change_set::{self, ChangeSet};
use crate::verb::{Verb, verb};
use crate::{Assembly, Error, Progress, Target, assets, destroy, parting, version, watch};

/// What an operator decides about a deployment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The git revision that is deployed, with `-dirty` when not all is committed; up to 256 characters, kept as a tag of the stacks.
    pub revision: Option<String>,
    /// Logical ids of resources with data that may be replaced or removed.
    pub allow_replacement: BTreeSet<String>,
}

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
/// # Errors
///
/// [`Error::Refused`] before the stack was changed, also when it would part from data that the options do not name;
/// [`Error::Failed`] with the first failed resource and its reason.
pub async fn deploy(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
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
        deployed.push(deploy_stack(target, stack, options, progress).await?);
    }
    Ok(deployed)
}

async fn deploy_stack(
    target: &Target,
    stack: &StackArtifact,
    options: &Options,
    progress: &Progress,
) -> Result<Deployed, Error> {
    let name = stack.name.as_str();
    progress.begin(format!("{name}: looking at what is there"), 0);
    let (kind, existing) = ready_for_change(target, name, progress).await?;

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let request = request(target, stack, &kind, existing.as_ref(), options.revision.as_deref()).await?;
    let Some(change_set) = change_set::create(target, request).await? else {
        let outputs = existing.map(|stack| watch::outputs(&stack)).unwrap_or_default();
        return Ok(Deployed { stack: name.to_owned(), change: Change::Unchanged, outputs });
    };
    refuse_to_part(target, stack, &change_set, &options.allow_replacement).await?;

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

/// Throws the change set away if it parts from data that is not `allowed` to go.
async fn refuse_to_part(
    target: &Target,
    stack: &StackArtifact,
    change_set: &ChangeSet,
    allowed: &BTreeSet<String>,
) -> Result<(), Error> {
    let partings: Vec<_> =
        change_set.changes.iter().filter_map(|change| parting::parting(change, &stack.retained)).collect();
    let refused: Vec<_> = partings.iter().filter(|parting| !allowed.contains(&parting.logical_id)).collect();
    if refused.is_empty() {
        return Ok(());
    }
    change_set::discard(target, &change_set.id, &stack.name).await?;
    Err(Error::Refused(parting::refusal(&stack.name, &refused)))
}

/// What the stack's change set is made from, whether it is then executed or only looked at.
pub(crate) async fn request<'a>(
    target: &Target,
    stack: &'a StackArtifact,
    kind: &ChangeSetType,
    live: Option<&Stack>,
    revision: Option<&str>,
) -> Result<change_set::Request<'a>, Error> {
    let parameters = parameters(target, stack);
    let tags = version::tags(stack, revision, &parameters, live);
    let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
    Ok(change_set::Request {
        stack: &stack.name,
        kind: kind.clone(),
        template: assets::template_source(target, &stack.template).await?,
        parameters: parameters.into_iter().map(parameter).collect(),
        tags: Some(tags),
    })
}

fn parameters(target: &Target, stack: &StackArtifact) -> BTreeMap<String, String> {
    let mut values = stack.parameters.clone();
    if stack.takes_asset_bucket() {
        // The templates find the bootstrap bucket themselves, so that the stock `cdk` CLI deploys the same stack.
        let bucket = if target.bucket.bootstrap { String::new() } else { target.bucket.name.clone() };
        values.insert(ASSET_BUCKET_PARAMETER.to_owned(), bucket);
    }
    values
}
