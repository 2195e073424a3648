//! Deletes the stacks of one tenant, after showing what is deleted and what is kept.
//!
//! ```text
//! stacks in the account, what they contain, what earlier operations have left ─► confirmation
//!     ─► retention released, if asked ─► deletion of the stacks, then of what is left ─► slots returned
//! ```

mod contents;
mod left;
mod retention;
mod slots;
mod summary;
pub(crate) mod teardown;
