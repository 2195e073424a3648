//! What the commands print.

use crate::package::Packaged;
use cfn::{Finding, Template};
use stacks::Tenant;

/// Findings go to standard error, apart from each other.
pub(crate) fn findings(findings: &[Finding]) {
    for finding in findings {
        // Standard error has no buffer: formatted in place, each piece of a finding would be a call of the system.
        let text = format!("{finding}\n\n");
        eprint!("{text}");
    }
}

/// One line a template.
pub(crate) fn template(template: &Template, bytes: usize, what: &str) {
    println!("{:<40} {:>4} resources {:>8} bytes  {what}", template.stack, template.resources.len(), bytes);
}

/// One line a stack: tenant, stack.
pub(crate) fn list(tenants: &[Tenant]) -> bool {
    for tenant in tenants {
        for stack in tenant.stacks() {
            println!("{:<20} {}", tenant.tenancy.name, stack.name());
        }
    }
    true
}

/// One line a function: package, bytes, hash.
pub(crate) fn packages(packages: &[Packaged]) -> bool {
    for it in packages {
        println!("{:<40} {:>14} bytes  {}", it.name, it.bytes, it.sha256);
    }
    true
}
