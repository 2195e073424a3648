//! Names of runs. Tokens of requests are derived from the name of their run.

use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other run has.
pub(crate) fn new() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{:08x}", now.as_nanos(), std::process::id(), fastrand::u32(..))
}
