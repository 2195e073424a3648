//! The name of a job.

use std::fmt;

use crate::request::is_id;

/// The name of a job, which is the table's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The dashboard, the table's partition key.
    pub dashboard: String,
    /// The job, the table's sort key and QuickSight's `SnapshotJobId`.
    pub job: String,
}

impl JobKey {
    /// The prefix of the job's files in the bucket; ends with a slash.
    pub fn prefix(&self, tenant: &str) -> String {
        format!("t/{tenant}/{}/{}/", self.dashboard, self.job)
    }

    /// Reads what [`JobKey`] shows: `<dashboard>/<job>`.
    pub(crate) fn parse(text: &str) -> Option<JobKey> {
        let (dashboard, job) = text.split_once('/')?;
        (is_id(dashboard) && is_id(job)).then(|| JobKey { dashboard: dashboard.to_owned(), job: job.to_owned() })
    }

    /// The job to which the file `key` belongs, if it is one of the tenant's.
    pub fn of_file(tenant: &str, key: &str) -> Option<JobKey> {
        let mut parts = key.strip_prefix("t/")?.strip_prefix(tenant)?.strip_prefix('/')?.splitn(3, '/');
        let key = JobKey { dashboard: parts.next()?.to_owned(), job: parts.next()?.to_owned() };
        parts.next().filter(|file| !file.is_empty())?;
        (is_id(&key.dashboard) && is_id(&key.job)).then_some(key)
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.dashboard, self.job)
    }
}
