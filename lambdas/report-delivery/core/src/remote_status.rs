//! QuickSight's status of a job.

/// The status that QuickSight reports; not the state that the queue keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteStatus {
    /// Accepted and about to run.
    Queued,
    /// It runs.
    Running,
    /// It has its files.
    Completed,
    /// It ended without.
    Failed,
    /// A status unknown to this release: whether the job has ended depends on whether it has a result.
    Other(String),
}

impl RemoteStatus {
    /// QuickSight's spelling.
    pub fn name(&self) -> &str {
        match self {
            RemoteStatus::Queued => "QUEUED",
            RemoteStatus::Running => "RUNNING",
            RemoteStatus::Completed => "COMPLETED",
            RemoteStatus::Failed => "FAILED",
            RemoteStatus::Other(name) => name,
        }
    }

    /// The status of that spelling.
    pub fn parse(name: &str) -> RemoteStatus {
        match name {
            "QUEUED" => RemoteStatus::Queued,
            "RUNNING" => RemoteStatus::Running,
            "COMPLETED" => RemoteStatus::Completed,
            "FAILED" => RemoteStatus::Failed,
            other => RemoteStatus::Other(other.to_owned()),
        }
    }
}
