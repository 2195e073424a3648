//! Whom a stack is for. This is all that systems know about a tenant, and they know nothing about each other.

use cfn::Stack;
use constructs::Architecture;

use crate::shared::fields::TenantName;

/// A tenant's name, and what its functions are built for.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// The name, with which the name of each of the tenant's stacks starts.
    pub name: TenantName,
    /// What the functions are built for; `x86_64` unless the tenant's file says otherwise.
    pub architecture: Architecture,
}

impl Tenancy {
    /// The name of the stack of one of its systems.
    pub(crate) fn stack_name(&self, system: &str) -> String {
        format!("{}-{system}", self.name)
    }

    /// What one of its systems is called in a warehouse, unless the tenant file says otherwise: `<system>_<tenant>`. Tenants may
    /// share a warehouse.
    pub(crate) fn warehouse_name(&self, system: &str) -> String {
        format!("{system}-{}", self.name).replace('-', "_")
    }

    /// An empty stack of this tenant for one of its systems.
    pub(crate) fn stack(&self, system: &str, description: &str) -> Stack {
        Stack::new(self.stack_name(system))
            .description(description)
            .tag("ferrostack:tenant", self.name.as_str())
            .tag("ferrostack:system", system)
    }
}
