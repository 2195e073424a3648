//! A job as stored in its item in the table.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::delivery::{Delivery, Way};
use crate::error::Unavailable;
use crate::files::File;
use crate::item::{Item, Value};
use crate::job_key::JobKey;
use crate::remote_status::RemoteStatus;
use crate::request::Request;

/// The state of a job in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waiting for a slot.
    Queued,
    /// Has a slot; whether QuickSight has the job is not known yet.
    Starting,
    /// Has a slot, and QuickSight has the job.
    Running,
    /// Ended with files.
    Completed,
    /// Ended without files; the reason says why.
    Failed,
    /// Found no slot within a day.
    Expired,
    /// Being deleted: its files are removed now.
    Deleting,
    /// Deleted; the item is kept for two days so that its ID is not reused.
    Deleted,
}

const STATES: [(State, &str); 8] = [
    (State::Queued, "QUEUED"),
    (State::Starting, "STARTING"),
    (State::Running, "RUNNING"),
    (State::Completed, "COMPLETED"),
    (State::Failed, "FAILED"),
    (State::Expired, "EXPIRED"),
    (State::Deleting, "DELETING"),
    (State::Deleted, "DELETED"),
];

impl State {
    /// The spelling in the table.
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map(|(_, name)| *name).expect("every state has a name")
    }

    /// Whether the job has ended.
    pub fn is_end(self) -> bool {
        !matches!(self, State::Queued | State::Starting | State::Running)
    }
}

/// Why a job has no files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// QuickSight's `ErrorType`, or ours in the same style.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence.
    pub message: String,
}

impl Reason {
    /// A reason of this type.
    pub fn new(kind: &str, message: impl Into<String>) -> Reason {
        Reason { kind: kind.to_owned(), message: message.into() }
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub key: JobKey,
    /// Its state.
    pub state: State,
    /// How often it was claimed or started again; each write about an attempt names it, so a late write about an old attempt is
    /// refused.
    pub attempts: u64,
    /// How often it was started again since it was claimed, because it was unknown whether QuickSight had it.
    pub restarts: u64,
    /// Since when QuickSight has not responded about it.
    pub silent: Option<u64>,
    /// Since when QuickSight has been done with it, as far as its status can be understood, without having a result.
    pub settling: Option<u64>,
    /// The slot it holds.
    pub slot: Option<String>,
    /// Until when a Start may still arrive; milliseconds since 1970, like all times here.
    pub lease: u64,
    /// When QuickSight may be asked again to start it.
    pub not_before: u64,
    /// When it was submitted.
    pub created: u64,
    /// When it was claimed, or submitted if it is waiting.
    pub since: u64,
    /// When its state last changed.
    pub updated: u64,
    /// When the table deletes it; seconds since 1970. Reads ignore expired jobs, because the table deletes them later.
    pub expires: Option<u64>,
    /// QuickSight's status of it.
    pub remote: Option<RemoteStatus>,
    /// The request, as the text of a [`crate::Request`].
    pub request: String,
    /// What distinguishes two requests with one `Idempotency-Key`.
    pub fingerprint: String,
    /// Who may see it: a hash of the caller's own row-level tags.
    pub viewer: String,
    /// Its files.
    pub files: Vec<File>,
    /// Why it has none, or not all.
    pub reason: Option<Reason>,
    /// Its deliveries that have started.
    pub deliveries: Vec<(Way, Delivery)>,
}

impl Job {
    /// A job to submit at `now`, visible to callers with the hash `viewer`.
    pub fn new(key: JobKey, request: &Request, viewer: String, now: u64) -> Job {
        let request = request.write();
        let fingerprint = hex::encode(Sha256::digest(format!("{key}\0{viewer}\0{request}")));
        Job {
            key,
            state: State::Queued,
            attempts: 0,
            restarts: 0,
            silent: None,
            settling: None,
            slot: None,
            lease: 0,
            not_before: 0,
            created: now,
            since: now,
            updated: now,
            expires: None,
            remote: None,
            request,
            fingerprint,
            viewer,
            files: Vec::new(),
            reason: None,
            deliveries: Vec::new(),
        }
    }

    /// Reads an item.
    ///
    /// # Errors
    ///
    /// If it was not written by this crate.
    pub fn read(item: &Item) -> Result<Job, Unavailable> {
        let text = |name: &str| match item.get(name) {
            Some(Value::S(text)) => Some(text.clone()),
            _ => None,
        };
        let number = |name: &str| match item.get(name) {
            Some(Value::N(number)) => Some(*number),
            _ => None,
        };
        let unreadable = |name: &str| Unavailable(format!("the job's attribute `{name}` is missing or cannot be read"));
        let required = |name: &str| text(name).ok_or_else(|| unreadable(name));
        let state = required("state")?;
        let state = STATES.iter().find(|(_, name)| *name == state).ok_or_else(|| unreadable("state"))?.0;
        let files = match text("files") {
            Some(files) => serde_json::from_str(&files).map_err(|_| unreadable("files"))?,
            None => Vec::new(),
        };
        let deliveries = Way::ALL.into_iter().filter_map(|way| Some((way, Delivery::of(item, way)?)));
        Ok(Job {
            key: JobKey { dashboard: required("dashboardId")?, job: required("jobId")? },
            state,
            attempts: number("attempts").ok_or_else(|| unreadable("attempts"))?,
            restarts: number("restarts").unwrap_or_default(),
            silent: number("silent"),
            settling: number("settling"),
            slot: text("slot"),
            lease: number("lease").unwrap_or_default(),
            not_before: number("notBefore").unwrap_or_default(),
            created: number("created").unwrap_or_default(),
            since: number("since").unwrap_or_default(),
            updated: number("updated").unwrap_or_default(),
            expires: number("expires"),
            remote: text("remoteStatus").map(|name| RemoteStatus::parse(&name)),
            request: text("request").unwrap_or_default(),
            fingerprint: text("fingerprint").unwrap_or_default(),
            viewer: text("viewer").unwrap_or_default(),
            files,
            reason: text("reason").and_then(|reason| serde_json::from_str(&reason).ok()),
            deliveries: deliveries.collect(),
        })
    }
}
