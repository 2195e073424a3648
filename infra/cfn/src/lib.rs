//! CloudFormation as values: a pure core without I/O that knows no AWS service.
//!
//! ```text
//! Value ─► Properties ─► Resource ─► Stack ─► App::synth ─► CloudAssembly {templates, assets, findings}
//! ```
//!
//! A [`Stack`] is built by adding [`Construct`]s to it. Nothing panics or returns an error on the way: every mistake becomes a
//! [`Finding`] with the line of Rust that caused it, so one run shows all of them.

mod acknowledgement;
mod app;
mod assembled_stack;
mod assembly;
pub mod assertions;
mod attributes;
mod built_function;
mod checks;
mod constraint;
mod environment;
mod finding;
pub mod intrinsic;
pub mod limits;
mod manifest;
mod parameter;
mod properties;
mod references;
mod resource;
mod stack;
mod template;
mod value;

pub use acknowledgement::Acknowledgement;
pub use app::App;
pub use assembled_stack::{AssembledStack, Format};
pub use assembly::{CloudAssembly, sha256};
pub use attributes::{Attributes, DeletionPolicy, With};
pub use built_function::{ASSETS, BuiltFunction, BuiltFunctions};
pub use constraint::{Constraint, is_intrinsic};
pub use environment::Environment;
pub use finding::{Finding, Severity};
pub use intrinsic::{Condition, NamedCondition};
pub use limits::INLINE_BYTES;
pub use parameter::{Output, Parameter};
pub use properties::{Literal, Properties, rust_name};
pub use references::{Reference, references};
pub use resource::{Construct, LogicalId, Referable, Resource};
pub use stack::{Asset, Mapping, Scope, Stack};
pub use template::{Entry, Section, Template};
pub use value::Value;

/// A JSON document; objects are ordered by key, so equal documents have equal bytes.
pub type Json = serde_json::Value;

/// A check over finished templates, in addition to those that always run.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The name by which it is left out or acknowledged, lower-case words joined by hyphens.
    pub name: &'static str,
    /// A plain function that reports what it finds.
    pub run: fn(&Template) -> Vec<Finding>,
}
