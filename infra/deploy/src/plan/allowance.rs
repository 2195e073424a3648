//! `--allow-replacement LOGICAL_ID`: whether any stack has that resource, and whether the option was needed.

use std::collections::BTreeSet;

use crate::aws::stacks;
use crate::cloudformation::live_stack;
use crate::{Assembly, Error, Target};

/// A sentence that names the IDs which match no resource of any stack of the tenants, neither as synthesized nor as deployed; `None` if
/// all of them match. Resources that are to be removed are only in the deployed stack. It is enough if one of many tenants has a match.
///
/// # Errors
///
/// If CloudFormation does not answer, or does not let the caller look.
pub async fn unknown(places: &[(&Target, &[Assembly])], allowed: &BTreeSet<String>) -> Result<Option<String>, Error> {
    let mut artifacts = Vec::new();
    for (target, tenants) in places {
        artifacts.extend(tenants.iter().flat_map(|tenant| &tenant.stacks).map(|stack| (*target, stack)));
    }
    let mut unknown = allowed.clone();
    for (_, stack) in &artifacts {
        if unknown.is_empty() {
            return Ok(None);
        }
        let synthesized = stack.template.document()?;
        unknown.retain(|id| synthesized["Resources"][id].is_null());
    }
    for (target, stack) in artifacts {
        if unknown.is_empty() {
            return Ok(None);
        }
        let target = &target.of(stack)?;
        let live = stacks::describe(target, &stack.name).await?;
        if live.as_ref().is_none_or(stacks::is_empty) {
            continue;
        }
        // A template that is not JSON may contain any ID.
        let Some(deployed) = live_stack::template_of(target, &stack.name).await? else { return Ok(None) };
        unknown.retain(|id| deployed["Resources"][id].is_null());
    }
    Ok((!unknown.is_empty()).then(|| {
        format!(
            "--allow-replacement {}: none of the chosen stacks has such a resource, neither as deployed nor as synthesized; \
             use logical IDs as shown by --plan",
            listed(&unknown)
        )
    }))
}

/// A sentence that names the IDs which allowed nothing; `None` if there are none.
pub fn unneeded(allowed: &BTreeSet<String>, replaced_or_removed: &BTreeSet<String>) -> Option<String> {
    let unneeded: BTreeSet<_> = allowed.difference(replaced_or_removed).cloned().collect();
    (!unneeded.is_empty()).then(|| {
        format!(
            "--allow-replacement {} was not needed: no stack replaces or removes such a resource",
            listed(&unneeded)
        )
    })
}

fn listed(ids: &BTreeSet<String>) -> String {
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
