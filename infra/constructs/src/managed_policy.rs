//! Rights for roles and users that do not belong to the stack.

use aws::iam::managed_policy::{self, ManagedPolicyRef};
use cfn::{Construct, Scope};

use crate::grant::{Grant, policy};

/// A policy that somebody attaches to the roles of people or of another service.
///
/// Roles of the stack itself use grants instead, because an account can have only 1,500 customer managed policies by default.
#[derive(Clone, Debug)]
pub struct ManagedPolicy {
    description: String,
    grants: Vec<Grant>,
}

impl ManagedPolicy {
    /// A policy without rights.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned(), grants: Vec::new() }
    }

    /// Adds a right.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }
}

impl Construct for ManagedPolicy {
    type Ref = ManagedPolicyRef;

    fn add_to(self, scope: &mut Scope<'_>) -> ManagedPolicyRef {
        scope.add_here(managed_policy::ManagedPolicy::new(policy(self.grants)).description(self.description))
    }
}
