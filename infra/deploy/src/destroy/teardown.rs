//! Takes the stacks of an assembly down, in the reverse of the order in which they came up.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use crate::aws::account;
use crate::cloudformation::events;
use crate::cloudformation::live_stack::{Found, look_at};
use crate::destroy::{contents, retention, slots};
use crate::error::from_sdk;
use crate::{Assembly, Error, PLATFORM, Progress, Target, prompt};

/// What an operator decides about a teardown.
#[derive(Debug, Clone, Default)]
pub struct Teardown {
    /// The only system whose stack goes. Without it the whole tenant does.
    pub only: Option<String>,
    /// Whether what the stacks retain goes too, with all that buckets hold.
    pub with_data: bool,
    /// Whether nothing is asked.
    pub yes: bool,
    /// Whether it is only shown what would go and what would stay.
    pub plan: bool,
}

/// Deletes the stacks of the tenant, also those that the assembly does not have, the last one first, after showing what goes and what stays,
/// by name and size. What the tenant holds of what all tenants share is given back. A stack that does not exist is no error, so an
/// interrupted run can simply be repeated.
///
/// # Errors
///
/// [`Error::Refused`] when the person did not agree, or nothing has that name; [`Error::Failed`] with the first resource that could not be
/// deleted.
pub async fn destroy(
    target: &Target,
    assembly: &Assembly,
    teardown: &Teardown,
    progress: &Progress,
) -> Result<(), Error> {
    progress.begin("looking at what is there", 0);
    let standing = account::stacks(target).await?;
    if assembly.tenant == PLATFORM {
        refuse_while_in_use(&standing)?;
    }
    let wanted = |name: &&str| match &teardown.only {
        Some(system) => **name == format!("{}-{system}", assembly.tenant),
        None => true,
    };
    let forgotten: Vec<_> = forgotten(&standing, assembly).into_iter().filter(wanted).collect();
    let known: Vec<_> = assembly.stacks.iter().filter(|stack| wanted(&stack.name.as_str())).collect();
    let takes_slots = known.iter().any(|stack| stack.takes_slots());

    let mut doomed = Vec::new();
    for name in &forgotten {
        progress.line(format!("{name} is deployed, but not in the tenant file"));
        doomed.extend(look_at(target, name).await?);
    }
    for stack in known.iter().rev() {
        progress.begin(format!("{}: looking at what is there", stack.name), 0);
        match look_at(target, &stack.name).await? {
            Some(found) => doomed.push(found),
            None => progress.line(format!("{} does not exist; there is nothing to delete", stack.name)),
        }
    }
    let takes_slots = takes_slots || teardown.only.is_none() || doomed.iter().any(Found::takes_slots);
    for found in &doomed {
        show(target, found, teardown.with_data, progress).await?;
    }
    let shared = if takes_slots { slots::held(target, &assembly.tenant).await? } else { None };
    if let Some(held) = &shared {
        progress.line(format!("QuickSight slots: given back: {} in {}", held.keys.join(", "), held.table));
    }
    progress.clear();
    if known.is_empty() && forgotten.is_empty() && shared.is_none() {
        return Err(nothing_called(target, assembly, teardown.only.as_deref()));
    }
    if (doomed.is_empty() && shared.is_none()) || teardown.plan {
        return Ok(());
    }
    if !teardown.yes {
        let tenant = &assembly.tenant;
        let question =
            format!("type the tenant's name to delete this from account {} in {}: ", target.account, target.region);
        if prompt::ask(&question, &format!("this deletes what is listed of tenant {tenant}"))? != *tenant {
            return Err(Error::Refused(format!("nothing was deleted: the answer was not `{tenant}`")));
        }
    }
    for found in &doomed {
        if teardown.with_data {
            retention::release(target, found, progress).await?;
        }
        delete_stack(target, &found.stack, progress).await?;
    }
    // Looked for anew, since its functions went on until they were gone.
    if takes_slots && let Some(held) = slots::held(target, &assembly.tenant).await? {
        slots::give_back(target, &held, &assembly.tenant).await?;
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

/// Names of the tenant's stacks that the assembly does not have.
fn forgotten<'a>(standing: &'a [Stack], assembly: &Assembly) -> Vec<&'a str> {
    let theirs = standing.iter().filter(|stack| account::tenant_of(stack) == Some(&assembly.tenant));
    let names = theirs.filter_map(Stack::stack_name);
    names.filter(|name| !assembly.stacks.iter().any(|known| known.name == *name)).collect()
}

/// What all tenants share goes last.
fn refuse_while_in_use(standing: &[Stack]) -> Result<(), Error> {
    let tenants: BTreeSet<_> = standing.iter().filter_map(account::tenant_of).collect();
    if tenants.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = tenants.iter().take(5).copied().collect();
    let more =
        if tenants.len() > names.len() { format!(" and {} more", tenants.len() - names.len()) } else { String::new() };
    Err(Error::Refused(format!(
        "nothing was deleted: the platform is what all tenants share, and {}{more} still have stacks here; destroy them first",
        names.join(", ")
    )))
}

/// Deletes one stack and waits for the end.
pub(crate) async fn delete_stack(target: &Target, stack: &Stack, progress: &Progress) -> Result<(), Error> {
    let name = stack.stack_name().unwrap_or_default();
    let id = stack.stack_id().unwrap_or(name);
    let since = events::newest_event(target, id).await?;
    progress.begin(format!("{name}: deleting"), 0);
    let token = target.token(&format!("{id}/delete"));
    let request = target.cloudformation.delete_stack().stack_name(id).client_request_token(token);
    let deleted = target.lanes.changes.call(|| request.clone().send()).await;
    deleted.map_err(|error| from_sdk(&format!("deleting {name}"), error))?;
    let ended = events::follow(target, id, since, &BTreeMap::new(), progress).await?;
    if ended.status == StackStatus::DeleteComplete {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{name} could not be deleted and is {}: {}; repair that and destroy it again, or leave the resource behind with \
         `aws cloudformation delete-stack --stack-name {name} --retain-resources LOGICAL_ID`",
        ended.status.as_str(),
        ended.reason()
    )))
}

async fn show(target: &Target, found: &Found, with_data: bool, progress: &Progress) -> Result<(), Error> {
    let with_data = with_data && retention::can_be_released(found);
    // By service, as there are dozens: `AWS::Lambda::Function` is of Lambda.
    let mut going: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in found.resources.iter().filter(|resource| with_data || !resource.retained) {
        let service = resource.kind.trim_start_matches("AWS::").split("::").next().unwrap_or_default();
        *going.entry(service).or_default() += 1;
    }
    let count: usize = going.values().sum();
    let going: Vec<_> = going.into_iter().map(|(service, count)| format!("{count} {service}")).collect();
    let of = if count > 0 { format!(": {}", going.join(", ")) } else { String::new() };
    let go = if count == 1 { "resource goes" } else { "resources go" };
    progress.line(format!("{}: {count} {go}{of}", found.stack.stack_name().unwrap_or_default()));
    for resource in found.resources.iter().filter(|resource| resource.retained) {
        let fate = if with_data { "goes with its data" } else { "stays" };
        let size = contents::size(target, resource).await;
        let size = size.map(|size| format!(" ({size})")).unwrap_or_default();
        progress.line(format!("  {fate}: {} {} {}{size}", resource.logical_id, resource.kind, resource.physical_id));
    }
    Ok(())
}
