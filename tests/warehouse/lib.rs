//! Two warehouses for the tests of functions that set one up: a Data API whose answers are scripted, for answers and faults, and
//! a database, for what readers and writers can do there afterwards.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod database;
mod scripted;

pub use database::{InDatabase, LINK};
pub use scripted::{SIGNATURE, Scripted, Setup, create};
use serde_json::{Value, json};

/// An Update or Delete of what the event `create` created under this ID.
pub fn later(create: &Value, kind: &str, id: &str) -> Value {
    let mut event = create.clone();
    event["RequestType"] = json!(kind);
    event["RequestId"] = json!(format!("{kind}-of-{id}"));
    event["PhysicalResourceId"] = json!(id);
    event["OldResourceProperties"] = create["ResourceProperties"].clone();
    event
}
