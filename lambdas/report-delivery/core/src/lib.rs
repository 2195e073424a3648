//! The queue of report jobs and the slots they run in: the state machine that the functions of report delivery share.
//!
//! ```text
//! submit ──► QUEUED ── claim: one transaction over job and slot ──► STARTING ── Start, once, not retried
//!              ▲  │                                                   │  │
//!              │  └─► EXPIRED after a day                             │  └─ accepted, or there already ─► RUNNING
//!              └───── QuickSight is full: the slot is given back ◄────┤                                     │
//!                     no answer: the slot is kept, Describe tells ◄───┘       COMPLETED, FAILED ◄───────────┘
//!                                                                             one transaction over job and slot
//! ```
//!
//! QuickSight runs so many snapshot jobs an account, so the slots are the account's: `N` possible items of one table that all
//! tenants share. A job runs while it holds a slot; a slot is an item that names its job, and no item is a free slot. Nothing
//! counts: that at most `N` run follows from there being `N` keys.
//!
//! The job's id is the `SnapshotJobId`, the same at every attempt, so a Start that is sent twice runs once. Own state and
//! QuickSight's status are two attributes of two types: QuickSight's `QUEUED` is a job that runs.
//!
//! Every call to AWS goes through [`Tables`] and [`QuickSight`]. Their second implementation is the simulation in `tests/`.

mod drain;
mod dynamo;
pub mod files;
mod follow;
mod job;
pub mod parameters;
mod poller;
mod request;
mod slots;
mod submit;
mod world;

pub use dynamo::Dynamo;
pub use job::{Job, JobKey, Reason, State};
pub use poller::{Poller, Sweep};
pub use request::{Format, InvalidRequest, Request, Submission, Tag, is_id};
pub use submit::{Deletion, Submitted, begin_deletion, end_deletion, submit};
pub use world::{
    Change, Check, Item, Open, Outcome, Page, QuickSight, RemoteStatus, Started, Table, Tables, Unavailable, Value,
    Write, WriteError,
};
