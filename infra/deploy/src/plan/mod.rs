//! What a deployment would change, and what an operator has to know before it does: the rights it adds and the data it puts at risk.
//!
//! ```text
//! stack ─► change set, deleted again ─► StackPlan { changes, data loss, added rights } ─► text
//! ```

pub mod allowance;
pub(crate) mod data_loss;
mod rights;
pub(crate) mod stack_plan;
mod text;
