//! Which stacks the account has in the region, and whose they are.

use aws_sdk_cloudformation::types::{Stack, StackStatus};

use crate::error::from_sdk;
use crate::{Error, Target};

/// All stacks but those that are deleted: one call for each hundred of them, whoever deployed them.
pub(crate) async fn stacks(target: &Target) -> Result<Vec<Stack>, Error> {
    let mut stacks = Vec::new();
    let mut next = None;
    loop {
        let request = target.cloudformation.describe_stacks().set_next_token(next);
        let page = target.lanes.looks.call(|| request.clone().send()).await;
        let page = page.map_err(|error| from_sdk("listing the stacks of the account", error))?;
        let found = page.stacks.unwrap_or_default().into_iter();
        stacks.extend(found.filter(|stack| stack.stack_status() != Some(&StackStatus::DeleteComplete)));
        next = page.next_token;
        if next.is_none() {
            return Ok(stacks);
        }
    }
}

/// The tenant that the stack is of: its tag names the tenant, and its name begins with it. One of the two alone is not enough.
pub(crate) fn tenant_of(stack: &Stack) -> Option<&str> {
    let tenant = stack.tags().iter().find(|tag| tag.key() == Some(TENANT))?.value()?;
    stack.stack_name()?.strip_prefix(tenant)?.starts_with('-').then_some(tenant)
}

/// The tag with the tenant's name, which `synth` gives every stack of a tenant.
const TENANT: &str = "ferrostack:tenant";
