//! What a deployment would change. Change sets that are deleted again answer that.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{
    ChangeAction, ChangeSetType, ResourceAttribute, ResourceChange, Stack, StackStatus,
};
use serde_json::Value;

use crate::assembly::StackArtifact;
use crate::cloudformation::empty_stack::discard_empty_stack;
use crate::cloudformation::next_step::{NextStep, next_step};
use crate::cloudformation::ready::{ReadyStack, keeps_changing};
use crate::cloudformation::request::{Purpose, Request};
use crate::cloudformation::snapshot::{Snapshot, is_up_to_date};
use crate::cloudformation::{change_set, events, live_stack};
use crate::plan::data_loss::{DataAtRisk, Departure, data_at_risk, departure};
use crate::plan::rights;
use crate::{Assembly, Error, Options, Progress, Target};

/// What a deployment would do to one stack; [`StackPlan::text`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPlan {
    pub(super) stack: String,
    pub(super) step: PlannedStep,
    /// Ordered by logical ID.
    pub(super) changes: Vec<PlannedChange>,
    /// How many resources only get different tags.
    pub(super) only_tagged: usize,
    /// Logical IDs of resources whose data may be put at risk.
    pub(super) allowed: BTreeSet<String>,
    /// One line per right; `None` if the deployed template cannot be compared, because it is not JSON.
    pub(super) added_rights: Option<Vec<String>>,
}

/// What a deployment would do with the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlannedStep {
    Nothing,
    Create,
    Update,
    /// Delete what is left of a stack in this status, then create it.
    Recreate(String),
}

/// What would happen to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedChange {
    pub(super) logical_id: String,
    pub(super) kind: String,
    pub(super) added: bool,
    /// Names of properties, or of attributes such as `DeletionPolicy`.
    pub(super) changed: Vec<String>,
    pub(super) departure: Option<Departure>,
    /// For resources that hold data.
    pub(super) at_risk: Option<DataAtRisk>,
}

