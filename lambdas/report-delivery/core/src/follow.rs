//! Follows a job that has a slot, one step at a time, until its end.

use std::time::Duration;

use tracing::{info, warn};

use crate::drain::Step;
use crate::error::Unavailable;
use crate::files;
use crate::job::{Job, Reason, State};
use crate::poller::{LEASE, Poller, Set, reason_of, whole};
use crate::quicksight::{Outcome, QuickSight};
use crate::remote_status::RemoteStatus;
use crate::tables::Tables;

/// Starts without an answer, one lease apart, before a job is given up.
const RESTARTS: u64 = 8;

/// How long QuickSight may leave every question about a job unanswered before the job is given up.
const SILENCE_LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// How long QuickSight may take from a job's end to its result, have a status that this release does not know, or not know a job that
/// it had.
pub(crate) const SETTLING_LIMIT: Duration = Duration::from_secs(60 * 60);

/// How long a job runs.
const RUNNING_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a job that was given up keeps its slot, whatever QuickSight says about it.
pub(crate) const DRAINING_LIMIT: Duration = Duration::from_secs(48 * 60 * 60);

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Advances a job that has a slot by one step; returns whether that was the last.
    ///
    /// A job that was given up is followed as well: if QuickSight completes it after all, it is COMPLETED.
    pub(crate) async fn follow(&self, job: &Job) -> Result<bool, Unavailable> {
        if job.slot.is_none() {
            return Ok(false);
        }
        match self.quicksight.describe(&job.key).await {
            Ok(Some(status @ (RemoteStatus::Queued | RemoteStatus::Running))) => self.works(job, status).await,
            Ok(Some(status)) => self.end(job, status).await,
            Ok(None) if self.now() < job.lease => Ok(false),
            Ok(None) if job.state == State::Starting => self.absent(job).await,
            Ok(None) => self.vanished(job).await,
            Err(reason) => self.silence(job, reason).await,
        }
    }

    /// QuickSight has the job and is working on it.
    async fn works(&self, job: &Job, status: RemoteStatus) -> Result<bool, Unavailable> {
        if job.state.is_end() {
            return match job.settling {
                _ if self.has_drained(job) => self.release(job).await,
                Some(_) => self.update(job, vec![("updated", self.now().into())], &["settling"]).await.map(|()| false),
                None => Ok(false),
            };
        }
        if self.now() >= job.since + whole(RUNNING_LIMIT) {
            let message = "quicksight did not finish the job within 24 hours";
            return self.give_up(job, Reason::new("TIMEOUT", message)).await;
        }
        let noted = job.state == State::Running && job.remote.as_ref() == Some(&status);
        if noted && job.silent.is_none() && job.settling.is_none() {
            return Ok(false);
        }
        let set = vec![
            ("state", State::Running.name().into()),
            ("remoteStatus", status.name().into()),
            ("updated", self.now().into()),
        ];
        self.update(job, set, &["silent", "settling"]).await.map(|()| false)
    }

    /// QuickSight does not know the job, and a Start can no longer arrive.
    async fn absent(&self, job: &Job) -> Result<bool, Unavailable> {
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

    /// QuickSight had the job, which may have been given up since, and says that it does not know it. One such answer may be wrong: the
    /// job would be lost, and another one would run in its slot.
    async fn vanished(&self, job: &Job) -> Result<bool, Unavailable> {
        let now = self.now();
        match job.settling {
            Some(since) if now < since + whole(SETTLING_LIMIT) => Ok(false),
            Some(_) if job.state.is_end() => self.release(job).await,
            Some(_) => {
                let reason = Reason::new("VANISHED", "quicksight had the job and has not known it for an hour");
                self.finish(job, State::Failed, vec![reason_of(&reason)]).await
            }
            None => {
                warn!(step = "vanished", job = %job.key);
                self.update(job, vec![("settling", now.into())], &["silent"]).await.map(|()| false)
            }
        }
    }

    /// QuickSight did not respond about the job.
    async fn silence(&self, job: &Job, reason: Unavailable) -> Result<bool, Unavailable> {
        let now = self.now();
        match job.silent {
            _ if job.state.is_end() && self.has_drained(job) => self.release(job).await,
            Some(since) if !job.state.is_end() && now >= since + whole(SILENCE_LIMIT) => {
                let message = format!("quicksight has not responded about the job for 6 hours: {reason}");
                self.give_up(job, Reason::new("UNKNOWN", message)).await
            }
            Some(_) => Err(reason),
            None => {
                self.update(job, vec![("silent", now.into())], &[]).await?;
                Err(reason)
            }
        }
    }

    /// The job ended at QuickSight, or has a status that this release does not know: fetches its result.
    async fn end(&self, job: &Job, status: RemoteStatus) -> Result<bool, Unavailable> {
        let (uploaded, reason) = match self.quicksight.result(&job.key).await {
            Ok(Outcome::NotYet) => return self.settle(job, status).await,
            Ok(Outcome::Failed(reason)) => {
                return self.finish(job, State::Failed, vec![remote(&status), reason_of(&reason)]).await;
            }
            Ok(Outcome::Completed(uploaded, reason)) => (uploaded, reason),
            Err(reason) => return self.silence(job, reason).await,
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
        let mut set = vec![remote(&RemoteStatus::Completed), ("files", files.into())];
        set.extend(reason.as_ref().map(reason_of));
        self.finish(job, state, set).await
    }

    /// QuickSight has no result of the job yet. It is no longer working on the job, so the slot is not kept for long.
    async fn settle(&self, job: &Job, status: RemoteStatus) -> Result<bool, Unavailable> {
        let now = self.now();
        match job.settling {
            Some(since) if now >= since + whole(SETTLING_LIMIT) => {
                let message =
                    format!("quicksight reports the status {} and had no result within an hour", status.name());
                let set = vec![remote(&status), reason_of(&Reason::new("NO_RESULT", message))];
                self.finish(job, State::Failed, set).await
            }
            Some(_) if job.silent.is_none() => Ok(false),
            since => {
                let mut set = vec![remote(&status), ("settling", since.unwrap_or(now).into()), ("updated", now.into())];
                if !job.state.is_end() {
                    set.push(("state", State::Running.name().into()));
                }
                self.update(job, set, &["silent"]).await.map(|()| false)
            }
        }
    }

    /// Records the job's end and releases its slot, both or neither.
    pub(crate) async fn finish(&self, job: &Job, state: State, more: Vec<Set>) -> Result<bool, Unavailable> {
        let now = self.now();
        let mut set = vec![("state", state.name().into()), ("updated", now.into()), ("expires", self.expires().into())];
        let given = |name: &str| more.iter().any(|(set, _)| *set == name);
        // What was the reason for giving the job up no longer holds.
        let mut remove = vec!["open", "slot", "lease", "notBefore", "silent", "settling"];
        if !given("reason") {
            remove.push("reason");
        }
        set.extend(more);
        self.free(job, set, &remove).await?;
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
        let set = vec![("expires", self.expires().into())];
        self.free(job, set, &["open", "slot", "lease", "silent", "settling"]).await.map(|()| true)
    }

    /// Whether a job that was given up has had its slot for as long as any job may.
    fn has_drained(&self, job: &Job) -> bool {
        self.now() >= job.since + whole(DRAINING_LIMIT)
    }
}

fn remote(status: &RemoteStatus) -> Set {
    ("remoteStatus", status.name().into())
}
