//! The calls to QuickSight that the state machine makes, as it sees them.

use std::future::Future;

use crate::error::Unavailable;
use crate::files::Uploaded;
use crate::job::{Job, Reason};
use crate::job_key::JobKey;
use crate::remote_status::RemoteStatus;
use crate::request::Request;

/// QuickSight's three snapshot calls.
pub trait QuickSight {
    /// `StartDashboardSnapshotJob` with the job's ID, sent once: an error is only as definite as there was one attempt.
    fn start(&self, job: &Job, request: &Request) -> impl Future<Output = Started>;

    /// `DescribeDashboardSnapshotJob`; `None` if QuickSight does not know the job.
    fn describe(&self, key: &JobKey) -> impl Future<Output = Result<Option<RemoteStatus>, Unavailable>>;

    /// `DescribeDashboardSnapshotJobResult`.
    fn result(&self, key: &JobKey) -> impl Future<Output = Result<Outcome, Unavailable>>;
}

/// The outcome of a Start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// QuickSight has the job.
    Accepted,
    /// QuickSight had the job: an earlier Start arrived after all.
    Exists,
    /// QuickSight has no room now and did not accept the job.
    Full(String),
    /// QuickSight will never accept this job.
    Refused(Reason),
    /// The outcome is unknown.
    Unknown(Unavailable),
}

/// How a job ended at QuickSight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended, or its result is not ready.
    NotYet,
    /// It succeeded: the files of all its groups, and any problem that QuickSight reports.
    Completed(Vec<Uploaded>, Option<Reason>),
    /// It failed.
    Failed(Reason),
}
