//! Deletes the stacks of a tenant, in the reverse of the order in which they were created.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::Stack;

use crate::assembly::{StackArtifact, is_platform};
use crate::aws::stacks;
use crate::cloudformation::delete_stack::delete_stack;
use crate::cloudformation::live_stack::{self, LiveStack};
use crate::destroy::{left, retention, slots, summary};
use crate::{Assembly, Error, Progress, Target, prompt};

/// What an operator decides about a teardown.
#[derive(Debug, Clone, Default)]
pub struct Teardown {
    /// The only system whose stack is deleted; `None` deletes the whole tenant.
    pub only: Option<String>,
    /// Whether to also delete what the stacks retain, with everything in their buckets.
    pub with_data: bool,
    /// Whether to delete without asking.
    pub yes: bool,
    /// Whether to only show what would be deleted and what would be kept.
    pub plan: bool,
}

/// Deletes the stacks of the tenant, also those that the assembly does not contain, the last one first, after showing what is deleted and
/// what is kept, by name and size. Returns what the tenant holds of the shared QuickSight slots. A stack that does not exist is not an
/// error, so an interrupted run can simply be repeated.
///
/// # Errors
///
/// [`Error::Refused`] if the person did not agree, or nothing has that name; [`Error::Failed`] with the first resource that could not be
/// deleted.
pub async fn destroy(
    target: &Target,
    assembly: &Assembly,
    teardown: &Teardown,
    progress: &Progress,
) -> Result<(), Error> {
    progress.begin("reading the current state", 0);
    let mut deployed = Vec::new();
    for place in target.places() {
        deployed.extend(stacks::all(place).await?.into_iter().map(|stack| (place, stack)));
    }
    if is_platform(&assembly.tenant) {
        refuse_while_in_use(&deployed)?;
    }
    let chosen = Chosen::of(assembly, &deployed, teardown.only.as_deref());
    let doomed = chosen.find(target, progress).await?;
    for (place, live) in &doomed {
        summary::show(place, live, teardown.with_data, progress).await?;
    }
    let takes_slots = teardown.only.is_none()
        || chosen.known.iter().any(|stack| stack.takes_slots())
        || doomed.iter().any(|(_, live)| live.takes_slots());
    let left = match left::find(target, assembly, &doomed, &deployed, teardown.only.as_deref()).await {
        Err(error) if !teardown.with_data => {
            progress.line(format!("what earlier operations have left is unknown: {error}"));
            Vec::new()
        }
        left => left?,
    };
    for (place, left) in &left {
        summary::show_left(place, left, teardown.with_data, progress).await;
    }
    let slots = if takes_slots { slots::held(target, &assembly.tenant).await? } else { None };
    if let Some(held) = &slots {
        progress.line(format!("QuickSight slots to return: {} in {}", held.keys.join(", "), held.table));
    }
    progress.clear();
    if chosen.is_empty() && slots.is_none() && left.is_empty() {
        return Err(nothing_called(target, assembly, teardown.only.as_deref()));
    }
    let mut left: Vec<_> = left.into_iter().map(|(place, left)| (place, left.resource)).collect();
    left.retain(|(_, resource)| resource.is_deleted(teardown.with_data));
    if (doomed.is_empty() && slots.is_none() && left.is_empty()) || teardown.plan {
        return Ok(());
    }
    if !teardown.yes {
        ask(target, &assembly.tenant)?;
    }
    for (place, live) in &doomed {
        if teardown.with_data {
            let released = retention::release(place, live, progress).await?;
            left.extend(released.into_iter().map(|resource| (place, resource)));
        }
        delete_stack(place, &live.stack, progress).await?;
    }
    left::delete(&left, progress).await?;
    // Looked for again, because the tenant's functions kept running until they were deleted.
    if takes_slots && let Some(held) = slots::held(target, &assembly.tenant).await? {
        slots::give_back(target, &held, &assembly.tenant).await?;
    }
    Ok(())
}

