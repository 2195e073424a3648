//! How the deployer calls AWS: as whom, where, how fast, and what an error means. This wing knows single calls and files in the asset
//! bucket; what a stack needs from start to finish is the subject of [`cloudformation`](crate::cloudformation).
//!
//! ```text
//! credentials, region ─► Target ─► lane (rate, retries) ─► SDK client or signed JSON call ─► answer or Error
//! ```

pub(crate) mod account;
pub(crate) mod assets;
pub(crate) mod bucket;
pub(crate) mod json;
pub(crate) mod lanes;
pub(crate) mod target;
