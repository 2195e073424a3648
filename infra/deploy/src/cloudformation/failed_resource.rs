//! How messages name a resource that failed.

use crate::assembly::StackArtifact;

/// `Queue (AWS::SQS::Queue, from stacks/uptime.rs:29)`; without the line of Rust if there is no artifact, or it does not know the line.
pub(crate) fn described(name: &str, kind: &str, artifact: Option<&StackArtifact>) -> String {
    let source = artifact.and_then(|artifact| artifact.source_of(name));
    let source = source.map(|line| format!(", from {line}")).unwrap_or_default();
    format!("{name} ({kind}{source})")
}
