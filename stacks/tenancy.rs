//! Whom a stack is for. Systems know this much of a tenant, and nothing of each other.

use crate::shared::fields::TenantName;
use cfn::Stack;
use constructs::Architecture;

/// A tenant's name, and what its functions are built for.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// The name; it starts the name of every stack of the tenant.
    pub name: TenantName,
    /// What the functions are built for; `x86_64` unless the tenant's file says otherwise.
    pub architecture: Architecture,
}

impl Tenancy {
    /// The name of the stack of one of its systems.
    pub(crate) fn stack_name(&self, system: &str) -> String {
        format!("{}-{system}", self.name)
    }

    /// An empty stack of this tenant for one of its systems.
    pub(crate) fn stack(&self, system: &str, description: &str) -> Stack {
        Stack::new(self.stack_name(system))
            .description(description)
            .tag("ferrostack:tenant", self.name.as_str())
            .tag("ferrostack:system", system)
    }
}
