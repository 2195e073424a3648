//! Follows a job that has a slot, one step at a time, until its end.

use std::time::Duration;

use tracing::{info, warn};

use crate::drain::Step;
use crate::error::Unavailable;
use crate::files;
use crate::job::{Job, Reason, State};
use crate::poller::{KEPT, LEASE, Poller, Set, reason_of, whole};
use crate::quicksight::{Outcome, QuickSight};
use crate::remote_status::RemoteStatus;
use crate::tables::Tables;

/// Starts without an answer, one lease apart, before a job is given up.
const RESTARTS: u64 = 8;

/// Sweeps in a row without an answer on a job before it is given up.
const MISSES: u64 = 30;

/// How long a job runs.
const RUNNING_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a job that was given up keeps its slot while it is unknown whether it is running.
const DRAINING_LIMIT: Duration = Duration::from_secs(48 * 60 * 60);

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Advances a job that has a slot by one step; returns whether that was the last.
    pub(crate) async fn follow(&self, job: &Job) -> Result<bool, Unavailable> {
        let now = self.now();
        if job.slot.is_none() {
            return Ok(false);
        }
        let gave_up = job.state.is_end();
        match self.quicksight.describe(&job.key).await {
            Ok(Some(RemoteStatus::Completed | RemoteStatus::Failed)) if gave_up => self.release(job).await,
            Ok(Some(RemoteStatus::Completed | RemoteStatus::Failed)) => self.end(job).await,
            Ok(Some(_)) if gave_up => Ok(false),
            Ok(Some(_)) if now >= job.since + whole(RUNNING_LIMIT) => {
                let message = "quicksight did not finish the job within 24 hours";
                self.give_up(job, Reason::new("TIMEOUT", message)).await
            }
            Ok(Some(status)) => self.note(job, status).await,
            Ok(None) if now < job.lease => Ok(false),
            Ok(None) if gave_up => self.release(job).await,
            Ok(None) => self.absent(job).await,
            Err(_) if gave_up && now >= job.since + whole(DRAINING_LIMIT) => self.release(job).await,
            Err(reason) if gave_up => Err(reason),
            Err(reason) => self.miss(job, reason).await,
        }
    }

    /// QuickSight has the job and is working on it.
    async fn note(&self, job: &Job, status: RemoteStatus) -> Result<bool, Unavailable> {
        if job.state == State::Running && job.remote.as_ref() == Some(&status) && job.misses == 0 {
            return Ok(false);
        }
        let set = vec![
            ("state", State::Running.name().into()),
            ("remoteStatus", status.name().into()),
            ("misses", 0.into()),
            ("updated", self.now().into()),
        ];
        self.update(job, set, &[]).await.map(|()| false)
    }

    /// QuickSight does not know the job, and a Start can no longer arrive.
    async fn absent(&self, job: &Job) -> Result<bool, Unavailable> {
        if job.state == State::Running {
            let reason = Reason::new("VANISHED", "quicksight had the job but no longer knows it");
            return self.finish(job, State::Failed, vec![reason_of(&reason)]).await;
        }
        if job.restarts >= RESTARTS {
            let message = format!("quicksight did not accept the job in {} attempts", RESTARTS + 1);
            return self.finish(job, State::Failed, vec![reason_of(&Reason::new("NOT_STARTED", message))]).await;
        }
        let mut again = job.clone();
        again.attempts += 1;
        again.restarts += 1;
        again.lease = self.now() + whole(LEASE);
        let set = vec![
            ("attempts", again.attempts.into()),
            ("restarts", again.restarts.into()),
            ("lease", again.lease.into()),
            ("updated", self.now().into()),
        ];
        self.update(job, set, &[]).await?;
        info!(step = "start again", job = %job.key, attempts = again.attempts);
        self.start(&again).await.map(|step| step == Step::Ended)
    }

    /// QuickSight did not respond about the job.
    async fn miss(&self, job: &Job, reason: Unavailable) -> Result<bool, Unavailable> {
        if job.misses + 1 >= MISSES {
            let message = format!("quicksight did not respond about the job {MISSES} times in a row: {reason}");
            return self.give_up(job, Reason::new("UNKNOWN", message)).await;
        }
        self.update(job, vec![("misses", (job.misses + 1).into())], &[]).await?;
        Err(reason)
    }

    /// The job ended at QuickSight: fetches its result.
    async fn end(&self, job: &Job) -> Result<bool, Unavailable> {
        let (uploaded, reason) = match self.quicksight.result(&job.key).await {
            Ok(Outcome::NotYet) => return Ok(false),
            Ok(Outcome::Failed(reason)) => {
                return self.finish(job, State::Failed, vec![remote(RemoteStatus::Failed), reason_of(&reason)]).await;
            }
            Ok(Outcome::Completed(uploaded, reason)) => (uploaded, reason),
            Err(reason) => return self.miss(job, reason).await,
        };
        let prefix = job.key.prefix(&self.tenant);
        let located: Result<Vec<_>, String> =
            uploaded.iter().map(|file| files::locate(file, &self.bucket, &prefix)).collect();
        let (state, files, reason) = match located {
            Err(message) => (State::Failed, Vec::new(), Some(Reason::new("FILE_OUT_OF_PLACE", message))),
            Ok(files) if files.is_empty() => {
                let none = || Reason::new("NO_FILE", "quicksight completed the job without a file");
                (State::Failed, files, Some(reason.unwrap_or_else(none)))
            }
            Ok(files) => (State::Completed, files, reason),
        };
        let files = serde_json::to_string(&files).expect("text can always be written as JSON");
        let mut set = vec![remote(RemoteStatus::Completed), ("files", files.into())];
        set.extend(reason.as_ref().map(reason_of));
        self.finish(job, state, set).await
    }

    /// Records the job's end and releases its slot, both or neither.
    pub(crate) async fn finish(&self, job: &Job, state: State, more: Vec<Set>) -> Result<bool, Unavailable> {
        let now = self.now();
        let mut set = vec![
            ("state", state.name().into()),
            ("updated", now.into()),
            ("expires", ((now + whole(KEPT)) / 1000).into()),
        ];
        set.extend(more);
        self.free(job, set, &["open", "slot", "lease", "notBefore"]).await?;
        info!(step = "end", job = %job.key, state = state.name());
        Ok(true)
    }

    /// Records the job's end and keeps the slot: QuickSight may be working on it and cannot be told to stop.
    async fn give_up(&self, job: &Job, reason: Reason) -> Result<bool, Unavailable> {
        warn!(step = "give up", job = %job.key, reason = reason.message);
        let set = vec![("state", State::Failed.name().into()), ("updated", self.now().into()), reason_of(&reason)];
        self.update(job, set, &[]).await.map(|()| false)
    }

    /// Releases the slot of a job that was given up.
    async fn release(&self, job: &Job) -> Result<bool, Unavailable> {
        let expires = (self.now() + whole(KEPT)) / 1000;
        self.free(job, vec![("expires", expires.into())], &["open", "slot", "lease"]).await.map(|()| true)
    }
}

fn remote(status: RemoteStatus) -> Set {
    ("remoteStatus", status.name().into())
}
