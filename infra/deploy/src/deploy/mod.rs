//! Brings up the stacks of one tenant, or only gives their functions new code.
//!
//! ```text
//! assembly ─► assets ─► stacks in layers of their dependencies ─► one change set each ─► Deployed { change, outputs }
//!                   └─► hotswap ─► functions' code ─► Swapped { functions, skipped }
//! ```

pub(crate) mod hotswap;
pub(crate) mod tenant;
