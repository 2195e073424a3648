//! Which stacks are up to date, without asking about each of them.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::Stack;

use crate::assembly::StackArtifact;
use crate::aws::stacks;
use crate::cloudformation::next_step::has_succeeded;
use crate::cloudformation::parameters::parameters;
use crate::cloudformation::version;
use crate::{Error, Target};

/// The stacks of an account and region, and of the other places of its tenants, at one moment. It only serves to leave out what is up to
/// date; everything else is looked at again.
#[derive(Debug, Default)]
pub struct Snapshot(BTreeMap<StackKey, Stack>);

/// Account, region and name.
type StackKey = (String, String, String);

impl Snapshot {
    /// One call for each hundred stacks of each account and region.
    ///
    /// # Errors
    ///
    /// If CloudFormation does not answer, or does not let the caller look.
    pub async fn take(target: &Target) -> Result<Snapshot, Error> {
        let mut all = BTreeMap::new();
        for place in target.places() {
            let stacks = stacks::all(place).await?.into_iter();
            all.extend(stacks.filter_map(|stack| Some((key(place, stack.stack_name()?), stack))));
        }
        Ok(Snapshot(all))
    }

    /// Adds the stacks of further places.
    pub fn extend(&mut self, other: Snapshot) {
        self.0.extend(other.0);
    }

    /// Whether there is such a stack, other than an empty one.
    pub(crate) fn has(&self, target: &Target, stack: &StackArtifact) -> bool {
        self.0.get(&key(target, &stack.name)).is_some_and(|live| !stacks::is_empty(live))
    }

    /// The stack, if it is deployed exactly as synthesized.
    pub(crate) fn up_to_date(&self, target: &Target, stack: &StackArtifact) -> Option<&Stack> {
        self.0.get(&key(target, &stack.name)).filter(|live| is_up_to_date(target, live, stack))
    }
}

fn key(target: &Target, stack: &str) -> StackKey {
    (target.account.clone(), target.region.clone(), stack.to_owned())
}

/// Whether the stack is deployed exactly as synthesized, and its last operation succeeded.
pub(crate) fn is_up_to_date(target: &Target, live: &Stack, stack: &StackArtifact) -> bool {
    has_succeeded(live) && version::is_deployed(live, stack, &parameters(target, stack))
}
