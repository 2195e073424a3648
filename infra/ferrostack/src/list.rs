//! The tenants and their stacks.

use ferrostack_command::output;

use crate::tenants::Project;

/// Prints one line per stack. There is nothing to find, so the result is always good.
pub(crate) fn print(project: &Project) -> bool {
    for tenant in &project.tenants {
        for stack in tenant.stacks() {
            output::line(format_args!("{:<20} {}", tenant.tenancy.name, stack.name()));
        }
    }
    true
}
