//! One operation on one stack, from its current status to its outcome.
//!
//! ```text
//! status ─► next step ─► change set ─► execute ─► events ─► outcome
//!                    └─► delete                ─► events ─► gone
//! ```

pub(crate) mod change_set;
pub(crate) mod events;
pub(crate) mod live_stack;
pub(crate) mod next_step;
pub(crate) mod version;
