//! The systems that Ferrostack ships, one stack a file, and the tenants that have them.

mod fields;
pub mod platform;
pub mod qlik_reload;
pub mod query_app;
mod quicksight;
pub mod report_delivery;
pub mod slack_connector;
mod tenant;
pub mod warehouse;
pub mod write_back;

pub use fields::{Name, TenantName};
pub use tenant::{Tenant, TenantError};
