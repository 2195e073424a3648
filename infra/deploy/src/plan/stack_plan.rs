//! What a deployment would change, found out by change sets that are thrown away again.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{
    ChangeAction, ChangeSetType, ResourceAttribute, ResourceChange, Stack, StackStatus,
};
use serde_json::Value;

use crate::assembly::read::StackArtifact;
use crate::cloudformation::next_step::{Verb, verb};
use crate::cloudformation::{change_set, events, live_stack};
use crate::deploy::tenant::{self, Ready};
use crate::plan::data_loss::{self, Parting, Way};
use crate::plan::rights;
use crate::{Assembly, Error, Options, Progress, Target};

/// What a deployment would do to one stack; [`StackPlan::text`] tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPlan {
    pub(crate) stack: String,
    pub(crate) step: Step,
    /// Ordered by logical id.
    pub(crate) changes: Vec<Planned>,
    /// How many resources get other tags and stay the same otherwise.
    pub(crate) only_tagged: usize,
    /// Logical ids of what may part from data.
    pub(crate) allowed: BTreeSet<String>,
    /// One line a right; `None` when the deployed template cannot be compared, since it is not JSON.
    pub(crate) added_rights: Option<Vec<String>>,
}

/// What a deployment would do first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    Create,
    Update,
    /// Delete what is left of a stack in this status, then create.
    Recreate(String),
}

/// What becomes of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) logical_id: String,
    pub(crate) kind: String,
    pub(crate) added: bool,
    /// Names of properties, or of attributes such as `DeletionPolicy`.
    pub(crate) changed: Vec<String>,
    pub(crate) way: Option<Way>,
    /// For what holds data.
    pub(crate) parting: Option<Parting>,
}

/// Finds out what a deployment of the assembly would do, stack by stack, and executes nothing. Only a template too large for a request is
/// uploaded. Whoever drops this before its end calls [`clear_plans`].
///
/// # Errors
///
/// What would stop the deployment: [`Error::Refused`] for the caller to repair, [`Error::Failed`] when a person has to look at the stack.
pub async fn plan(
    target: &Target,
    assembly: &Assembly,
    options: &Options,
    progress: &Progress,
) -> Result<Vec<StackPlan>, Error> {
    for stack in &assembly.stacks {
        stack.require_functions()?;
    }
    let mut plans = Vec::new();
    for stack in &assembly.stacks {
        plans.push(plan_stack(target, stack, options, progress).await?);
    }
    Ok(plans)
}

/// Deletes what a plan that was dropped before its end has left in CloudFormation.
///
/// # Errors
///
/// When CloudFormation does not answer.
pub async fn clear_plans(target: &Target) -> Result<(), Error> {
    let left = std::mem::take(&mut *target.open_plans.lock().expect(UNPOISONED));
    for (name, stack) in left {
        change_set::discard_by_name(target, &name, &stack).await?;
        change_set::discard_empty_stack(target, &stack).await?;
    }
    Ok(())
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

async fn plan_stack(
    target: &Target,
    stack: &StackArtifact,
    options: &Options,
    progress: &Progress,
) -> Result<StackPlan, Error> {
    let name = stack.name.as_str();
    progress.begin(format!("{name}: looking at what is there"), 0);
    let live = events::settle(target, name).await?;
    let status = live.as_ref().and_then(Stack::stack_status).cloned().unwrap_or(StackStatus::DeleteComplete);
    let ready = match (verb(&status), live) {
        (Verb::Update, Some(live)) => Ready::to_update(live),
        (Verb::Create | Verb::Update, _) => Ready::to_create(""),
        (Verb::Recreate, _) => return Ok(recreation(stack, &status)),
        (Verb::ContinueRollback, _) => {
            return Err(Error::Failed(format!(
                "{name} is {}: an update could not be undone, so what would change is not known; a deployment goes on to undo it first",
                status.as_str()
            )));
        }
        (Verb::Wait, _) => {
            return Err(Error::Failed(format!(
                "{name} keeps changing; somebody else is deploying it, try again later"
            )));
        }
        (Verb::Stop(advice), _) => return Err(Error::Failed(format!("{name} is {}: {advice}", status.as_str()))),
    };
    let create = ready.kind == ChangeSetType::Create;
    let deployed = if create { Some(Value::Null) } else { live_stack::template_of(target, name).await? };

    progress.begin(format!("{name}: asking CloudFormation what would change"), 0);
    let request = tenant::request(target, stack, &ready, options.revision.as_deref(), false).await?;
    let asked = request.name(target);
    target.open_plans.lock().expect(UNPOISONED).insert(asked.clone(), name.to_owned());
    let looked = look(target, request).await;
    // Also when the change set failed: it has made the empty stack all the same.
    let cleared = if create { change_set::discard_empty_stack(target, name).await } else { Ok(()) };
    target.open_plans.lock().expect(UNPOISONED).remove(&asked);
    let changes = looked?;
    cleared?;

    let step = match (&changes, create) {
        (None, _) => Step::Nothing,
        (_, true) => Step::Create,
        (_, false) => Step::Update,
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
        added_rights: deployed.map(|deployed| rights::widened(&deployed, &document(stack))),
    })
}

/// The changes of a change set that is deleted again; `None` if there is nothing to change.
async fn look(target: &Target, request: change_set::Request<'_>) -> Result<Option<Vec<ResourceChange>>, Error> {
    let stack = request.stack;
    let Some(change_set) = change_set::create(target, request).await? else { return Ok(None) };
    change_set::discard(target, &change_set.id, stack).await?;
    Ok(Some(change_set.changes))
}

/// CloudFormation makes no change set for a stack that never came to be, but everything in it would be new.
fn recreation(stack: &StackArtifact, status: &StackStatus) -> StackPlan {
    let document = document(stack);
    let added = |(id, resource): (&String, &Value)| Planned {
        logical_id: id.clone(),
        kind: resource["Type"].as_str().unwrap_or_default().to_owned(),
        added: true,
        changed: Vec::new(),
        way: None,
        parting: None,
    };
    StackPlan {
        stack: stack.name.clone(),
        step: Step::Recreate(status.as_str().to_owned()),
        changes: document["Resources"].as_object().into_iter().flatten().map(added).collect(),
        only_tagged: 0,
        allowed: BTreeSet::new(),
        added_rights: Some(rights::widened(&Value::Null, &document)),
    }
}

fn document(stack: &StackArtifact) -> Value {
    serde_json::from_str(&stack.template).expect("an assembly is only read with JSON templates")
}

fn planned(change: &ResourceChange, stack: &StackArtifact) -> Planned {
    Planned {
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        added: matches!(change.action(), Some(ChangeAction::Add | ChangeAction::Import)),
        changed: changed(change),
        way: data_loss::way(change),
        parting: data_loss::parting(change, &stack.retained),
    }
}

/// The names of what changes, each once. Values are left out: a parameter may have put a secret into one.
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
    change.action() == Some(&ChangeAction::Modify) && data_loss::way(change).is_none() && changed(change) == ["Tags"]
}
