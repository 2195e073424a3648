//! What the API does to the queue: it adds jobs and deletes them. Neither calls QuickSight.

use crate::error::Unavailable;
use crate::job::{Job, State};
use crate::job_key::JobKey;
use crate::tables::{Change, Check, Open, Table, Tables, Write, WriteError};

/// How a submission went.
#[derive(Debug)]
pub enum Submitted {
    /// The job is in the queue.
    New,
    /// The same request came before under the same id; this is its job.
    Again(Box<Job>),
    /// Another request came before under the same id, or its job was deleted.
    Taken,
}

/// Puts a job into the queue, by one write that only a new id passes.
///
/// Safe to repeat: the same id and fingerprint are the same job.
///
/// # Errors
///
/// When the table did not answer; the job may be in the queue.
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
            // Its time to live ran out in between.
            None => Ok(Submitted::Taken),
        },
    }
}

/// How a deletion stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nobody starts the job any more: delete its files, then call [`end_deletion`].
    Begun,
    /// It was deleted before.
    Done,
    /// QuickSight has the job, or may have it.
    Busy,
}

/// Takes a job that waits or has ended out of everybody's reach.
///
/// # Errors
///
/// When the table did not answer; asking again goes on from where it stopped.
pub async fn begin_deletion(tables: &impl Tables, job: &Job, now: u64) -> Result<Deletion, Unavailable> {
    match job.state {
        State::Deleted => return Ok(Deletion::Done),
        State::Deleting => return Ok(Deletion::Begun),
        // An end with a slot: QuickSight has not let go of the job yet.
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
        Ok(()) => Ok(Deletion::Begun),
        Err(WriteError::Refused(_)) => Ok(Deletion::Busy),
        Err(WriteError::Unknown(error)) => Err(error),
    }
}

/// Records that the job's files are gone.
///
/// What is left keeps the id from being used again while QuickSight still knows it: 24 hours after a job's end.
///
/// # Errors
///
/// When the table did not answer.
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
