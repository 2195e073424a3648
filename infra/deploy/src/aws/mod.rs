//! How the deployer calls AWS: as whom, where, how fast, and what an error means. This wing makes single calls and stores files in the
//! asset bucket; [`cloudformation`](crate::cloudformation) combines calls into operations on a stack.
//!
//! ```text
//! credentials, region ─► connect ─► Target ─► lane (rate, retries) ─► SDK client or signed JSON call ─► answer or Error
//! ```

pub(crate) mod assets;
pub(crate) mod bucket;
pub(crate) mod cloud_control;
mod connect;
pub(crate) mod credentials;
pub(crate) mod json;
pub(crate) mod lanes;
mod partition;
pub(crate) mod pauses;
pub(crate) mod platform;
mod profile;
pub(crate) mod run_name;
pub(crate) mod sdk_error;
mod sign_in;
pub(crate) mod stacks;
pub(crate) mod target;
