//! The two tables and QuickSight, and everything that can go wrong in calling them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use report_queue::files::Uploaded;
use report_queue::{
    Change, Item, Job, JobKey, Open, Outcome, Page, QuickSight, Reason, RemoteStatus, Request, Started, Table, Tables,
    Unavailable, Value, Write, WriteError,
};

use super::bugs::{self, Bug};
use super::executor::Timeline;

/// How often, out of 1,000 calls, each fault strikes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) refused: u64,
    pub(crate) lost_answer: u64,
    pub(crate) late: u64,
    pub(crate) crash: u64,
    pub(crate) no_room: u64,
    pub(crate) stale: u64,
    /// Out of 1,000 jobs, how many end with a status that nobody knows, and how many never have a result.
    pub(crate) odd: u64,
}

/// A tenant and its job.
pub(crate) type Id = (String, JobKey);

/// What a file of a tenant's job triggers.
type Trigger = Rc<dyn Fn(&str, JobKey)>;

/// Everything outside the functions.
pub(crate) struct Aws {
    pub(crate) rng: fastrand::Rng,
    pub(crate) faults: Faults,
    pub(crate) bugs: &'static [Bug],
    pub(crate) slots_allowed: usize,
    /// Everything that was ever written, with its time, because the index shows past states.
    pub(crate) jobs: BTreeMap<Id, Vec<(u64, Option<Item>)>>,
    pub(crate) slots: BTreeMap<String, Item>,
    /// QuickSight's jobs by the id they were started with.
    pub(crate) remote: BTreeMap<String, Remote>,
    pub(crate) high_water: usize,
    /// When each tenant was given a slot.
    pub(crate) claims: Vec<(u64, String)>,
    pub(crate) violations: Vec<String>,
    /// When QuickSight answers no question about any job.
    pub(crate) outage: std::ops::Range<u64>,
    /// A digest of everything that happened, in order.
    pub(crate) history: u64,
    /// Called when a file of a job exists.
    pub(crate) uploaded: Option<Trigger>,
}

#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) tenant: String,
    pub(crate) key: JobKey,
    pub(crate) accepted: u64,
    queued_until: u64,
    pub(crate) ends: u64,
    pub(crate) fails: bool,
    pub(crate) oddity: Option<Oddity>,
}

/// How a job ends without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// With a status that no release knows.
    UnknownStatus,
    /// COMPLETED.
    NeverReady,
}

/// Whether QuickSight refuses the job at every Start.
pub(crate) fn is_invalid(key: &JobKey) -> bool {
    key.job.ends_with('3')
}

/// One tenant's connection to AWS.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) aws: Rc<RefCell<Aws>>,
    pub(crate) timeline: Timeline,
    pub(crate) tenant: String,
}

/// A page of the index, small so that there are several.
const PAGE: usize = 4;

impl Access {
    /// One call: `effect` happens once, never, or late; the answer arrives or not; the caller survives or not.
    async fn call<R: 'static>(
        &self,
        name: &str,
        patience: u64,
        effect: impl FnOnce(&mut Aws, u64) -> R + 'static,
    ) -> Result<R, Unavailable> {
        let (strike, there, back, late) = {
            let mut aws = self.aws.borrow_mut();
            let way = if aws.rng.u64(..20) == 0 { 2000 } else { 40 };
            let (there, back) = (aws.rng.u64(1..way), aws.rng.u64(1..way));
            (aws.strike(), there, back, aws.rng.u64(1000..55_000))
        };
        let now = self.timeline.now();
        let unanswered = || Unavailable("no answer".to_owned());
        let answer = Rc::new(Cell::new(None));
        let arrive = |after: u64| {
            let (aws, answer, timeline) = (self.aws.clone(), answer.clone(), self.timeline.clone());
            let name = name.to_owned();
            self.timeline.at(now + after, move || {
                let mut aws = aws.borrow_mut();
                aws.note(&name, timeline.elapsed());
                answer.set(Some(effect(&mut aws, timeline.now())));
            });
        };
        match strike {
            Strike::CrashBefore => std::future::pending().await,
            Strike::CrashAfter => {
                arrive(there);
                std::future::pending().await
            }
            Strike::Refused => {
                self.timeline.sleep(there + back).await;
                Err(unanswered())
            }
            Strike::LostAnswer => {
                arrive(there);
                self.timeline.sleep(patience).await;
                Err(unanswered())
            }
            Strike::Late => {
                arrive(patience + late);
                self.timeline.sleep(patience).await;
                Err(unanswered())
            }
            Strike::None => {
                arrive(there);
                self.timeline.sleep(there + back).await;
                answer.take().ok_or_else(unanswered)
            }
        }
    }
}

