//! Finished reports and their deliveries: what is sent when, which records are repeated, and what must be true at the end.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use report_queue::{
    Change, Deletion, Delivery, Item, Job, JobKey, NotSent, Open, Outbox, Page, Request, Sender, Tables, Unavailable,
    Value, Way, WriteError, begin_deletion, end_deletion,
};
use serde_json::json;

use super::aws::{Access, Aws};
use super::delivery_bugs::{self, Bug};
use super::executor::Timeline;
use super::schedule::{HARSH, HOUR, MILD, MINUTE, NONE};

/// The outcome of a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Deliveries {
    /// What had to be delivered: each way of each job.
    pub(crate) owed: usize,
    /// How many of them were sent and recorded.
    pub(crate) sent: usize,
    /// Not sent, and no dead letter says so.
    pub(crate) lost: Vec<String>,
    /// Mails that were sent twice.
    pub(crate) doubled: Vec<String>,
    /// The record of a delivery is not what happened.
    pub(crate) wrong: Vec<String>,
    pub(crate) history: u64,
}

impl Deliveries {
    pub(crate) fn violations(&self) -> usize {
        self.lost.len() + self.doubled.len() + self.wrong.len()
    }
}

/// The sender's timeout in Lambda.
const LIFE: u64 = 120_000;

/// The longest time that the sender waits for a service that sends; milliseconds.
const PATIENCE: u64 = 20_000;

/// How often the stream delivers a record before it is put into the dead-letter queue.
const ATTEMPTS: usize = 6;

/// The longest history: all attempts at all records, one after the other.
const END: u64 = 6 * HOUR;

/// Delivers the reports of `seed`; even seeds are mild, odd ones harsh.
pub(crate) fn deliver(seed: u64, bugs: &'static [Bug]) -> Deliveries {
    let mut rng = fastrand::Rng::with_seed(seed);
    let is_harsh = seed % 2 == 1;
    let world = World::new(seed, if is_harsh { HARSH } else { MILD }, bugs);
    let mut records = Vec::new();
    for number in 0..rng.u64(4..16) {
        records.push((rng.u64(..10 * MINUTE), world.complete(number, rng.u64(..4) > 0)));
    }
    records.sort();
    let mut left = &records[..];
    while let Some((at, _)) = left.first() {
        let (batch, rest) = left.split_at(left.len().min(rng.usize(1..=5)));
        let keys: Vec<JobKey> = batch.iter().map(|(_, key)| key.clone()).collect();
        world.stream(*at, keys.clone(), &mut rng);
        // A shard that moves to another reader delivers its records again, also while they are being handled.
        if rng.u64(..3) == 0 {
            world.stream(at + rng.u64(..2 * MINUTE), keys, &mut rng);
        }
        left = rest;
    }
    for (at, key) in &records {
        if rng.u64(..12) == 0 {
            world.delete(key.clone(), at + rng.u64(..3 * MINUTE));
        }
    }
    let has_jumps = is_harsh && rng.u64(..3) == 0;
    if has_jumps {
        let (by, timeline) = (rng.i64(-5 * 60_000..20 * 60_000), world.timeline.clone());
        world.timeline.at(world.begin + rng.u64(..10 * MINUTE), move || timeline.jump(by));
    }
    let aws = world.aws.clone();
    world.timeline.at(world.begin + rng.u64(10..20) * MINUTE, move || aws.borrow_mut().faults = NONE);
    world.timeline.run(world.begin + END, || false);
    world.judge(has_jumps)
}

/// What the services that send have seen of one way of one job.
#[derive(Debug, Default)]
struct Seen {
    accepted: usize,
    refused: usize,
}

type SeenOf = Rc<RefCell<BTreeMap<(JobKey, Way), Seen>>>;

#[derive(Clone)]
struct World {
    aws: Rc<RefCell<Aws>>,
    timeline: Timeline,
    begin: u64,
    bugs: &'static [Bug],
    seen: SeenOf,
    /// The jobs whose record was put into the dead-letter queue.
    dead: Rc<RefCell<BTreeSet<JobKey>>>,
    /// Whether a fault struck a run, by its ID.
    hurt: Rc<RefCell<BTreeMap<String, Rc<Cell<bool>>>>>,
}

const TENANT: &str = "acme";

impl World {
    fn new(seed: u64, faults: super::aws::Faults, bugs: &'static [Bug]) -> World {
        let timeline = Timeline::new();
        let aws = Rc::new(RefCell::new(Aws::new(seed, 1, faults, &[])));
        let begin = timeline.now();
        World { aws, timeline, begin, bugs, seen: Rc::default(), dead: Rc::default(), hurt: Rc::default() }
    }

