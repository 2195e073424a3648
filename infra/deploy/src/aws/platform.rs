//! What the platform stack of the account and region provides to the deployer.

use aws_sdk_cloudformation::types::StackStatus;

use crate::assembly::{PLATFORM_STACK, PlatformNeed};
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
    // Not only a change set that was never executed, or a failed creation.
    let deployed =
        |status: &StackStatus| status.as_str().starts_with("UPDATE_") || *status == StackStatus::CreateComplete;
    if let Some(platform) = platform.filter(|platform| platform.stack_status().is_some_and(deployed)) {
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

async fn output(target: &Target, name: &str) -> Result<Option<String>, Error> {
    let platform = stacks::describe(target, PLATFORM_STACK).await?;
    Ok(platform.and_then(|stack| stacks::outputs(&stack).remove(name)))
}
