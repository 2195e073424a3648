//! Deploys many tenants in waves and stops when too many fail. The journal lets the next run resume one that was interrupted.
//!
//! ```text
//! tenants ─► waves of 1, 5, 25 and the rest ─► deploy one tenant ─► journal ─► Report
//! ```

pub(crate) mod journal;
pub(crate) mod rollout;
mod waves;
