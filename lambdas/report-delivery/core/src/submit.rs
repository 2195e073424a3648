//! The API's operations on the queue: adding and deleting jobs. Neither calls QuickSight.

use crate::error::Unavailable;
use crate::job::{Job, State};
use crate::job_key::JobKey;
use crate::tables::{Change, Check, Open, Table, Tables, Write, WriteError};

/// The outcome of a submission.
#[derive(Debug)]
pub enum Submitted {
    /// The job is in the queue.
    New,
    /// The same request was already submitted with the same ID; this is its job.
    Again(Box<Job>),
    /// A different request was submitted with the same ID, or its job was deleted.
    Taken,
}

/// Puts a job into the queue with one write that only succeeds for a new ID.
///
/// Safe to repeat: the same ID and fingerprint mean the same job.
///
/// # Errors
///
/// If the table did not respond; the job may be in the queue.
pub async fn submit(tables: &impl Tables, job: &Job) -> Result<Submitted, Unavailable> {
    let put = Write::Put(vec![
        ("state", State::Queued.name().into()),
        ("open", Open::Queued.name().into()),
        ("since", job.created.into()),
        ("attempts", 0.into()),
        ("created", job.created.into()),
        ("updated", job.created.into()),
        ("request", job.request.clone().into()),
        ("fingerprint", job.fingerprint.clone().into()),
        ("viewer", job.viewer.clone().into()),
    ]);
    let change = Change { item: Table::Jobs(job.key.clone()), checks: vec![Check::Absent("jobId")], write: put };
    match tables.write(vec![change]).await {
        Ok(()) => Ok(Submitted::New),
        Err(WriteError::Unknown(error)) => Err(error),
        Err(WriteError::Refused(_)) => match tables.job(&job.key).await? {
            Some(item) => {
                let standing = Job::read(&item)?;
                let same = standing.fingerprint == job.fingerprint && standing.viewer == job.viewer;
                let deleted = matches!(standing.state, State::Deleting | State::Deleted);
                Ok(if same && !deleted { Submitted::Again(Box::new(standing)) } else { Submitted::Taken })
            }
            // The item expired in between.
            None => Ok(Submitted::Taken),
        },
    }
}

/// The progress of a deletion.
#[derive(Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The job will no longer be started: delete its files, then call [`end_deletion`].
    Started,
    /// It was deleted before.
    Done,
    /// QuickSight has the job, or may have it.
    Busy,
}

/// Makes a job that waits or has ended unavailable to everybody.
///
/// # Errors
///
/// If the table did not respond; calling it again continues from where it stopped.
pub async fn begin_deletion(tables: &impl Tables, job: &Job, now: u64) -> Result<Deletion, Unavailable> {
    match job.state {
        State::Deleted => return Ok(Deletion::Done),
        State::Deleting => return Ok(Deletion::Started),
        // It ended but has a slot: QuickSight has not released the job yet.
        _ if job.slot.is_some() => return Ok(Deletion::Busy),
        State::Starting | State::Running => return Ok(Deletion::Busy),
        State::Queued | State::Completed | State::Failed | State::Expired => {}
    }
    let change = Change {
        item: Table::Jobs(job.key.clone()),
        checks: vec![Check::Is("state", job.state.name().into()), Check::Is("attempts", job.attempts.into())],
        write: Write::Update {
            set: vec![
                ("state", State::Deleting.name().into()),
                ("updated", now.into()),
                ("expires", (now / 1000 + KEPT_SECONDS).into()),
            ],
            remove: vec!["open"],
        },
    };
    match tables.write(vec![change]).await {
        Ok(()) => Ok(Deletion::Started),
        Err(WriteError::Refused(_)) => Ok(Deletion::Busy),
        Err(WriteError::Unknown(error)) => Err(error),
    }
}

/// Records that the job's files were deleted.
///
/// The remaining item prevents the ID from being reused while QuickSight still knows it: 24 hours after a job's end.
///
/// # Errors
///
/// If the table did not respond.
pub async fn end_deletion(tables: &impl Tables, key: &JobKey, now: u64) -> Result<(), Unavailable> {
    let change = Change {
        item: Table::Jobs(key.clone()),
        checks: vec![Check::Is("state", State::Deleting.name().into())],
        write: Write::Update {
            set: vec![("state", State::Deleted.name().into()), ("updated", now.into())],
            remove: vec!["request", "files", "reason"],
        },
    };
    match tables.write(vec![change]).await {
        Ok(()) | Err(WriteError::Refused(_)) => Ok(()),
        Err(WriteError::Unknown(error)) => Err(error),
    }
}

/// Two days.
const KEPT_SECONDS: u64 = 2 * 24 * 60 * 60;
