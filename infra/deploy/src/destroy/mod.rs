//! Deletes the stacks of one tenant, after showing what is deleted and what is kept.
//!
//! ```text
//! stacks in the account ─► what they contain ─► confirmation ─► retention released, if asked ─► deletion ─► slots returned
//! ```

mod contents;
mod retention;
mod slots;
mod summary;
pub(crate) mod teardown;
