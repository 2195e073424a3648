//! The tenants and their stacks.

use ferrostack_command::output;
use stacks::Tenant;

/// Prints one line per stack. There is nothing to find, so the result is always good.
pub(crate) fn print(tenants: &[Tenant]) -> bool {
    for tenant in tenants {
        for stack in tenant.stacks() {
            output::line(format_args!("{:<20} {}", tenant.tenancy.name, stack.name()));
        }
    }
    true
}
