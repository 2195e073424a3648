//! What moves jobs: follows those that have a slot, and gives free slots to those that wait.
//!
//! Any number of pollers may run at once, be told the same thing twice, or die at any call: each step is one conditional write
//! that says what it takes for granted. What a poller leaves undone the next sweep does.

use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::files;
use crate::job::{Job, JobKey, Reason, State};
use crate::request::Request;
use crate::slots::Board;
use crate::world::{
    Change, Check, Item, Open, Outcome, QuickSight, RemoteStatus, Started, Table, Tables, Unavailable, Value, Write,
    WriteError,
};

/// A tenant's poller.
pub struct Poller<T, Q> {
    /// Both tables.
    pub tables: T,
    /// QuickSight.
    pub quicksight: Q,
    /// The present.
    pub clock: Clock,
    /// The tenant's name.
    pub tenant: String,
    /// The report bucket.
    pub bucket: String,
    /// How many jobs may run in the account and region. When it becomes less, the slots above drain.
    pub slots: u32,
}

/// What a sweep did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Jobs looked at that have a slot.
    pub followed: u32,
    /// Jobs given a slot.
    pub claimed: u32,
    /// Jobs that came to their end.
    pub ended: u32,
    /// Steps that failed and are left to the next sweep.
    pub failures: u32,
}

/// How long after a claim its Start may still arrive: more than the function's time-out (at most 120 seconds) and the longest
/// time a client waits for an answer together.
const LEASE: Duration = Duration::from_secs(300);

/// Starts without an answer, each a lease apart, before a job is given up.
const RESTARTS: u64 = 8;

/// Sweeps in a row without an answer on a job before it is given up.
const MISSES: u64 = 30;

/// How long a job waits for a slot.
const QUEUED_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a job runs.
const RUNNING_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a job that was given up keeps its slot while nobody can say whether it runs.
const DRAINING_LIMIT: Duration = Duration::from_secs(48 * 60 * 60);

