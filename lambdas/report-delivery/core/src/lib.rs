//! The queue of report jobs and the slots they run in: the state machine that the functions of report delivery share.
//!
//! ```text
//! submit ──► QUEUED ── claim: one transaction over job and slot ──► STARTING ── Start, once, not retried
//!              ▲  │                                                   │  │
//!              │  └─► EXPIRED after a day                             │  └─ accepted, or already there ─► RUNNING
//!              └───── QuickSight is full: the slot is released ◄──────┤                                     │
//!                     no answer: the slot is kept, Describe decides ◄─┘       COMPLETED, FAILED ◄───────────┘
//!                                                                             one transaction over job and slot
//! ```
//!
//! QuickSight runs a limited number of snapshot jobs per account, so the slots belong to the account: `N` possible items of one
//! table that all tenants share. A job runs while it holds a slot; a slot is an item that names its job, and a missing item is a
//! free slot. Nothing is counted: at most `N` jobs run because there are `N` keys.
//!
//! The job's ID is the `SnapshotJobId`, the same at every attempt, so a Start that is sent twice runs once. The queue's state and
//! QuickSight's status are two attributes of two types: a job that QuickSight reports as `QUEUED` is running for the queue.
//!
//! Every call to AWS goes through [`Tables`] and [`QuickSight`]. Their second implementation is the simulation in `tests/`.

mod delivery;
mod drain;
mod dynamo;
mod error;
pub mod files;
mod follow;
mod item;
mod job;
mod job_key;
pub mod parameters;
mod poller;
mod quicksight;
mod reclaim;
mod remote_status;
mod request;
mod sender;
mod slots;
mod submit;
mod tables;

pub use delivery::{Delivery, Way};
pub use dynamo::Dynamo;
pub use error::Unavailable;
pub use item::{Item, Value};
pub use job::{Job, Reason, State};
pub use job_key::JobKey;
pub use poller::{Poller, Sweep};
pub use quicksight::{Outcome, QuickSight, Started};
pub use remote_status::RemoteStatus;
pub use request::{Format, InvalidRequest, Request, Submission, Tag, is_id};
pub use sender::{Deliveries, NotSent, Outbox, Sender};
pub use submit::{Deletion, Submitted, begin_deletion, end_deletion, submit};
pub use tables::{Change, Check, Open, Page, Table, Tables, Write, WriteError};
