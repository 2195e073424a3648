//! The name of a job.

use std::fmt;

use crate::request::is_id;

/// What names a job: the table's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The dashboard, the table's partition key.
    pub dashboard: String,
    /// The job, the table's sort key and QuickSight's `SnapshotJobId`.
    pub job: String,
}

impl JobKey {
    /// Where in the bucket the job's files go; ends with a slash.
    pub fn prefix(&self, tenant: &str) -> String {
        format!("t/{tenant}/{}/{}/", self.dashboard, self.job)
    }

    /// The job whose file `key` is, when it is one of the tenant's.
    pub fn of_file(tenant: &str, key: &str) -> Option<JobKey> {
        let mut parts = key.strip_prefix("t/")?.strip_prefix(tenant)?.strip_prefix('/')?.splitn(3, '/');
        let key = JobKey { dashboard: parts.next()?.to_owned(), job: parts.next()?.to_owned() };
        parts.next().filter(|file| !file.is_empty())?;
        (is_id(&key.dashboard) && is_id(&key.job)).then_some(key)
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.dashboard, self.job)
    }
}