/// How long a job's record stays after its end.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Follows every started job, then starts queued ones, until nothing is left to do or it is `until`.
    ///
    /// # Errors
    ///
    /// When the index or the slot table did not answer. What concerns a single job is logged and left to the next sweep.
    pub async fn sweep(&self, until: SystemTime) -> Result<Sweep, Unavailable> {
        let mut sweep = Sweep::default();
        let mut after = None;
        loop {
            let page = self.tables.open(Open::Started, after).await?;
            for item in &page.items {
                if self.clock.now() >= until {
                    return Ok(sweep);
                }
                self.follow_item(item, &mut sweep).await;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.drain(until, &mut sweep).await?;
        Ok(sweep)
    }

    /// Follows the job whose file `key` is, and starts queued ones when that freed a slot; does nothing for any other file.
    ///
    /// # Errors
    ///
    /// As [`Poller::sweep`].
    pub async fn object_created(&self, key: &str, until: SystemTime) -> Result<Sweep, Unavailable> {
        let mut sweep = Sweep::default();
        let Some(key) = JobKey::of_file(&self.tenant, key) else { return Ok(sweep) };
        let Some(item) = self.tables.job(&key).await? else { return Ok(sweep) };
        if item.contains_key("slot") {
            self.follow_item(&item, &mut sweep).await;
        }
        if sweep.ended > 0 {
            self.drain(until, &mut sweep).await?;
        }
        Ok(sweep)
    }

    async fn follow_item(&self, item: &Item, sweep: &mut Sweep) {
        sweep.followed += 1;
        let ended = match Job::read(item) {
            Ok(job) => self.follow(&job).await,
            Err(unreadable) => Err(unreadable),
        };
        match ended {
            Ok(true) => sweep.ended += 1,
            Ok(false) => {}
            Err(reason) => failed(item, &reason, sweep),
        }
    }

    /// Brings a job that has a slot one step on; whether that was its last.
    async fn follow(&self, job: &Job) -> Result<bool, Unavailable> {
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

    /// QuickSight has the job and works on it.
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

    /// QuickSight does not know the job, and no Start is under way any more.
    async fn absent(&self, job: &Job) -> Result<bool, Unavailable> {
        if job.state == State::Running {
            let reason = Reason::new("VANISHED", "quicksight had the job and does not know it any more");
            return self.finish(job, State::Failed, vec![reason_of(&reason)]).await;
        }
        if job.restarts >= RESTARTS {
            let message = format!("quicksight did not take the job in {} attempts", RESTARTS + 1);
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

    /// QuickSight gave no answer on the job.
    async fn miss(&self, job: &Job, reason: Unavailable) -> Result<bool, Unavailable> {
        if job.misses + 1 >= MISSES {
            let message = format!("quicksight gave no answer on the job {MISSES} times in a row: {reason}");
            return self.give_up(job, Reason::new("UNKNOWN", message)).await;
        }
        self.update(job, vec![("misses", (job.misses + 1).into())], &[]).await?;
        Err(reason)
    }

    /// The job ended at QuickSight: fetches how.
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
            uploaded.iter().map(|it| files::locate(it, &self.bucket, &prefix)).collect();
        let (state, files, reason) = match located {
            Err(message) => (State::Failed, Vec::new(), Some(Reason::new("FILE_OUT_OF_PLACE", message))),
            Ok(files) if files.is_empty() => {
                let none = || Reason::new("NO_FILE", "quicksight completed the job without a file");
                (State::Failed, files, Some(reason.unwrap_or_else(none)))
            }
            Ok(files) => (State::Completed, files, reason),
        };
        let files = serde_json::to_string(&files).expect("texts are always JSON");
        let mut set = vec![remote(RemoteStatus::Completed), ("files", files.into())];
        set.extend(reason.as_ref().map(reason_of));
        self.finish(job, state, set).await
    }

    /// Writes the job's end and gives its slot back, both or neither.
    async fn finish(&self, job: &Job, state: State, more: Vec<Set>) -> Result<bool, Unavailable> {
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

    /// Writes the job's end and keeps the slot: QuickSight may be at work on it, and cannot be told to stop.
    async fn give_up(&self, job: &Job, reason: Reason) -> Result<bool, Unavailable> {
        warn!(step = "give up", job = %job.key, reason = reason.message);
        let set = vec![("state", State::Failed.name().into()), ("updated", self.now().into()), reason_of(&reason)];
        self.update(job, set, &[]).await.map(|()| false)
    }

    /// Gives back the slot of a job that was given up.
    async fn release(&self, job: &Job) -> Result<bool, Unavailable> {
        let expires = (self.now() + whole(KEPT)) / 1000;
        self.free(job, vec![("expires", expires.into())], &["open", "slot", "lease"]).await.map(|()| true)
    }

    /// Gives free slots to waiting jobs, oldest first.
    async fn drain(&self, until: SystemTime, sweep: &mut Sweep) -> Result<(), Unavailable> {
        let mut board: Option<Board> = None;
        let mut more = false;
        let mut after = None;
        'pages: loop {
            let page = self.tables.open(Open::Queued, after).await?;
            for item in &page.items {
                if self.clock.now() >= until {
                    more = true;
                    break 'pages;
                }
                let job = match Job::read(item) {
                    Ok(job) => job,
                    Err(unreadable) => {
                        failed(item, &unreadable, sweep);
                        continue;
                    }
                };
                if job.state != State::Queued {
                    continue;
                }
                if self.now() >= job.created + whole(QUEUED_LIMIT) {
                    self.expire(&job, sweep).await;
                    continue;
                }
                if self.now() < job.not_before {
                    continue;
                }
                let board = match &mut board {
                    Some(board) => board,
                    None => {
                        let items = self.tables.slots().await?;
                        board.insert(Board::read(&items, &self.tenant, self.slots, self.now()))
                    }
                };
                let Some(slot) = board.take() else {
                    more = true;
                    break 'pages;
                };
                let claimed = match self.claim(&job, &slot).await {
                    Ok(claimed) => claimed,
                    // Another poller was faster, or the index is behind: the slot is still free.
                    Err(WriteError::Refused(JOB)) => {
                        board.give_back(slot);
                        continue;
                    }
                    Err(WriteError::Refused(_)) => {
                        more = true;
                        continue;
                    }
                    Err(WriteError::Unknown(reason)) => {
                        failed(item, &reason, sweep);
                        more = true;
                        continue;
                    }
                };
                board.serve();
                sweep.claimed += 1;
                match self.start(&claimed).await {
                    Ok(Step::Runs) => {}
                    Ok(Step::Ended) => sweep.ended += 1,
                    // No room for this job, so none for the next.
                    Ok(Step::NoRoom) => {
                        more = true;
                        break 'pages;
                    }
                    Err(reason) => failed(item, &reason, sweep),
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if let Some(change) = board.and_then(|board| board.place(more)) {
            // Only the order in which tenants are served depends on it.
            if let Err(reason) = self.tables.write(vec![change]).await {
                warn!(step = "wait in line", ?reason);
            }
        }
        Ok(())
    }

    /// Takes a slot for the job: both are free, or nothing is written.
    async fn claim(&self, job: &Job, slot: &str) -> Result<Job, WriteError> {
        let now = self.now();
        let mut claimed = job.clone();
        claimed.state = State::Starting;
        claimed.attempts += 1;
        claimed.restarts = 0;
        claimed.misses = 0;
        claimed.slot = Some(slot.to_owned());
        claimed.since = now;
        claimed.lease = now + whole(LEASE);
        let set = vec![
            ("state", State::Starting.name().into()),
            ("open", Open::Started.name().into()),
            ("attempts", claimed.attempts.into()),
            ("restarts", 0.into()),
            ("misses", 0.into()),
            ("slot", slot.into()),
            ("since", now.into()),
            ("lease", claimed.lease.into()),
            ("updated", now.into()),
        ];
        let take = Change {
            item: Table::Slots(slot.to_owned()),
            checks: vec![Check::Absent("job")],
            write: Write::Put(vec![
                ("job", self.holder(job).into()),
                ("tenant", self.tenant.as_str().into()),
                ("since", now.into()),
            ]),
        };
        self.tables.write(vec![change(job, set, &["notBefore"]), take]).await?;
        info!(step = "claim", job = %job.key, slot, attempts = claimed.attempts);
        Ok(claimed)
    }

    /// Asks QuickSight to start a job that was just claimed, or is started again.
    async fn start(&self, job: &Job) -> Result<Step, Unavailable> {
        let Ok(request) = Request::read(&job.request) else {
            let reason = Reason::new("UNREADABLE", "the job's record cannot be read");
            return self.finish(job, State::Failed, vec![reason_of(&reason)]).await.map(|_| Step::Ended);
        };
        match self.quicksight.start(job, &request).await {
            Started::Accepted | Started::Exists => {
                let set = vec![("state", State::Running.name().into()), ("updated", self.now().into())];
                self.update(job, set, &[]).await.map(|()| Step::Runs)
            }
            Started::Refused(reason) => {
                self.finish(job, State::Failed, vec![reason_of(&reason)]).await.map(|_| Step::Ended)
            }
            Started::Full(reason) => {
                warn!(step = "no room", job = %job.key, reason);
                // After an unanswered Start the slot stays, for that Start may yet arrive.
                if job.restarts == 0 {
                    self.requeue(job).await?;
                }
                Ok(Step::NoRoom)
            }
            Started::Unknown(reason) => Err(reason),
        }
    }

    /// Puts a job that QuickSight certainly did not take back into its old place in the queue.
    async fn requeue(&self, job: &Job) -> Result<(), Unavailable> {
        let now = self.now();
        let set = vec![
            ("state", State::Queued.name().into()),
            ("open", Open::Queued.name().into()),
            ("since", job.created.into()),
            ("notBefore", (now + backoff(job)).into()),
            ("updated", now.into()),
        ];
        self.free(job, set, &["slot", "lease"]).await
    }

    async fn expire(&self, job: &Job, sweep: &mut Sweep) {
        let now = self.now();
        let set = vec![
            ("state", State::Expired.name().into()),
            ("updated", now.into()),
            ("expires", ((now + whole(KEPT)) / 1000).into()),
            reason_of(&Reason::new("EXPIRED", "no slot came free for the job within 24 hours")),
        ];
        match self.update(job, set, &["open", "notBefore"]).await {
            Ok(()) => sweep.ended += 1,
            Err(reason) => {
                warn!(step = "expire", job = %job.key, %reason);
                sweep.failures += 1;
            }
        }
    }

    /// Changes the job and deletes the slot that names it, both or neither.
    async fn free(&self, job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Result<(), Unavailable> {
        let slot = job.slot.clone().unwrap_or_default();
        let give = Change {
            item: Table::Slots(slot),
            checks: vec![Check::Is("job", self.holder(job).into())],
            write: Write::Delete,
        };
        let job_change = change(job, set, remove);
        match self.tables.write(vec![job_change.clone(), give]).await {
            // The slot is not the job's: somebody took it away by hand.
            Err(WriteError::Refused(SLOT)) => done(self.tables.write(vec![job_change]).await),
            written => done(written),
        }
    }

    async fn update(&self, job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Result<(), Unavailable> {
        done(self.tables.write(vec![change(job, set, remove)]).await)
    }

    /// How a slot names its job.
    fn holder(&self, job: &Job) -> String {
        format!("{}/{}", self.tenant, job.key)
    }

    fn now(&self) -> u64 {
        millis(self.clock.now())
    }
}

/// What came of a Start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Runs,
    Ended,
    NoRoom,
}

type Set = (&'static str, Value);

/// The numbers of the two changes of a transaction.
const JOB: usize = 0;
const SLOT: usize = 1;

/// A change of the job as it was read, or none.
fn change(job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Change {
    let checks = vec![Check::Is("state", job.state.name().into()), Check::Is("attempts", job.attempts.into())];
    let write = Write::Update { set, remove: remove.to_vec() };
    Change { item: Table::Jobs(job.key.clone()), checks, write }
}

fn done(written: Result<(), WriteError>) -> Result<(), Unavailable> {
    match written {
        Ok(()) => Ok(()),
        Err(WriteError::Refused(_)) => Err(Unavailable("the job was changed meanwhile".to_owned())),
        Err(WriteError::Unknown(reason)) => Err(reason),
    }
}

fn remote(status: RemoteStatus) -> Set {
    ("remoteStatus", status.name().into())
}

fn reason_of(reason: &Reason) -> Set {
    ("reason", serde_json::to_string(reason).expect("texts are always JSON").into())
}

/// Half a minute to a minute, twice that at each attempt, at most 16 minutes; spread by the job's id.
fn backoff(job: &Job) -> u64 {
    let longest = 60_000_u64 << job.attempts.saturating_sub(1).min(4);
    let hash = Sha256::digest(format!("{}#{}", job.key.job, job.attempts));
    let spread = u64::from(u16::from_be_bytes([hash[0], hash[1]]));
    longest / 2 + longest / 2 * spread / u64::from(u16::MAX)
}

fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("the durations here are days")
}

fn failed(item: &Item, reason: &Unavailable, sweep: &mut Sweep) {
    let name = |attribute: &str| match item.get(attribute) {
        Some(Value::S(text)) => text.clone(),
        _ => String::new(),
    };
    warn!(step = "job", dashboard = name("dashboardId"), job = name("jobId"), %reason);
    sweep.failures += 1;
}
