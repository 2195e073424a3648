//! The stacks that exist in the account and region.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Output, Stack, StackStatus};

use crate::aws::sdk_error::from_sdk;
use crate::cloudformation::version;
use crate::{Error, Target};

/// All stacks that are not deleted, whoever deployed them: one call per hundred stacks.
pub(crate) async fn all(target: &Target) -> Result<Vec<Stack>, Error> {
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

/// The stack, or `None` if it does not exist. A name finds live stacks only; an ID (ARN) finds deleted ones too.
pub(crate) async fn describe(target: &Target, stack: &str) -> Result<Option<Stack>, Error> {
    let request = target.cloudformation.describe_stacks().stack_name(stack);
    match target.lanes.looks.call(|| request.clone().send()).await {
        Ok(answer) => Ok(answer.stacks.unwrap_or_default().into_iter().next()),
        // CloudFormation has no error code for this.
        Err(error)
            if error.code() == Some("ValidationError")
                && error.message().is_some_and(|text| text.contains("does not exist")) =>
        {
            Ok(None)
        }
        Err(error) => Err(from_sdk(&format!("looking at the stack {stack}"), error)),
    }
}

/// The stack's outputs by name, without those that only say which version it is.
pub(crate) fn outputs(stack: &Stack) -> BTreeMap<String, String> {
    let pair = |output: &Output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()));
    let is_value = |output: &&Output| !version::is_version(output.output_key());
    stack.outputs().iter().filter(is_value).filter_map(pair).collect()
}

/// The value of a parameter; `None` if the stack has none of that name.
pub(crate) fn parameter<'a>(stack: &'a Stack, name: &str) -> Option<&'a str> {
    stack.parameters().iter().find(|parameter| parameter.parameter_key() == Some(name))?.parameter_value()
}

/// The value of a tag; `None` if the stack has none of that name.
pub(crate) fn tag<'a>(stack: &'a Stack, name: &str) -> Option<&'a str> {
    stack.tags().iter().find(|tag| tag.key() == Some(name))?.value()
}

/// Whether nothing was ever deployed: the plan of a new stack creates an empty one.
pub(crate) fn is_empty(stack: &Stack) -> bool {
    stack.stack_status() == Some(&StackStatus::ReviewInProgress)
}

/// The tenant that owns the stack: the stack's tag names the tenant, and its name starts with it. One of the two is not enough.
pub(crate) fn tenant_of(stack: &Stack) -> Option<&str> {
    let tenant = tag(stack, TENANT)?;
    belongs_to(stack.stack_name()?, tenant).then_some(tenant)
}

/// Whether a tenant may have a stack of this name.
pub(crate) fn belongs_to(stack: &str, tenant: &str) -> bool {
    stack.strip_prefix(tenant).is_some_and(|rest| rest.starts_with('-'))
}

/// The tag with the tenant's name, which `synth` gives every stack of a tenant.
pub(crate) const TENANT: &str = "ferrostack:tenant";
/// The tag with the system's name, which `synth` gives every stack, also the platform's.
pub(crate) const SYSTEM: &str = "ferrostack:system";