/// The stacks that the operator wants to delete.
struct Chosen<'a> {
    /// Places and names of the tenant's stacks that the assembly does not contain.
    forgotten: Vec<(&'a Target, &'a str)>,
    /// The others, in the order in which they were created.
    known: Vec<&'a StackArtifact>,
}

impl<'a> Chosen<'a> {
    fn of(assembly: &'a Assembly, deployed: &'a [(&'a Target, Stack)], only: Option<&str>) -> Chosen<'a> {
        let is_chosen = |name: &str| is_chosen(&assembly.tenant, name, only);
        let theirs = deployed.iter().filter(|(_, stack)| stacks::tenant_of(stack) == Some(&assembly.tenant));
        let forgotten = theirs
            .filter_map(|(place, stack)| Some((*place, stack.stack_name()?)))
            .filter(|(_, name)| !assembly.stacks.iter().any(|known| known.name == *name) && is_chosen(name));
        let known = assembly.stacks.iter().filter(|stack| is_chosen(&stack.name));
        Chosen { forgotten: forgotten.collect(), known: known.collect() }
    }

    fn is_empty(&self) -> bool {
        self.forgotten.is_empty() && self.known.is_empty()
    }

    /// Those that exist, in the order in which they are deleted.
    async fn find(&self, target: &Target, progress: &Progress) -> Result<Vec<(Target, LiveStack)>, Error> {
        let mut doomed = Vec::new();
        for (place, name) in &self.forgotten {
            progress.line(format!("{name} is deployed, but not in the tenant file"));
            doomed.extend(live_stack::read(place, name).await?.map(|live| ((*place).clone(), live)));
        }
        for stack in self.known.iter().rev() {
            progress.begin(format!("{}: reading its current state", stack.name), 0);
            let place = target.of(stack)?;
            match live_stack::read(&place, &stack.name).await? {
                Some(live) => doomed.push((place, live)),
                None => progress.line(format!("{} does not exist; there is nothing to delete", stack.name)),
            }
        }
        Ok(doomed)
    }
}

/// Whether the operator wants to delete the stack, if it is the tenant's.
pub(super) fn is_chosen(tenant: &str, stack: &str, only: Option<&str>) -> bool {
    only.is_none_or(|system| stack == format!("{tenant}-{system}"))
}

/// Asks for the tenant's name.
fn ask(target: &Target, tenant: &str) -> Result<(), Error> {
    let question =
        format!("type the tenant's name to delete this from account {} in {}: ", target.account, target.region);
    if prompt::ask(&question, &format!("this deletes what is listed of tenant {tenant}"))? != tenant {
        return Err(Error::Refused(format!("nothing was deleted: the answer was not `{tenant}`")));
    }
    Ok(())
}

fn nothing_called(target: &Target, assembly: &Assembly, only: Option<&str>) -> Error {
    let tenant = &assembly.tenant;
    let place = format!("stacks in account {}, region {}", target.account, target.region);
    Error::Refused(match only {
        Some(system) if !assembly.stacks.is_empty() => {
            let names: Vec<_> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
            format!("tenant {tenant} has no system `{system}`; its stacks are {}", names.join(", "))
        }
        Some(system) => {
            format!("there is no stack `{tenant}-{system}`: the tenant has neither a file nor such {place}")
        }
        None => format!("there is no tenant `{tenant}`: it has neither a file nor {place}"),
    })
}

/// The platform is deleted last, because all tenants share it.
fn refuse_while_in_use(deployed: &[(&Target, Stack)]) -> Result<(), Error> {
    let tenants: BTreeSet<_> = deployed.iter().filter_map(|(_, stack)| stacks::tenant_of(stack)).collect();
    if tenants.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = tenants.iter().take(5).copied().collect();
    let more =
        if tenants.len() > names.len() { format!(" and {} more", tenants.len() - names.len()) } else { String::new() };
    Err(Error::Refused(format!(
        "nothing was deleted: all tenants share the platform, and {}{more} still have stacks here; destroy them first",
        names.join(", ")
    )))
}
