//! Brings the stacks of an assembly up, one change set each.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Stack, StackStatus};
use futures_util::{StreamExt, stream};

use crate::assembly::read::{ASSET_BUCKET_PARAMETER, StackArtifact};
use crate::aws::assets;
use crate::aws::target::Origin;
use crate::cloudformation::change_set::{self, ChangeSet};
use crate::cloudformation::next_step::{Verb, verb};
use crate::cloudformation::{events, version};
use crate::destroy::teardown;
use crate::error::from_sdk;
use crate::plan::data_loss;
use crate::{Assembly, Error, Progress, Target};

/// What an operator decides about a deployment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The git revision that is deployed, with `-dirty` when not all is committed; up to 256 characters, kept as a tag of the stacks.
    pub revision: Option<String>,
    /// Logical ids of resources with data that may be replaced or removed.
    pub allow_replacement: BTreeSet<String>,
    /// Whether CloudFormation is done with a stack as soon as everything is configured, before it is ready to serve.
    pub express: bool,
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
    /// Logical ids of resources with data that were replaced or removed, as the options allowed.
    pub parted: BTreeSet<String>,
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

/// Stacks of one tenant that are under way at the same time; a tenant has one for each of its systems.
const STACKS_AT_ONCE: usize = 5;

/// Deploys every stack of the assembly, each after those it depends on and otherwise several at once, and begins no other one when one
/// has failed. Running it again goes on from there.
///
/// # Errors
///
/// [`Error::Refused`] before the stack was changed, also when it would part from data that the options do not name;
/// [`Error::Failed`] with the first failed resource, its reason, and the line of Rust that made it.
pub async fn deploy(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    progress: &Progress,
) -> Result<Vec<Deployed>, Error> {
    for stack in &assembly.stacks {
        stack.require_functions()?;
    }
    assets::upload_missing(target, assembly.stacks.iter().flat_map(|stack| &stack.assets), progress).await?;
    deploy_stacks(target, assembly, options, progress).await
}

/// [`deploy`], when the functions' code is in the bucket already.
pub(crate) async fn deploy_stacks(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    progress: &Progress,
) -> Result<Vec<Deployed>, Error> {
    let mut deployed: Vec<Deployed> = Vec::new();
    for layer in layers(&assembly.stacks) {
        if let [stack] = layer[..] {
            deployed.push(deploy_stack(target, stack, options, progress).await?);
            continue;
        }
        let parts = layer.into_iter().map(async |stack: &StackArtifact| {
            let part = progress.part(&stack.name);
            deploy_stack(target, stack, options, &part).await
        });
        let results: Vec<_> = stream::iter(parts).buffered(STACKS_AT_ONCE).collect().await;
        for result in results {
            deployed.push(result?);
        }
    }
    Ok(deployed)
}

/// The stacks in groups; each depends only on stacks of earlier groups.
fn layers(stacks: &[StackArtifact]) -> Vec<Vec<&StackArtifact>> {
    let mut layers: Vec<Vec<&StackArtifact>> = Vec::new();
    let mut level: BTreeMap<&str, usize> = BTreeMap::new();
    // The assembly has them in an order in which they can be created. A dependency that `--only` left out stands already.
    for stack in stacks {
        let after = stack.dependencies.iter().filter_map(|it| level.get(it.as_str())).map(|it| it + 1).max();
        let at = after.unwrap_or(0);
        level.insert(&stack.name, at);
        if layers.len() <= at {
            layers.resize_with(at + 1, Vec::new);
        }
        layers[at].push(stack);
    }
    layers
}

async fn deploy_stack(
    target: &Target,
    stack: &StackArtifact,
    options: &Options,
    progress: &Progress,
) -> Result<Deployed, Error> {
    let name = stack.name.as_str();
    progress.begin(format!("{name}: looking at what is there"), 0);
    let ready = ready_for_change(target, stack, progress).await?;

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let request = request(target, stack, &ready, options.revision.as_deref(), options.express).await?;
    let Some(change_set) = change_set::create(target, request).await? else {
        let outputs = ready.live.map(|stack| events::outputs(&stack)).unwrap_or_default();
        return Ok(Deployed { stack: name.to_owned(), change: Change::Unchanged, outputs, parted: BTreeSet::new() });
    };
    let parted = refuse_to_part(target, stack, &change_set, &options.allow_replacement).await?;

    let since = events::newest_event(target, &change_set.stack_id).await?;
    progress.begin(format!("{name}: {} changes", change_set.changes.len()), change_set.changes.len() as u64);
    change_set::execute(target, &change_set, name).await?;
    let ended = events::follow(target, &change_set.stack_id, since, &stack.sources, progress).await?;
    match ended.status {
        StackStatus::CreateComplete | StackStatus::UpdateComplete => {
            let change = if ready.kind == ChangeSetType::Create { Change::Created } else { Change::Updated };
            Ok(Deployed { stack: name.to_owned(), change, outputs: ended.outputs, parted })
        }
        ref status => Err(Error::Failed(format!("{name} ended as {}: {}", status.as_str(), ended.reason()))),
    }
}

/// A stack that can be created or updated.
pub(crate) struct Ready {
    pub(crate) kind: ChangeSetType,
    /// The stack as it is; `None` if it is to be created.
    pub(crate) live: Option<Stack>,
    /// What [`change_set::Request::before`] says.
    before: String,
}

