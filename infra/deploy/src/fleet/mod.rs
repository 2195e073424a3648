//! Deploys many tenants in waves, and stops starting tenants when too many fail. The journal lets the next run resume an interrupted one.
//!
//! ```text
//! tenants ─► waves of 1, 5, 25 and the rest ─► deploy one tenant ─► journal ─► Report
//! ```

mod journal;
pub(crate) mod report;
pub(crate) mod rollout;
mod waves;