enum Strike {
    None,
    Refused,
    LostAnswer,
    Late,
    CrashBefore,
    CrashAfter,
}

/// The longest time that the functions wait for DynamoDB and for QuickSight; milliseconds.
const TABLE_PATIENCE: u64 = 4500;
const QUICKSIGHT_PATIENCE: u64 = 10_000;

impl Tables for Access {
    async fn job(&self, key: &JobKey) -> Result<Option<Item>, Unavailable> {
        let key = (self.tenant.clone(), key.clone());
        self.call("job", TABLE_PATIENCE, move |aws, _| aws.job(&key)).await
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), WriteError> {
        let tenant = self.tenant.clone();
        let effect = move |aws: &mut Aws, now| aws.write(&tenant, changes, now);
        let answer = self.call("write", TABLE_PATIENCE, effect).await;
        answer.unwrap_or_else(|reason| Err(WriteError::Unknown(reason)))
    }

    async fn open(&self, open: Open, after: Option<Item>) -> Result<Page, Unavailable> {
        let tenant = self.tenant.clone();
        self.call("open", TABLE_PATIENCE, move |aws, now| aws.open(&tenant, open, after, now)).await
    }

    async fn slots(&self) -> Result<Vec<Item>, Unavailable> {
        let effect = |aws: &mut Aws, _| {
            let named = |(name, item): (&String, &Item)| {
                let mut item = item.clone();
                item.insert("slot".to_owned(), name.clone().into());
                item
            };
            bugs::slots(aws.bugs, aws.slots.iter().map(named).collect())
        };
        self.call("slots", TABLE_PATIENCE, effect).await
    }
}

impl QuickSight for Access {
    async fn start(&self, job: &Job, _: &Request) -> Started {
        let (aws, timeline, tenant) = (self.aws.clone(), self.timeline.clone(), self.tenant.clone());
        let job = job.clone();
        let effect = move |world: &mut Aws, now| {
            let (answer, uploads) = world.start(&tenant, &job, now);
            for time in uploads {
                let (aws, tenant, key) = (aws.clone(), tenant.clone(), job.key.clone());
                timeline.at(time, move || {
                    let uploaded = aws.borrow().uploaded.clone();
                    if let Some(uploaded) = uploaded {
                        uploaded(&tenant, key);
                    }
                });
            }
            answer
        };
        let answer = self.call("start", QUICKSIGHT_PATIENCE, effect).await;
        bugs::started(self.aws.borrow().bugs, answer.unwrap_or_else(Started::Unknown))
    }

    async fn describe(&self, key: &JobKey) -> Result<Option<RemoteStatus>, Unavailable> {
        let (tenant, key) = (self.tenant.clone(), key.clone());
        let effect = move |aws: &mut Aws, now| {
            if aws.outage.contains(&now) {
                return bugs::unanswered(aws.bugs);
            }
            let status = aws.remote(&tenant, &key).map(|remote| remote.status(now));
            Ok(bugs::described(aws.bugs, status))
        };
        self.call("describe", QUICKSIGHT_PATIENCE, effect).await?
    }

    async fn result(&self, key: &JobKey) -> Result<Outcome, Unavailable> {
        let (tenant, key) = (self.tenant.clone(), key.clone());
        let early = self.aws.borrow().bugs.contains(&Bug::CompletedBeforeTheResult);
        let effect = move |aws: &mut Aws, now| match aws.remote(&tenant, &key) {
            _ if aws.outage.contains(&now) => Err(Unavailable("no answer".to_owned())),
            Some(remote) if remote.oddity.is_some() => Ok(Outcome::NotYet),
            Some(remote) if remote.status(now) == RemoteStatus::Completed => {
                let uri = format!("s3://reports/{}report.pdf", remote.key.prefix(&remote.tenant));
                Ok(Outcome::Completed(vec![Uploaded { format: "PDF".to_owned(), uri }], None))
            }
            Some(remote) if remote.status(now) == RemoteStatus::Failed => {
                Ok(Outcome::Failed(Reason::new("X", "it failed")))
            }
            Some(_) if early => Ok(Outcome::Completed(Vec::new(), None)),
            Some(_) => Ok(Outcome::NotYet),
            None => Err(Unavailable("there is no such job".to_owned())),
        };
        self.call("result", QUICKSIGHT_PATIENCE, effect).await?
    }
}