impl Ready {
    /// To be created, after `gone` if that was in the way.
    pub(crate) fn to_create(gone: &str) -> Ready {
        Ready { kind: ChangeSetType::Create, live: None, before: format!("nothing, after {gone}") }
    }

    /// To be updated.
    pub(crate) fn to_update(live: Stack) -> Ready {
        Ready { kind: ChangeSetType::Update, before: before(&live), live: Some(live) }
    }
}

/// Which of its versions a stack is.
pub(crate) fn before(stack: &Stack) -> String {
    format!("{} of {:?}", stack.stack_id().unwrap_or_default(), stack.last_updated_time())
}

/// Brings the stack into a state in which it can be created or updated.
async fn ready_for_change(target: &Target, stack: &StackArtifact, progress: &Progress) -> Result<Ready, Error> {
    let name = stack.name.as_str();
    let mut gone = String::new();
    // Each round ends in a stable status, and only a deletion or a rollback leads to another; more mean that somebody else is at work.
    for _ in 0..4 {
        let Some(live) = events::settle(target, name).await? else { return Ok(Ready::to_create(&gone)) };
        let status = live.stack_status().cloned().unwrap_or(StackStatus::DeleteComplete);
        match verb(&status) {
            Verb::Create => return Ok(Ready::to_create(&gone)),
            Verb::Update => return Ok(Ready::to_update(live)),
            Verb::Recreate => {
                progress.line(format!("{name} is {}: deleting it before it is created again", status.as_str()));
                teardown::delete_stack(target, &live, progress).await?;
                gone = live.stack_id().unwrap_or_default().to_owned();
            }
            Verb::ContinueRollback => {
                progress.line(format!("{name} is {}: going on to undo the update", status.as_str()));
                continue_rollback(target, stack, &live, progress).await?;
            }
            Verb::Wait => progress.line(format!("{name} is {}", status.as_str())),
            Verb::Stop(advice) => return Err(Error::Failed(format!("{name} is {}: {advice}", status.as_str()))),
        }
    }
    Err(Error::Failed(format!("{name} keeps changing; somebody else is deploying it, try again later")))
}

async fn continue_rollback(
    target: &Target,
    stack: &StackArtifact,
    live: &Stack,
    progress: &Progress,
) -> Result<(), Error> {
    let name = stack.name.as_str();
    let id = live.stack_id().unwrap_or(name);
    let since = events::newest_event(target, id).await?;
    let token = target.token(&format!("{id}/continue/{}", since.as_deref().unwrap_or_default()));
    let request = target.cloudformation.continue_update_rollback().stack_name(id).client_request_token(token);
    let continued = target.lanes.changes.call(|| request.clone().send()).await;
    continued.map_err(|error| from_sdk(&format!("going on to undo the update of {name}"), error))?;
    let ended = events::follow(target, id, since, &stack.sources, progress).await?;
    if ended.status == StackStatus::UpdateRollbackComplete {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{name} is {}: an update could not be undone because of {}; repair that and deploy again, or leave it out with \
         `aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip LOGICAL_ID`",
        ended.status.as_str(),
        ended.reason()
    )))
}

/// What the change set parts from. Throws it away if that is data that is not `allowed` to go.
async fn refuse_to_part(
    target: &Target,
    stack: &StackArtifact,
    change_set: &ChangeSet,
    allowed: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Error> {
    let partings: Vec<_> =
        change_set.changes.iter().filter_map(|change| data_loss::parting(change, &stack.retained)).collect();
    let refused: Vec<_> = partings.iter().filter(|parting| !allowed.contains(&parting.logical_id)).collect();
    if refused.is_empty() {
        return Ok(partings.into_iter().map(|parting| parting.logical_id).collect());
    }
    change_set::discard(target, &change_set.id, &stack.name).await?;
    Err(Error::Refused(data_loss::refusal(&stack.name, &refused)))
}

/// What the stack's change set is made from, whether it is then executed or only looked at.
pub(crate) async fn request<'a>(
    target: &Target,
    stack: &'a StackArtifact,
    ready: &Ready,
    revision: Option<&str>,
    express: bool,
) -> Result<change_set::Request<'a>, Error> {
    let parameters = parameters(target, stack);
    let tags = version::tags(stack, revision, &parameters, ready.live.as_ref());
    let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
    Ok(change_set::Request {
        stack: &stack.name,
        kind: ready.kind.clone(),
        before: ready.before.clone(),
        template: assets::template_source(target, &stack.template).await?,
        parameters: parameters.into_iter().map(parameter).collect(),
        tags: Some(tags),
        express,
    })
}

/// The template's parameters that get a value.
pub(crate) fn parameters(target: &Target, stack: &StackArtifact) -> BTreeMap<String, String> {
    let mut values = stack.parameters.clone();
    if stack.takes_asset_bucket() {
        // The templates find the bootstrap bucket themselves, so that the stock `cdk` CLI deploys the same stack.
        let bootstrap = target.bucket.origin == Origin::Bootstrap;
        let bucket = if bootstrap { String::new() } else { target.bucket.name.clone() };
        values.insert(ASSET_BUCKET_PARAMETER.to_owned(), bucket);
    }
    values
}
