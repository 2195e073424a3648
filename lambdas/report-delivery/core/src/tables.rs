//! The calls to AWS that the state machine makes, as it sees them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use crate::files::Uploaded;
use crate::job::{Job, JobKey, Reason};
use crate::request::Request;

/// The two tables.
///
/// A caller that stops waiting knows nothing: the effect may have been, may come, or may never come.
pub trait Tables {
    /// One job, as of now (a strongly consistent read).
    fn job(&self, key: &JobKey) -> impl Future<Output = Result<Option<Item>, Unavailable>>;

    /// Writes all of `changes` or none.
    fn write(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), WriteError>>;

    /// Jobs that are not at their end, oldest first, a page at a time; a moment old (an index cannot be read consistently).
    fn open(&self, open: Open, after: Option<Item>) -> impl Future<Output = Result<Page, Unavailable>>;

    /// All items of the slot table, as of now.
    fn slots(&self) -> impl Future<Output = Result<Vec<Item>, Unavailable>>;
}

/// QuickSight's three snapshot calls.
pub trait QuickSight {
    /// `StartDashboardSnapshotJob` with the job's id, sent once: an error is only as definite as there was one attempt.
    fn start(&self, job: &Job, request: &Request) -> impl Future<Output = Started>;

    /// `DescribeDashboardSnapshotJob`; `None` when QuickSight does not know the job.
    fn describe(&self, key: &JobKey) -> impl Future<Output = Result<Option<RemoteStatus>, Unavailable>>;

    /// `DescribeDashboardSnapshotJobResult`.
    fn result(&self, key: &JobKey) -> impl Future<Output = Result<Outcome, Unavailable>>;
}

/// An item by its attributes.
pub type Item = BTreeMap<String, Value>;

/// An attribute's value; the queue needs two types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    S(String),
    /// A whole number.
    N(u64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::S(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::S(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::N(number)
    }
}

/// Which table, with the key in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// The tenant's jobs.
    Jobs(JobKey),
    /// The account's slots; the key is `slot#0`, or `waiting#<tenant>`.
    Slots(String),
}

/// One conditional write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The item.
    pub item: Table,
    /// All must hold, or nothing is written.
    pub checks: Vec<Check>,
    /// What is written.
    pub write: Write,
}

/// What must hold of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The attribute has this value.
    Is(&'static str, Value),
    /// The item does not exist, or not with this attribute.
    Absent(&'static str),
}

/// What is done to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Replaces it; without the key's attributes.
    Put(Vec<(&'static str, Value)>),
    /// Changes attributes of it.
    Update {
        /// Attributes to set.
        set: Vec<(&'static str, Value)>,
        /// Attributes to remove.
        remove: Vec<&'static str>,
    },
    /// Deletes it.
    Delete,
}

/// The two kinds of jobs that are not at their end: the partitions of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Without a slot.
    Queued,
    /// With a slot.
    Started,
}

impl Open {
    /// The partition's key.
    pub fn name(self) -> &'static str {
        match self {
            Open::Queued => "queued",
            Open::Started => "started",
        }
    }
}

/// A page of the index.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The jobs.
    pub items: Vec<Item>,
    /// Where the next page begins, when there is one.
    pub next: Option<Item>,
}

/// Why a write is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// A check of the change with this number (the first such) did not hold; nothing was written.
    Refused(usize),
    /// Nobody knows whether it was written.
    Unknown(Unavailable),
}

/// A call that gave no answer to go by; the text names the cause and carries no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// How a Start went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// QuickSight has the job.
    Accepted,
    /// QuickSight had the job: an earlier Start arrived after all.
    Exists,
    /// QuickSight has no room now, and did not take the job.
    Full(String),
    /// QuickSight will never take the job as it is.
    Refused(Reason),
    /// Nobody knows.
    Unknown(Unavailable),
}

/// QuickSight's own word on a job; never to be confused with [`crate::State`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteStatus {
    /// Accepted, and about to run.
    Queued,
    /// It runs.
    Running,
    /// It has its files.
    Completed,
    /// It ended without.
    Failed,
    /// A status this release does not know: the job is taken to run.
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

/// How a job ended at QuickSight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended.
    NotYet,
    /// It ended well: the files of all its groups, and what QuickSight says went wrong on the way.
    Completed(Vec<Uploaded>, Option<Reason>),
    /// It failed.
    Failed(Reason),
}
