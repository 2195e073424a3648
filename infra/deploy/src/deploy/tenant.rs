//! Brings up the stacks of one tenant, one change set each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_cloudformation::types::{ChangeSetType, Stack, StackStatus};
use futures_util::{StreamExt, stream};

use crate::assembly::StackArtifact;
use crate::aws::{assets, stacks};
use crate::cloudformation::api_gateway;
use crate::cloudformation::change_set::{self, ChangeSet};
use crate::cloudformation::events;
use crate::cloudformation::ready::make_ready;
use crate::cloudformation::request::{Purpose, Request};
use crate::cloudformation::snapshot::{Snapshot, is_up_to_date};
use crate::plan::data_loss;
use crate::{Assembly, Error, Options, Progress, Target};

/// The outcome for one stack.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The stack's name.
    pub stack: String,
    /// What was done to the stack.
    pub change: Change,
    /// The stack's outputs by name.
    pub outputs: BTreeMap<String, String>,
    /// Logical IDs of resources with data that were replaced or removed, as the options allowed.
    pub replaced_or_removed: BTreeSet<String>,
}

/// What a deployment did to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did not exist.
    Created,
    /// It existed and was changed.
    Updated,
    /// It was already as synthesized.
    Unchanged,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        })
    }
}

/// Stacks of one tenant that are deployed at the same time; a tenant has one for each of its systems.
const STACKS_AT_ONCE: usize = 5;

/// Deploys every stack of the assembly, each after those it depends on and otherwise several at once. After a failure, the stacks
/// of the same layer still finish, and no further layer is started; running it again continues from there.
///
/// # Errors
///
/// [`Error::Refused`] before the stack is changed, also if that would put data at risk that the options do not name;
/// [`Error::Failed`] with the first failed resource, its reason, and the line of Rust that added it.
pub async fn deploy(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    progress: &Progress,
) -> Result<Vec<Deployed>, Error> {
    for stack in &assembly.stacks {
        stack.require_functions()?;
    }
    assets::upload_missing(target, &assembly.stacks, progress).await?;
    deploy_stacks(target, assembly, options, &Snapshot::default(), progress).await
}

/// [`deploy`], with the functions' code already in the bucket.
pub(crate) async fn deploy_stacks(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<Vec<Deployed>, Error> {
    let mut deployed: Vec<Deployed> = Vec::new();
    for layer in layers(&assembly.stacks) {
        if let [stack] = layer[..] {
            deployed.push(deploy_stack(target, stack, options, snapshot, progress).await?);
            continue;
        }
        let parts = layer.into_iter().map(async |stack: &StackArtifact| {
            let part = progress.part(&stack.name);
            deploy_stack(target, stack, options, snapshot, &part).await
        });
        let results: Vec<_> = stream::iter(parts).buffered(STACKS_AT_ONCE).collect().await;
        for result in results {
            deployed.push(result?);
        }
    }
    Ok(deployed)
}

/// The stacks in groups; each group depends only on earlier ones.
fn layers(stacks: &[StackArtifact]) -> Vec<Vec<&StackArtifact>> {
    let mut layers: Vec<Vec<&StackArtifact>> = Vec::new();
    let mut level: BTreeMap<&str, usize> = BTreeMap::new();
    // The assembly has the stacks in an order in which they can be created. A dependency that `--only` left out is deployed already.
    for stack in stacks {
        let levels = stack.dependencies.iter().filter_map(|name| level.get(name.as_str()));
        let after = levels.map(|level| level + 1).max();
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
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<Deployed, Error> {
    let name = stack.name.as_str();
    let target = &target.of(stack)?;
    if let Some(live) = snapshot.up_to_date(target, stack) {
        return Ok(unchanged(stack, Some(live)));
    }
    progress.begin(format!("{name}: reading its current state"), 0);
    let ready = make_ready(target, stack, progress).await?;
    if !options.force && ready.live.as_ref().is_some_and(|live| is_up_to_date(target, live, stack)) {
        return Ok(unchanged(stack, ready.live.as_ref()));
    }

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let request = Request::for_artifact(target, stack, &ready, options, Purpose::Deploy).await?;
    let Some(change_set) = change_set::create(target, request).await? else {
        return Ok(unchanged(stack, ready.live.as_ref()));
    };
    let replaced_or_removed = refuse_data_loss(target, stack, &change_set, &options.allow_replacement).await?;

    let since = events::newest(target, &change_set.stack_id).await?;
    progress.begin(format!("{name}: {} changes", change_set.changes.len()), change_set.changes.len() as u64);
    target.pace(api_gateway::work_of(&change_set.changes)).await;
    change_set::execute(target, &change_set, name).await?;
    let outcome = events::follow(target, &change_set.stack_id, since, Some(stack), progress).await?;
    match outcome.status {
        StackStatus::CreateComplete | StackStatus::UpdateComplete => {
            let change = if ready.kind == ChangeSetType::Create { Change::Created } else { Change::Updated };
            Ok(Deployed { stack: name.to_owned(), change, outputs: outcome.outputs, replaced_or_removed })
        }
        ref status => Err(Error::Failed(format!("{name} ended as {}: {}", status.as_str(), outcome.reason()))),
    }
}

fn unchanged(stack: &StackArtifact, live: Option<&Stack>) -> Deployed {
    let outputs = live.map(stacks::outputs).unwrap_or_default();
    Deployed { stack: stack.name.clone(), change: Change::Unchanged, outputs, replaced_or_removed: BTreeSet::new() }
}

/// The logical IDs whose data the change set puts at risk. If not all of them are `allowed`, deletes the change set and fails.
async fn refuse_data_loss(
    target: &Target,
    stack: &StackArtifact,
    change_set: &ChangeSet,
    allowed: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Error> {
    let changes = change_set.changes.iter();
    let at_risk: Vec<_> = changes.filter_map(|change| data_loss::data_at_risk(change, &stack.retained)).collect();
    let refused: Vec<_> = at_risk.iter().filter(|resource| !allowed.contains(&resource.logical_id)).collect();
    if refused.is_empty() {
        return Ok(at_risk.into_iter().map(|resource| resource.logical_id).collect());
    }
    change_set::discard(target, &change_set.id, &stack.name).await?;
    Err(Error::Refused(data_loss::refusal(&stack.name, &refused)))
}