impl Remote {
    pub(crate) fn status(&self, now: u64) -> RemoteStatus {
        match () {
            () if now < self.queued_until => RemoteStatus::Queued,
            () if now < self.ends => RemoteStatus::Running,
            () if self.oddity == Some(Oddity::UnknownStatus) => RemoteStatus::Other("CANCELLED".to_owned()),
            () if self.fails => RemoteStatus::Failed,
            () => RemoteStatus::Completed,
        }
    }
}

impl Aws {
    /// Somebody deletes the job's item by hand.
    pub(crate) fn forget(&mut self, key: &Id, now: u64) {
        if let Some(versions) = self.jobs.get_mut(key) {
            versions.push((now, None));
        }
    }

    pub(crate) fn job(&self, key: &Id) -> Option<Item> {
        self.jobs.get(key).and_then(|versions| versions.last()).and_then(|(_, item)| item.clone())
    }

    fn write(&mut self, tenant: &str, changes: Vec<Change>, now: u64) -> Result<(), WriteError> {
        let changes = bugs::writes(self.bugs, changes);
        for (number, change) in changes.iter().enumerate() {
            let item = match &change.item {
                Table::Jobs(key) => self.job(&(tenant.to_owned(), key.clone())),
                Table::Slots(name) => self.slots.get(name).cloned(),
            };
            if !bugs::holds(&change.checks, item.as_ref()) {
                self.note("refused", number as u64);
                return Err(WriteError::Refused(number));
            }
        }
        for change in changes {
            match change.item {
                Table::Jobs(key) => {
                    let id = (tenant.to_owned(), key);
                    let before = self.job(&id);
                    let mut item = apply(change.write, before.clone());
                    if is_at(before.as_ref(), ENDED) && is_at(item.as_ref(), OPEN) {
                        self.violations.push(format!("{} had ended and was started again", id.1));
                    }
                    if let Some(item) = &mut item {
                        item.insert("dashboardId".to_owned(), id.1.dashboard.clone().into());
                        item.insert("jobId".to_owned(), id.1.job.clone().into());
                    }
                    self.jobs.entry(id).or_default().push((now, item));
                }
                Table::Slots(name) => {
                    if name.starts_with("slot#") && change.write != Write::Delete {
                        self.claims.push((now, tenant.to_owned()));
                    }
                    match apply(change.write, self.slots.get(&name).cloned()) {
                        Some(item) => self.slots.insert(name, item),
                        None => self.slots.remove(&name),
                    };
                }
            }
        }
        Ok(())
    }

    /// The index, sometimes as it was a while ago.
    fn open(&mut self, tenant: &str, open: Open, after: Option<Item>, now: u64) -> Page {
        let lag = if self.hits(self.faults.stale) { self.rng.u64(1..30_000) } else { 0 };
        let seen = now - lag;
        let mut items: Vec<Item> = Vec::new();
        for (_, versions) in self.jobs.iter().filter(|((owner, _), _)| owner == tenant) {
            let version = versions.iter().rev().find(|(time, _)| *time <= seen);
            items.extend(version.and_then(|(_, item)| item.clone()));
        }
        items.retain(|item| item.get("open") == Some(&open.name().into()));
        let place = |item: &Item| match (&item["since"], &item["jobId"]) {
            (Value::N(since), Value::S(id)) => (*since, id.clone()),
            _ => panic!("an open job has a time and a name: {item:?}"),
        };
        items.sort_by_key(place);
        if let Some(after) = after {
            items.retain(|item| place(item) > place(&after));
        }
        let more = items.len() > PAGE;
        items.truncate(PAGE);
        let next = items.last().filter(|_| more).cloned();
        Page { items, next }
    }

