//! Advances jobs: follows those that have a slot, and gives free slots to those that wait.
//!
//! Any number of pollers may run at once, be triggered twice, or die at any call: each step is one conditional write
//! that states its assumptions. Whatever a poller leaves undone is done by the next sweep.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use tracing::warn;

use crate::error::Unavailable;
use crate::item::{Item, Value};
use crate::job::{Job, Reason};
use crate::job_key::JobKey;
use crate::quicksight::QuickSight;
use crate::tables::{Change, Check, Open, Table, Tables, Write, WriteError};

/// A tenant's poller.
pub struct Poller<T, Q> {
    /// Both tables.
    pub tables: T,
    /// QuickSight.
    pub quicksight: Q,
    /// The current time.
    pub clock: Clock,
    /// The tenant's name.
    pub tenant: String,
    /// The report bucket.
    pub bucket: String,
    /// How many jobs may run in the account and region. If the number is reduced, the slots above it drain.
    pub slots: u32,
    /// How long a job's record is kept after its end.
    pub kept: Duration,
}

/// The result of a sweep.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Jobs that the index lists as open, waiting or started.
    pub open: u32,
    /// Jobs looked at that have a slot.
    pub followed: u32,
    /// Jobs given a slot.
    pub claimed: u32,
    /// Jobs that ended.
    pub ended: u32,
    /// Steps that failed and are left to the next sweep.
    pub failures: u32,
}

/// How long after a claim its Start may still arrive: more than the function's timeout (at most 120 seconds) and the longest
/// time a client waits for an answer together.
pub(crate) const LEASE: Duration = Duration::from_secs(300);

/// QuickSight accepts an ID again 24 hours after its job ended: <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_StartDashboardSnapshotJob.html>.
/// A record that is kept longer prevents that.
const LEAST_KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Follows every started job, then starts queued ones, until nothing is left to do or `until` is reached.
    ///
    /// # Errors
    ///
    /// If the index or the slot table did not respond. Failures of single jobs are logged and left to the next sweep.
    pub async fn sweep(&self, until: SystemTime) -> Result<Sweep, Unavailable> {
        let mut sweep = Sweep::default();
        let mut holders = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.tables.open(Open::Started, after).await?;
            sweep.open += page.items.len() as u32;
            for item in &page.items {
                if self.clock.now() >= until {
                    return Ok(sweep);
                }
                holders.extend(Job::read(item).ok().map(|job| self.holder(&job)));
                self.follow_item(item, &mut sweep).await;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.reclaim(&holders, until, &mut sweep).await?;
        self.drain(until, &mut sweep).await?;
        Ok(sweep)
    }

    /// Follows the job to which the file `key` belongs, and starts queued jobs if that freed a slot; ignores any other file.
    ///
    /// # Errors
    ///
    /// As for [`Poller::sweep`].
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

    /// Changes the job and deletes the slot that names it, both or neither.
    pub(crate) async fn free(&self, job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Result<(), Unavailable> {
        let slot = job.slot.clone().unwrap_or_default();
        let give = Change {
            item: Table::Slots(slot),
            checks: vec![Check::Is("job", self.holder(job).into())],
            write: Write::Delete,
        };
        let job_change = change(job, set, remove);
        match self.tables.write(vec![job_change.clone(), give]).await {
            // The slot does not belong to the job: somebody removed it by hand.
            Err(WriteError::Refused(SLOT)) => done(self.tables.write(vec![job_change]).await),
            written => done(written),
        }
    }

    pub(crate) async fn update(&self, job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Result<(), Unavailable> {
        done(self.tables.write(vec![change(job, set, remove)]).await)
    }

    /// How a slot names its job.
    pub(crate) fn holder(&self, job: &Job) -> String {
        format!("{}/{}", self.tenant, job.key)
    }

    pub(crate) fn now(&self) -> u64 {
        millis(self.clock.now())
    }

    /// When the table deletes a job that ends now; seconds since 1970.
    pub(crate) fn expires(&self) -> u64 {
        (self.now() + whole(self.kept.max(LEAST_KEPT))) / 1000
    }
}

pub(crate) type Set = (&'static str, Value);

/// The numbers of the two changes of a transaction.
pub(crate) const JOB: usize = 0;
const SLOT: usize = 1;

/// A change of the job that only applies if it is still as it was read.
pub(crate) fn change(job: &Job, set: Vec<Set>, remove: &[&'static str]) -> Change {
    let checks = vec![Check::Is("state", job.state.name().into()), Check::Is("attempts", job.attempts.into())];
    let write = Write::Update { set, remove: remove.to_vec() };
    Change { item: Table::Jobs(job.key.clone()), checks, write }
}

fn done(written: Result<(), WriteError>) -> Result<(), Unavailable> {
    match written {
        Ok(()) => Ok(()),
        Err(WriteError::Refused(_)) => Err(Unavailable("the job was changed in the meantime".to_owned())),
        Err(WriteError::Unknown(reason)) => Err(reason),
    }
}

pub(crate) fn reason_of(reason: &Reason) -> Set {
    ("reason", serde_json::to_string(reason).expect("text can always be written as JSON").into())
}

pub(crate) fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("the durations here are days")
}

pub(crate) fn failed(item: &Item, reason: &Unavailable, sweep: &mut Sweep) {
    let name = |attribute: &str| match item.get(attribute) {
        Some(Value::S(text)) => text.clone(),
        _ => String::new(),
    };
    warn!(step = "job", dashboard = name("dashboardId"), job = name("jobId"), %reason);
    sweep.failures += 1;
}