    /// Adds a job that has completed, perhaps with recipients.
    fn complete(&self, number: u64, has_recipients: bool) -> JobKey {
        let key = JobKey { dashboard: "d1".to_owned(), job: format!("job-{number}") };
        let recipients: &[&str] = if has_recipients { &["a@example.com"] } else { &[] };
        let request = json!({"sheetId": "s1", "format": "PDF", "parameters": {}, "tags": [], "recipients": recipients});
        let files = json!([{"format": "PDF", "key": format!("{}report.pdf", key.prefix(TENANT))}]);
        let item = Item::from([
            ("dashboardId".to_owned(), key.dashboard.clone().into()),
            ("jobId".to_owned(), key.job.clone().into()),
            ("state".to_owned(), "COMPLETED".into()),
            ("attempts".to_owned(), 1.into()),
            ("request".to_owned(), request.to_string().into()),
            ("files".to_owned(), files.to_string().into()),
            ("viewer".to_owned(), "viewer".into()),
        ]);
        let id = (TENANT.to_owned(), key.clone());
        self.aws.borrow_mut().jobs.insert(id, vec![(self.begin, Some(item))]);
        key
    }

    /// The stream delivers the records of these jobs' completion until a run succeeds. A batch that fails is split.
    fn stream(&self, after: u64, keys: Vec<JobKey>, rng: &mut fastrand::Rng) {
        let (world, mut rng) = (self.clone(), rng.fork());
        self.timeline.spawn(END, async move {
            world.timeline.sleep(after).await;
            if keys.len() > 1 && world.invoke(&keys).await {
                return;
            }
            for key in keys {
                let mut is_done = false;
                for _ in 0..ATTEMPTS {
                    world.timeline.sleep(rng.u64(..90_000)).await;
                    is_done = world.invoke(std::slice::from_ref(&key)).await;
                    if is_done {
                        break;
                    }
                }
                if !is_done {
                    world.dead.borrow_mut().insert(key);
                }
            }
        });
    }

    /// One run of the sender's function; returns whether it succeeded.
    async fn invoke(&self, keys: &[JobKey]) -> bool {
        let access = Access::new(&self.aws, &self.timeline, TENANT);
        let run = format!("run-{}", self.hurt.borrow().len());
        self.hurt.borrow_mut().insert(run.clone(), access.is_hurt.clone());
        let clock = self.timeline.clock();
        let deadline = clock.now() + Duration::from_millis(LIFE);
        let images: Vec<Item> = keys
            .iter()
            .map(|key| {
                let aws = self.aws.borrow();
                let (_, first) = &aws.jobs[&(TENANT.to_owned(), key.clone())][0];
                first.clone().expect("the job was completed")
            })
            .collect();
        let (bugs, seen) = (self.bugs, self.seen.clone());
        let outbox = Services { access: access.clone(), bugs, seen };
        let sender = Sender { tables: Jobs { access: access.clone(), bugs }, outbox, clock };
        let ended: Rc<Cell<Option<bool>>> = Rc::default();
        let end = ended.clone();
        self.timeline.spawn(LIFE, async move {
            let mut failures = 0;
            for image in images {
                failures += sender.record(&image, &run, deadline).await.failures;
            }
            end.set(Some(failures == 0));
        });
        for _ in 0..=LIFE / 1000 {
            self.timeline.sleep(1000).await;
            if let Some(is_done) = ended.get() {
                return delivery_bugs::succeeded(bugs, is_done);
            }
        }
        access.is_hurt.set(true);
        false
    }

    /// A caller deletes the job after `after`.
    fn delete(&self, key: JobKey, after: u64) {
        let (access, timeline) = (Access::new(&self.aws, &self.timeline, TENANT), self.timeline.clone());
        self.timeline.clone().spawn(END, async move {
            timeline.sleep(after).await;
            for _ in 0..6 {
                let Ok(Some(item)) = access.job(&key).await else { continue };
                let job = Job::read(&item).expect("the sender leaves a job that can be read");
                if let Ok(Deletion::Started) = begin_deletion(&access, &job, timeline.shown()).await
                    && end_deletion(&access, &key, timeline.shown()).await.is_ok()
                {
                    return;
                }
                timeline.sleep(5000).await;
            }
        });
    }

