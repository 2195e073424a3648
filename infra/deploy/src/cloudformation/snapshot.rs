//! Which stacks are up to date, without asking about each of them.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::Stack;

use crate::assembly::StackArtifact;
use crate::aws::stacks;
use crate::cloudformation::next_step::has_succeeded;
use crate::cloudformation::parameters::parameters;
use crate::cloudformation::version;
use crate::{Error, Target};

/// The stacks of the account and region at one moment, by name. It only serves to leave out what is up to date; everything else is looked
/// at again.
#[derive(Debug, Default)]
pub struct Snapshot(BTreeMap<String, Stack>);

impl Snapshot {
    /// One call for each hundred stacks of the account and region.
    ///
    /// # Errors
    ///
    /// If CloudFormation does not answer, or does not let the caller look.
    pub async fn take(target: &Target) -> Result<Snapshot, Error> {
        let stacks = stacks::all(target).await?.into_iter();
        Ok(Snapshot(stacks.filter_map(|stack| Some((stack.stack_name()?.to_owned(), stack))).collect()))
    }

    /// The stack, if it is deployed exactly as synthesized.
    pub(crate) fn up_to_date(&self, target: &Target, stack: &StackArtifact) -> Option<&Stack> {
        self.0.get(&stack.name).filter(|live| is_up_to_date(target, live, stack))
    }
}

/// Whether the stack is deployed exactly as synthesized, and its last operation succeeded.
pub(crate) fn is_up_to_date(target: &Target, live: &Stack, stack: &StackArtifact) -> bool {
    has_succeeded(live) && version::is_deployed(live, stack, &parameters(target, stack))
}
