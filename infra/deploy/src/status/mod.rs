//! Shows which version of each stack is deployed and what was changed by hand. Changes nothing.
//!
//! ```text
//! stacks in the account + assemblies ─► drift, if asked ─► Status, one line per stack
//! ```

mod drift;
pub(crate) mod overview;
