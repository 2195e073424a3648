//! What the platform stack of the account and region provides to the deployer.

use crate::assembly::PLATFORM_STACK;
use crate::aws::stacks;
use crate::{Error, Target};

/// The name of the bucket for functions' code, if the platform is deployed.
pub(crate) async fn asset_bucket(target: &Target) -> Result<Option<String>, Error> {
    output(target, "AssetBucket").await
}

/// The name of the table of the account's QuickSight slots, if the platform is deployed.
pub(crate) async fn slot_table(target: &Target) -> Result<Option<String>, Error> {
    output(target, "SlotTable").await
}

async fn output(target: &Target, name: &str) -> Result<Option<String>, Error> {
    let platform = stacks::describe(target, PLATFORM_STACK).await?;
    Ok(platform.and_then(|stack| stacks::outputs(&stack).remove(name)))
}