    /// Accepts a job or not; returns when its file's events arrive.
    fn start(&mut self, tenant: &str, job: &Job, now: u64) -> (Started, Vec<u64>) {
        let id = if self.bugs.contains(&Bug::NewIdAtEachAttempt) {
            format!("{}-{}", job.key.job, job.attempts)
        } else {
            job.key.job.clone()
        };
        if self.remote.contains_key(&id) {
            return (Started::Exists, Vec::new());
        }
        if is_invalid(&job.key) {
            return (Started::Refused(Reason::new("ValidationException", "it is not valid")), Vec::new());
        }
        if self.hits(self.faults.no_room) {
            return (Started::Full("LimitExceededException".to_owned()), Vec::new());
        }
        let accepted = self.remote.values().filter(|remote| remote.tenant == tenant && remote.key == job.key).count();
        if accepted > 0 {
            self.violations.push(format!("{} was started twice", job.key));
        }
        let queued_until = now + self.rng.u64(0..90_000);
        let ends = queued_until + self.rng.u64(5_000..600_000);
        let oddity = match self.rng.u64(..1000) {
            roll if roll < self.faults.odd => Some(Oddity::UnknownStatus),
            roll if roll < 2 * self.faults.odd => Some(Oddity::NeverReady),
            _ => None,
        };
        let fails = oddity.is_none() && self.rng.u64(..10) == 0;
        let (tenant, key) = (tenant.to_owned(), job.key.clone());
        self.remote.insert(id, Remote { tenant, key, accepted: now, queued_until, ends, fails, oddity });
        let running = self.remote.values().filter(|remote| now < remote.ends).count();
        self.high_water = self.high_water.max(running);
        if running > self.slots_allowed {
            self.violations.push(format!("{running} jobs ran at once"));
        }
        // None, one, or two events; some before QuickSight says that the job has ended.
        let events = if fails { 0 } else { self.rng.u64(..3) };
        (Started::Accepted, (0..events).map(|_| ends - 1000 + self.rng.u64(..5000)).collect())
    }

    /// QuickSight's job by the ID that the state machine uses.
    fn remote(&self, tenant: &str, key: &JobKey) -> Option<&Remote> {
        if !self.bugs.contains(&Bug::NewIdAtEachAttempt) {
            return self.remote.get(&key.job);
        }
        let item = self.job(&(tenant.to_owned(), key.clone()))?;
        let Some(Value::N(attempts)) = item.get("attempts") else { return None };
        self.remote.get(&format!("{}-{attempts}", key.job))
    }

    fn strike(&mut self) -> Strike {
        let Faults { refused, lost_answer, late, crash, .. } = self.faults;
        let mut at = self.rng.u64(..1000);
        for (share, strike) in [
            (refused, Strike::Refused),
            (lost_answer, Strike::LostAnswer),
            (late, Strike::Late),
            (crash, Strike::CrashBefore),
            (crash, Strike::CrashAfter),
        ] {
            if at < share {
                return strike;
            }
            at -= share;
        }
        Strike::None
    }

    pub(crate) fn hits(&mut self, share: u64) -> bool {
        self.rng.u64(..1000) < share
    }

    pub(crate) fn note(&mut self, name: &str, number: u64) {
        for byte in name.bytes().chain(number.to_le_bytes()) {
            self.history = (self.history ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

const OPEN: &[&str] = &["QUEUED", "STARTING", "RUNNING"];
const ENDED: &[&str] = &["COMPLETED", "FAILED", "EXPIRED", "DELETING", "DELETED"];

fn is_at(item: Option<&Item>, states: &[&str]) -> bool {
    matches!(item.and_then(|item| item.get("state")), Some(Value::S(state)) if states.contains(&state.as_str()))
}

fn apply(write: Write, item: Option<Item>) -> Option<Item> {
    match write {
        Write::Delete => None,
        Write::Put(set) => Some(set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        Write::Update { set, remove } => {
            let mut item = item.unwrap_or_default();
            item.extend(set.into_iter().map(|(name, value)| (name.to_owned(), value)));
            item.retain(|name, _| !remove.contains(&name.as_str()));
            Some(item)
        }
    }
}
