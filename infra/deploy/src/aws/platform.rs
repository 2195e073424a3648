//! What the platform stack of the account and region provides to the deployer.

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use crate::assembly::{LOG_ROLE_PARAMETER, PLATFORM_STACK, PlatformNeed};
use crate::aws::sdk_error::from_sdk;
use crate::aws::stacks;
use crate::aws::target::Origin;
use crate::{Assembly, Error, Target};

/// The name of the bucket for functions' code, if the platform is deployed.
pub(crate) async fn asset_bucket(target: &Target) -> Result<Option<String>, Error> {
    output(target, "AssetBucket").await
}

/// The name of the table of the account's QuickSight slots, if the platform is deployed.
pub(crate) async fn slot_table(target: &Target) -> Result<Option<String>, Error> {
    output(target, "SlotTable").await
}

/// Fails if a stack needs something of the platform stack, and that is not deployed. CloudFormation would report it minutes later, and not
/// say what to do.
///
/// # Errors
///
/// [`Error::Refused`] with the stack, what it needs, and the command that deploys it.
pub async fn require_platform(target: &Target, tenants: &[Assembly]) -> Result<(), Error> {
    let stacks = tenants.iter().flat_map(|tenant| &tenant.stacks);
    let needs: Vec<_> = stacks.filter_map(|stack| Some((stack, stack.platform_need.as_ref()?))).collect();
    let Some((stack, need)) = needs.first() else { return Ok(()) };
    if target.bucket.origin == Origin::Platform && needs.iter().all(|(_, need)| need.outputs.is_empty()) {
        return Ok(());
    }
    let platform = stacks::describe(target, PLATFORM_STACK).await?;
    if let Some(platform) = platform.filter(is_deployed) {
        let outputs = stacks::outputs(&platform);
        let lacks = |need: &PlatformNeed| need.outputs.iter().any(|name| !outputs.contains_key(name));
        let Some((stack, need)) = needs.iter().find(|(_, need)| lacks(need)) else { return Ok(()) };
        return Err(Error::Refused(format!(
            "{} needs {}, which the platform stack in account {}, region {} does not provide yet; run `scripts/deploy --bootstrap` again",
            stack.name, need.what, target.account, target.region
        )));
    }
    let need = need.what;
    Err(Error::Refused(format!(
        "{} needs {need}, which the platform stack provides, and that is not deployed in account {}, region {}; run \
         `scripts/deploy --bootstrap` once",
        stack.name, target.account, target.region
    )))
}

/// Keeps the role with which API Gateway writes the logs of this account and region, if somebody else has set one: the platform stack then
/// creates none. There is only one such setting, and other teams' APIs use it too.
///
/// What was decided when the stack was created is kept.
///
/// # Errors
///
/// If AWS does not say which role is set.
pub async fn keep_log_role(target: &Target, tenants: &mut [Assembly]) -> Result<(), Error> {
    let mut stacks = tenants.iter_mut().flat_map(|tenant| &mut tenant.stacks);
    let Some(platform) = stacks.find(|stack| stack.takes_log_role()) else { return Ok(()) };
    let live = stacks::describe(target, &platform.name).await?.filter(is_deployed);
    let role = match live {
        Some(live) => stacks::parameter(&live, LOG_ROLE_PARAMETER).map(str::to_owned),
        None => {
            let account = target.lanes.looks.call_to("API Gateway", || target.json.get("apigateway", "account")).await;
            let account = account.map_err(|error| from_sdk("looking at API Gateway's role for logs", error))?;
            let role = account["cloudwatchRoleArn"].as_str().unwrap_or_default();
            // The role of a platform stack that was deleted or whose creation failed may be gone.
            let is_ours = role.contains(&format!(":role/{PLATFORM_STACK}-"));
            (!is_ours).then(|| role.to_owned())
        }
    };
    platform.parameters.insert(LOG_ROLE_PARAMETER.to_owned(), role.unwrap_or_default());
    Ok(())
}

/// Whether it is not only a change set that was never executed, or a failed creation.
fn is_deployed(stack: &Stack) -> bool {
    stack
        .stack_status()
        .is_some_and(|status| status.as_str().starts_with("UPDATE_") || *status == StackStatus::CreateComplete)
}

async fn output(target: &Target, name: &str) -> Result<Option<String>, Error> {
    let platform = stacks::describe(target, PLATFORM_STACK).await?;
    Ok(platform.and_then(|stack| stacks::outputs(&stack).remove(name)))
}
