//! How many tenants fit into an account and region.
//!
//! ```text
//! templates ─► Need ─┐
//! quotas, applied or default ─► Room ─► Capacity, one line per quota, the one that binds first
//! stacks that are deployed ─────┘
//! ```

mod need;
mod quotas;
pub(crate) mod report;
pub(crate) mod room;
