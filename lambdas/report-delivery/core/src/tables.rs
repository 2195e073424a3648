//! The reads and writes of the two tables that the state machine makes, as it sees them.

use std::future::Future;

use crate::error::Unavailable;
use crate::item::{Item, Value};
use crate::job_key::JobKey;

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
