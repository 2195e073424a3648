//! A job as its item in the table tells it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Unavailable;
use crate::files::File;
use crate::item::{Item, Value};
use crate::job_key::JobKey;
use crate::remote_status::RemoteStatus;
use crate::request::Request;

/// Where a job stands with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a slot.
    Queued,
    /// Has a slot; whether QuickSight has the job is to be found out.
    Starting,
    /// Has a slot, and QuickSight has the job.
    Running,
    /// Ended with files.
    Completed,
    /// Ended without; the reason says why.
    Failed,
    /// Found no slot within a day.
    Expired,
    /// Somebody deletes it: its files go now.
    Deleting,
    /// Deleted; the item stays for two days so that its id is not used again.
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

    /// Whether the job has come to its end.
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
    /// Where it stands.
    pub state: State,
    /// How often it was claimed or started again; who writes about one attempt names it, so a late word on an old one is refused.
    pub attempts: u64,
    /// How often it was started again since it was claimed, because nobody could say whether QuickSight had it.
    pub restarts: u64,
    /// How many times in a row QuickSight gave no answer on it.
    pub misses: u64,
    /// The slot it holds.
    pub slot: Option<String>,
    /// Until when a Start may still arrive; milliseconds since 1970, as all times here.
    pub lease: u64,
    /// When QuickSight may be asked again to start it.
    pub not_before: u64,
    /// When it was submitted.
    pub created: u64,
    /// When it was claimed, or submitted while it waits.
    pub since: u64,
    /// When its state last changed.
    pub updated: u64,
    /// When the table drops it; seconds since 1970. Reads pass over what is older: the table takes its time.
    pub expires: Option<u64>,
    /// QuickSight's word on it.
    pub remote: Option<RemoteStatus>,
    /// What was asked for: the text of a [`crate::Request`].
    pub request: String,
    /// What tells two requests under one `Idempotency-Key` apart.
    pub fingerprint: String,
    /// Who may see it: the caller's own row-level tags, hashed.
    pub viewer: String,
    /// Its files.
    pub files: Vec<File>,
    /// Why it has none, or not all.
    pub reason: Option<Reason>,
}

impl Job {
    /// A job to submit at `now`, for who has the hash `viewer`.
    pub fn new(key: JobKey, request: &Request, viewer: String, now: u64) -> Job {
        let request = request.write();
        let fingerprint = hex::encode(Sha256::digest(format!("{key}\0{viewer}\0{request}")));
        Job {
            key,
            state: State::Queued,
            attempts: 0,
            restarts: 0,
            misses: 0,
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
        }
    }

    /// Reads an item.
    ///
    /// # Errors
    ///
    /// When it is none that this crate wrote.
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
        Ok(Job {
            key: JobKey { dashboard: required("dashboardId")?, job: required("jobId")? },
            state,
            attempts: number("attempts").ok_or_else(|| unreadable("attempts"))?,
            restarts: number("restarts").unwrap_or_default(),
            misses: number("misses").unwrap_or_default(),
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
        })
    }
}
