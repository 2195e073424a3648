//! Deletes the stacks of one tenant and shows first what is deleted and what is kept.
//!
//! ```text
//! stacks in the account ─► contents of what holds data ─► agreement ─► retention released, if asked ─► deletion ─► slots given back
//! ```

mod contents;
mod retention;
mod slots;
pub(crate) mod teardown;