    fn judge(&self, has_jumps: bool) -> Deliveries {
        let aws = self.aws.borrow();
        let mut all = Deliveries { history: aws.history, ..Deliveries::default() };
        for ((_, key), versions) in &aws.jobs {
            let item = versions.last().and_then(|(_, item)| item.clone()).expect("no item is removed");
            let is_kept = item.get("state") == Some(&"COMPLETED".into());
            for way in Way::ALL {
                let seen = self.seen.borrow();
                let (accepted, refused) =
                    seen.get(&(key.clone(), way)).map_or((0, 0), |seen| (seen.accepted, seen.refused));
                let name = || format!("{key} by {}", way.attribute());
                if way == Way::Mail && accepted > 1 {
                    all.doubled.push(format!("{}: {accepted} times", name()));
                }
                if !is_kept || (way == Way::Mail && !has_recipients(&item)) {
                    continue;
                }
                all.owed += 1;
                let delivery = Delivery::of(&item, way);
                all.sent += usize::from(matches!(delivery, Some(Delivery::Sent(_))));
                let is_right = match &delivery {
                    Some(Delivery::Sent(_)) => accepted > 0,
                    Some(Delivery::Failed(_)) => refused > 0 && accepted == 0,
                    Some(Delivery::Waiting(_)) => way.is_repeatable() || accepted == 0 && refused == 0,
                    Some(Delivery::Unknown(_) | Delivery::Trying { .. }) => {
                        has_jumps || self.is_in_doubt(versions, way)
                    }
                    None => accepted == 0,
                };
                if !is_right {
                    all.wrong.push(format!("{} is {delivery:?}: {accepted} accepted, {refused} refused", name()));
                }
                if !matches!(delivery, Some(Delivery::Sent(_))) && !self.dead.borrow().contains(key) {
                    all.lost.push(format!("{} is {delivery:?} without a dead letter", name()));
                }
            }
        }
        all
    }

    /// Whether a fault struck the last run that claimed the delivery.
    fn is_in_doubt(&self, versions: &[(u64, Option<Item>)], way: Way) -> bool {
        let claims = versions.iter().rev().filter_map(|(_, item)| Delivery::of(item.as_ref()?, way));
        let mut runs = claims.filter_map(|delivery| match delivery {
            Delivery::Trying { run, .. } => Some(run),
            _ => None,
        });
        runs.next().is_some_and(|run| self.hurt.borrow()[&run].get())
    }
}

fn has_recipients(item: &Item) -> bool {
    matches!(item.get("request"), Some(Value::S(request)) if request.contains("a@example.com"))
}

/// The jobs table as the sender uses it.
struct Jobs {
    access: Access,
    bugs: &'static [Bug],
}

impl Tables for Jobs {
    async fn job(&self, key: &JobKey) -> Result<Option<Item>, Unavailable> {
        let item = self.access.job(key).await?;
        Ok(item.map(|item| delivery_bugs::read(self.bugs, item, self.access.timeline.shown())))
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), WriteError> {
        match delivery_bugs::written(self.bugs, changes) {
            changes if changes.is_empty() => Ok(()),
            changes => self.access.write(changes).await,
        }
    }

    async fn open(&self, open: Open, after: Option<Item>) -> Result<Page, Unavailable> {
        self.access.open(open, after).await
    }

    async fn slots(&self) -> Result<Vec<Item>, Unavailable> {
        self.access.slots().await
    }
}

/// SES, the partner's bucket and the SFTP connector.
struct Services {
    access: Access,
    bugs: &'static [Bug],
    seen: SeenOf,
}

impl Outbox for Services {
    fn has(&self, _: Way) -> bool {
        true
    }

    async fn send(&self, way: Way, job: &Job, _: &Request) -> Result<(), NotSent> {
        let (seen, key) = (self.seen.clone(), job.key.clone());
        let effect = move |aws: &mut Aws, _| {
            let mut seen = seen.borrow_mut();
            let seen = seen.entry((key.clone(), way)).or_default();
            if is_unwanted(&key, way) {
                seen.refused += 1;
                return Err(NotSent::Refused("MessageRejected".to_owned()));
            }
            if aws.hits(aws.faults.no_room) {
                return Err(NotSent::NotNow("Throttling".to_owned()));
            }
            seen.accepted += 1;
            Ok(())
        };
        let answer = self.access.call(way.attribute(), PATIENCE, effect).await;
        let answer = answer.unwrap_or_else(|reason| Err(NotSent::Unknown(reason.0)));
        delivery_bugs::answered(self.bugs, way, answer)
    }
}

/// Whether the service refuses this delivery at every attempt.
fn is_unwanted(key: &JobKey, way: Way) -> bool {
    way != Way::Sftp && key.job.ends_with('3')
}
