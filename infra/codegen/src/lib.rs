//! Generates the resource bindings from the CloudFormation specification, in two steps.
//!
//! ```text
//! pinned sources ──extract──► specification/<service>.json ──fix-ups, generate──► infra/aws/src/<service>.rs
//! ```
//!
//! The extract contains only facts and is committed, so the second step runs offline on every machine, and `--check` verifies that the
//! bindings match the extract. `bindings.toml` lists the resource types in use.

pub mod actions;
pub mod attributes;
pub mod config;
pub mod constraint;
pub mod counts;
pub mod database;
pub mod docs;
pub mod enums;
pub mod files;
pub mod fixups;
pub mod generate;
pub mod limits;
pub mod module;
pub mod names;
pub mod patterns;
pub mod schemas;
pub mod sources;
pub mod specification;
pub mod trial;
