//! The systems that Ferrostack ships, a folder for each, and the tenants that have them.
//!
//! ```text
//! tenant file ──► Tenant ─┬─ Tenancy    name, architecture: all that a system knows of its tenant
//!                         └─ Systems    the settings of each system it has; roster.rs lists them
//!                                │
//!                                └─ <system>::stack(&Tenancy, &Props) ──► Stack
//! ```

pub mod platform;
mod roster;
pub mod shared;
mod tenancy;
mod tenant;
mod tenant_error;

pub mod qlik_reload;
pub mod query_app;
pub mod report_delivery;
pub mod slack_connector;
pub mod write_back;

pub use roster::{SYSTEMS, System, Systems};
pub use tenancy::Tenancy;
pub use tenant::Tenant;
pub use tenant_error::TenantError;
