//! What several systems use; nothing here knows a system.

pub(crate) mod arn;
pub mod bucket;
pub(crate) mod fields;
pub mod mail;
pub(crate) mod quicksight;
pub mod warehouse;
