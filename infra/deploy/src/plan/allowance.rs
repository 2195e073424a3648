//! `--allow-replacement LOGICAL_ID`: whether anything has what it names, and whether it was needed.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::StackStatus;

use crate::cloudformation::{events, live_stack};
use crate::{Assembly, Error, Target};

/// A sentence that names the ids which no stack of the tenants has, neither as it is to be nor as it is deployed; `None` if there are
/// none. What is to be removed is only in the deployed one. Of many tenants it is enough that one has it.
///
/// # Errors
///
/// When CloudFormation does not answer, or does not let the caller look.
pub async fn unknown(
    target: &Target,
    tenants: &[Assembly],
    allowed: &BTreeSet<String>,
) -> Result<Option<String>, Error> {
    let stacks = || tenants.iter().flat_map(|tenant| &tenant.stacks);
    let mut unknown = allowed.clone();
    unknown.retain(|id| !stacks().any(|stack| stack.logical_ids.contains(id)));
    for stack in stacks() {
        if unknown.is_empty() {
            return Ok(None);
        }
        let live = events::describe(target, &stack.name).await?;
        if live.is_none_or(|live| live.stack_status() == Some(&StackStatus::ReviewInProgress)) {
            continue;
        }
        // Nobody can say what is in a template that is not JSON.
        let Some(deployed) = live_stack::template_of(target, &stack.name).await? else { return Ok(None) };
        unknown.retain(|id| deployed["Resources"][id].is_null());
    }
    Ok((!unknown.is_empty()).then(|| {
        format!(
            "--allow-replacement {}: no stack that was chosen has such a resource, neither deployed nor to be deployed; \
             allowed are logical ids as --plan shows them",
            listed(&unknown)
        )
    }))
}

/// A sentence that names the ids which allowed nothing; `None` if there are none.
pub fn unneeded(allowed: &BTreeSet<String>, parted: &BTreeSet<String>) -> Option<String> {
    let unneeded: BTreeSet<_> = allowed.difference(parted).cloned().collect();
    (!unneeded.is_empty())
        .then(|| format!("--allow-replacement {} was not needed: no stack replaces or removes that", listed(&unneeded)))
}

fn listed(ids: &BTreeSet<String>) -> String {
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