/// Finds out what a deployment of the assembly would do, stack by stack, and executes nothing. Stacks that are up to date in the snapshot
/// are not looked at. Only a template that is too large for a
/// request is uploaded. A caller that drops the future before it is done calls [`clear_plans`].
///
/// # Errors
///
/// What would stop the deployment: [`Error::Refused`] for the caller to fix, [`Error::Failed`] if a person has to look at the stack.
pub async fn plan(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<Vec<StackPlan>, Error> {
    for stack in &assembly.stacks {
        stack.require_functions()?;
    }
    let mut plans = Vec::new();
    for stack in &assembly.stacks {
        plans.push(plan_stack(target, stack, options, snapshot, progress).await?);
    }
    Ok(plans)
}

/// Deletes what a dropped plan has left in CloudFormation.
///
/// # Errors
///
/// If CloudFormation does not answer.
pub async fn clear_plans(target: &Target) -> Result<(), Error> {
    for target in target.places() {
        let left = std::mem::take(&mut *target.open_plans.lock().expect(UNPOISONED));
        for (name, stack) in left {
            change_set::discard_by_name(target, &name, &stack).await?;
            discard_empty_stack(target, &stack).await?;
        }
    }
    Ok(())
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

async fn plan_stack(
    target: &Target,
    stack: &StackArtifact,
    options: &Options,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<StackPlan, Error> {
    let name = stack.name.as_str();
    let target = &target.of(stack)?;
    if snapshot.up_to_date(target, stack).is_some() {
        return Ok(nothing(stack, options));
    }
    progress.begin(format!("{name}: reading its current state"), 0);
    let live = events::settle(target, name).await?;
    if !options.force && live.as_ref().is_some_and(|live| is_up_to_date(target, live, stack)) {
        return Ok(nothing(stack, options));
    }
    let status = live.as_ref().and_then(Stack::stack_status).cloned().unwrap_or(StackStatus::DeleteComplete);
    let ready = match (next_step(&status), live) {
        (NextStep::Update, Some(live)) => ReadyStack::to_update(live),
        (NextStep::Create | NextStep::Update, _) => ReadyStack::to_create(""),
        (NextStep::Recreate, _) => return Ok(recreation(stack, &status)),
        (NextStep::Wait, _) => return Err(keeps_changing(name)),
        (NextStep::ContinueRollback, _) => {
            return Err(Error::Failed(format!(
                "{name} is {}: its update could not be rolled back, so what would change is not known; a deployment continues the rollback first",
                status.as_str()
            )));
        }
        (NextStep::Stop(advice), _) => return Err(Error::Failed(format!("{name} is {}: {advice}", status.as_str()))),
    };
    let create = ready.kind == ChangeSetType::Create;
    let deployed = if create { Some(Value::Null) } else { live_stack::template_of(target, name).await? };

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let options = &Options { express: false, ..options.clone() };
    let request = Request::for_artifact(target, stack, &ready, options, Purpose::Plan).await?;
    let changes = look(target, request).await?;
    let step = match (&changes, create) {
        (None, _) => PlannedStep::Nothing,
        (_, true) => PlannedStep::Create,
        (_, false) => PlannedStep::Update,
    };
    let changes = changes.unwrap_or_default();
    let (only_tagged, changes): (Vec<_>, Vec<_>) = changes.iter().partition(|change| is_only_tagged(change));
    let mut changes: Vec<_> = changes.into_iter().map(|change| planned(change, stack)).collect();
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    Ok(StackPlan {
        stack: name.to_owned(),
        step,
        changes,
        only_tagged: only_tagged.len(),
        allowed: options.allow_replacement.clone(),
        added_rights: deployed.map(|deployed| rights::added(&deployed, &document(stack))),
    })
}

fn nothing(stack: &StackArtifact, options: &Options) -> StackPlan {
    StackPlan {
        stack: stack.name.clone(),
        step: PlannedStep::Nothing,
        changes: Vec::new(),
        only_tagged: 0,
        allowed: options.allow_replacement.clone(),
        added_rights: Some(Vec::new()),
    }
}

/// The changes of a change set that is deleted again, together with the empty stack that it may have created; `None` if nothing would
/// change. The change set is in [`Target::open_plans`] as long as it may exist.
async fn look(target: &Target, request: Request<'_>) -> Result<Option<Vec<ResourceChange>>, Error> {
    let stack = request.stack;
    let creates = request.kind == ChangeSetType::Create;
    let name = request.name(target);
    target.open_plans.lock().expect(UNPOISONED).insert(name.clone(), stack.to_owned());
    let changes = create_and_discard(target, request).await;
    // Also if the change set failed: its empty stack still exists.
    let cleared = if creates { discard_empty_stack(target, stack).await } else { Ok(()) };
    target.open_plans.lock().expect(UNPOISONED).remove(&name);
    let changes = changes?;
    cleared?;
    Ok(changes)
}

async fn create_and_discard(target: &Target, request: Request<'_>) -> Result<Option<Vec<ResourceChange>>, Error> {
    let stack = request.stack;
    let Some(change_set) = change_set::create(target, request).await? else { return Ok(None) };
    change_set::discard(target, &change_set.id, stack).await?;
    Ok(Some(change_set.changes))
}

/// CloudFormation creates no change set for a stack whose creation failed; everything in it would be new.
fn recreation(stack: &StackArtifact, status: &StackStatus) -> StackPlan {
    let document = document(stack);
    let added = |(id, resource): (&String, &Value)| PlannedChange {
        logical_id: id.clone(),
        kind: resource["Type"].as_str().unwrap_or_default().to_owned(),
        added: true,
        changed: Vec::new(),
        departure: None,
        at_risk: None,
    };
    StackPlan {
        stack: stack.name.clone(),
        step: PlannedStep::Recreate(status.as_str().to_owned()),
        changes: document["Resources"].as_object().into_iter().flatten().map(added).collect(),
        only_tagged: 0,
        allowed: BTreeSet::new(),
        added_rights: Some(rights::added(&Value::Null, &document)),
    }
}

fn document(stack: &StackArtifact) -> Value {
    serde_json::from_str(&stack.template).expect("an assembly is only read with JSON templates")
}

fn planned(change: &ResourceChange, stack: &StackArtifact) -> PlannedChange {
    PlannedChange {
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        added: matches!(change.action(), Some(ChangeAction::Add | ChangeAction::Import)),
        changed: changed(change),
        departure: departure(change),
        at_risk: data_at_risk(change, &stack.retained),
    }
}

/// The names of what changes, each once. Values are left out: they may contain a secret from a parameter.
fn changed(change: &ResourceChange) -> Vec<String> {
    let named = change.details().iter().filter_map(|detail| {
        let target = detail.target()?;
        Some(target.name().or(target.attribute().map(ResourceAttribute::as_str))?.to_owned())
    });
    let mut names: Vec<_> = named.collect();
    if names.is_empty() {
        names = change.scope().iter().map(|attribute| attribute.as_str().to_owned()).collect();
    }
    names.sort();
    names.dedup();
    names
}

fn is_only_tagged(change: &ResourceChange) -> bool {
    change.action() == Some(&ChangeAction::Modify) && departure(change).is_none() && changed(change) == ["Tags"]
}
