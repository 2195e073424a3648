//! The reads and writes of the two tables that the state machine makes, as it sees them.

use std::future::Future;

use crate::error::Unavailable;
use crate::item::{Item, Value};
use crate::job_key::JobKey;

/// The two tables.
///
/// A caller that stops waiting knows nothing: the effect may have happened, may still happen, or may never happen.
pub trait Tables {
    /// One job, as of now (a strongly consistent read).
    fn job(&self, key: &JobKey) -> impl Future<Output = Result<Option<Item>, Unavailable>>;

    /// Writes all of `changes` or none.
    fn write(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), WriteError>>;

    /// Jobs that have not ended, oldest first, one page at a time; possibly slightly stale, because an index cannot be read
    /// consistently.
    fn open(&self, open: Open, after: Option<Item>) -> impl Future<Output = Result<Page, Unavailable>>;

    /// All items of the slot table, as of now.
    fn slots(&self) -> impl Future<Output = Result<Vec<Item>, Unavailable>>;
}

/// An item's table and key.
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
    /// All of these must hold, or nothing is written.
    pub checks: Vec<Check>,
    /// What is written.
    pub write: Write,
}

/// What must hold of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The attribute has this value.
    Is(&'static str, Value),
    /// The item does not exist, or does not have this attribute.
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

/// The two kinds of jobs that have not ended, which are the partitions of the index.
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
    /// Where the next page begins, if there is one.
    pub next: Option<Item>,
}

/// Why a write is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// A check of the change with this number (the first such change) failed; nothing was written.
    Refused(usize),
    /// It is unknown whether it was written.
    Unknown(Unavailable),
}
