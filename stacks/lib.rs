//! The systems that Ferrostack ships, each in its own folder, and the tenants that have them.
//!
//! ```text
//! tenant file ──► Tenant ─┬─ Tenancy    name, architecture: all that a system knows about its tenant
//!                         └─ Systems    the settings of each system it has
//!                                │
//!                                └─ <system>::stack(&Tenancy, &Props) ──► Stack
//! ```
//!
//! This file is the roster, the one list of systems: a module for each, and [`for_each_system!`].

// One module per system.
pub mod qlik_reload;
pub mod query_app;
pub mod report_delivery;
pub mod slack_connector;
pub mod write_back;

/// Calls a macro with the module names of all systems, in the order in which their stacks deploy.
///
/// Code that does something for each system takes the list from here and passes its own macro. A system that this code does
/// not know is then a missing module, which does not compile.
///
/// ```
/// macro_rules! names {
///     ($($system:ident)*) => { [$(stacks::$system::SYSTEM.name),*] };
/// }
/// assert_eq!(stacks::for_each_system!(names).len(), stacks::SYSTEMS.len());
/// ```
#[macro_export]
macro_rules! for_each_system {
    ($macro:ident) => {
        $macro! {
            qlik_reload
            query_app
            report_delivery
            slack_connector
            write_back
        }
    };
}

mod environments;
mod plain_yaml;
pub mod platform;
mod raw_values;
mod roster;
pub mod shared;
mod tenancy;
mod tenant;
mod tenant_error;

pub use environments::{Environment, Environments};
pub use roster::{SYSTEMS, System, Systems};
pub use shared::warehouse::{Schema, SchemaKey};
pub use tenancy::Tenancy;
pub use tenant::Tenant;
pub use tenant_error::TenantError;
