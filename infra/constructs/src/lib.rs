//! Building blocks for stacks: hand-written, opinionated, safe by default.
//!
//! A construct is a struct with setters. `new` takes what is required, a setter takes what may differ, and adding it
//! to a stack gives back a ref with values and grants. The unsafe choice is the one you have to type.

mod alarm;
mod bucket;
pub mod checks;
mod event_rule;
mod grant;
mod queue;
mod rest_api;
mod rust_function;
mod schedule;
pub mod schedule_expression;
mod secret;
mod table;

pub use alarm::Alarm;
pub use bucket::{Bucket, BucketRef};
pub use event_rule::{EventInput, EventRule};
pub use grant::Grant;
pub use queue::{Queue, QueueRef};
pub use rest_api::{RestApi, RestApiRef};
pub use rust_function::{Architecture, FunctionRef, RustFunction};
pub use schedule::{Schedule, ScheduleGroup, ScheduleGroupRef};
pub use secret::{Secret, SecretRef};
pub use table::{Table, TableRef};
