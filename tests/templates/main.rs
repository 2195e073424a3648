//! Tests of tenant files and templates.

mod constructs;
mod malformed_tenants;
mod platform;
mod properties;
mod qlik_reload;
mod query_app;
mod report_delivery;
mod slack_connector;
mod write_back;
