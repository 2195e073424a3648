//! Whom a stack is for. This is all that systems know about a tenant, and they know nothing about each other.

use cfn::{Output, Parameter, Stack};
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
        let stack = Stack::new(self.stack_name(system)).description(description);
        versioned(stack.tag("ferrostack:tenant", self.name.as_str()).tag("ferrostack:system", system))
    }
}

/// The stack with two outputs that the deployer sets: which git revision is deployed, and the digest of the template. No resource uses
/// them, so a new version touches only what it changes.
pub(crate) fn versioned(mut stack: Stack) -> Stack {
    for (name, text) in
        [("Revision", "The git revision that last changed the stack"), ("TemplateDigest", "SHA-256 of the template")]
    {
        let value = stack.parameter(name, Parameter::string().default("unknown").description(text));
        stack.output(name, Output::new(value).description(text));
    }
    stack
}
