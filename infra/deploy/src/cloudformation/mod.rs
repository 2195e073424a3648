//! One operation on one stack, from its current status to its outcome.
//!
//! ```text
//! status ─► next step ─► ReadyStack ─► Request ─► change set ─► execute ─► events ─► outcome
//!                    └─► delete_stack ─────────────────────────────────► events ─► gone
//! ```

pub(crate) mod api_gateway;
pub(crate) mod change_set;
pub(crate) mod delete_stack;
pub(crate) mod empty_stack;
pub(crate) mod events;
mod failed_resource;
pub(crate) mod kept;
pub(crate) mod leftover;
pub(crate) mod live_stack;
pub(crate) mod next_step;
pub(crate) mod parameters;
pub(crate) mod ready;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod snapshot;
pub(crate) mod version;
