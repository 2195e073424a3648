//! One seed, one history: what is submitted, deleted and triggered when, and what must be true at the end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use report_queue::{
    Deletion, Format, Item, Job, JobKey, Poller, RemoteStatus, Request, State, Submitted, Tables, Value,
    begin_deletion, end_deletion, submit,
};

use super::aws::{Access, Aws, Faults, Id, is_invalid};
use super::bugs::Bug;
use super::executor::Timeline;

/// The outcome of a schedule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) accepted: usize,
    pub(crate) slots: usize,
    pub(crate) high_water: usize,
    /// From the first submission to the last job's end, in virtual milliseconds.
    pub(crate) lasted: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) history: u64,
}

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// The poller's timeout in Lambda, and the share of it that the poller uses.
const LIFE: u64 = 60_000;
const BUDGET: Duration = Duration::from_secs(48);

const MILD: Faults = Faults { refused: 10, lost_answer: 10, late: 5, crash: 5, no_room: 20, stale: 50, odd: 10 };
const HARSH: Faults = Faults { refused: 60, lost_answer: 60, late: 60, crash: 30, no_room: 150, stale: 300, odd: 20 };
const NONE: Faults = Faults { refused: 0, lost_answer: 0, late: 0, crash: 0, no_room: 0, stale: 0, odd: 0 };

/// Runs the schedule of `seed`; even seeds are mild, odd ones harsh.
pub(crate) fn run(seed: u64, bugs: &'static [Bug]) -> Report {
    let mut rng = fastrand::Rng::with_seed(seed);
    let slots = rng.usize(1..=5);
    let harsh = seed % 2 == 1;
    let world = World::new(seed, slots, if harsh { HARSH } else { MILD }, bugs);
    let troubled = rng.u64(20..40) * MINUTE;
    for number in 0..rng.u64(5..30) {
        let tenant = TENANTS[rng.usize(..3)];
        let at = rng.u64(..10 * MINUTE);
        let twice = rng.u64(..5) == 0;
        world.submit(tenant, number, at);
        if twice {
            world.submit(tenant, number, at + rng.u64(..20 * MINUTE));
        }
        if rng.u64(..6) == 0 {
            world.delete(tenant, number, at + rng.u64(..15 * MINUTE));
        }
        if rng.u64(..30) == 0 {
            world.forget(tenant, number, at + rng.u64(..15 * MINUTE));
        }
    }
    if rng.u64(..3) == 0 {
        let from = world.begin + rng.u64(..20 * MINUTE);
        world.aws.borrow_mut().outage = from..from + rng.u64(3 * MINUTE..90 * MINUTE);
    }
    if harsh {
        for _ in 0..rng.u64(..3) {
            let by = rng.i64(-5 * 60_000..20 * 60_000);
            let timeline = world.timeline.clone();
            world.timeline.at(world.begin + rng.u64(..troubled), move || timeline.jump(by));
        }
    }
    world.poll(seed, if harsh { 10 } else { 3 }, troubled);
    let aws = world.aws.clone();
    world.timeline.at(world.begin + troubled, move || aws.borrow_mut().faults = NONE);
    world.finish(troubled)
}

/// Runs a schedule without faults in which one tenant brings 40 jobs, and two others 8 each a little later.
pub(crate) fn fair(seed: u64, bugs: &'static [Bug]) -> Report {
    let mut rng = fastrand::Rng::with_seed(seed);
    let slots = rng.usize(1..=4);
    let world = World::new(seed, slots, NONE, bugs);
    for number in 0..56 {
        let (tenant, after) = if number < 40 { (0, 0) } else { (1 + number as usize % 2, 5 * MINUTE) };
        world.submit(TENANTS[tenant], number, after + rng.u64(..MINUTE));
    }
    world.poll(seed, 0, 0);
    let mut report = world.finish(0);
    let aws = world.aws.borrow();
    // Everybody waits from the seventh minute on, until the smaller tenants have been served.
    let waiting = |(time, _): &&(u64, String)| *time > world.begin + 7 * MINUTE;
    let mut owed = BTreeMap::from([(TENANTS[1], 8_usize), (TENANTS[2], 8)]);
    for (_, tenant) in aws.claims.iter().filter(|claim| !waiting(claim)) {
        owed.entry(name(tenant)).and_modify(|left| *left -= 1);
    }
    let mut passed_over: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, tenant) in aws.claims.iter().filter(waiting) {
        passed_over.retain(|(waits, _), _| *waits != tenant);
        owed.entry(name(tenant)).and_modify(|left| *left = left.saturating_sub(1));
        for (waits, _) in owed.iter().filter(|(waits, left)| **waits != tenant && **left > 0) {
            let times = passed_over.entry((*waits, name(tenant))).or_default();
            *times += 1;
            if *times > slots + 1 {
                report.violations.push(format!("{tenant} was served {times} times while {waits} waited"));
            }
        }
    }
    report
}

fn name(tenant: &str) -> &'static str {
    TENANTS.into_iter().find(|known| *known == tenant).expect("a claim is a tenant's")
}

struct World {
    aws: Rc<RefCell<Aws>>,
    timeline: Timeline,
    begin: u64,
    /// The jobs whose submission was confirmed.
    accepted: Rc<RefCell<BTreeSet<Id>>>,
    /// The jobs whose deletion was confirmed, and when.
    deleted: Rc<RefCell<BTreeMap<Id, u64>>>,
}

impl World {
    fn new(seed: u64, slots: usize, faults: Faults, bugs: &'static [Bug]) -> World {
        let timeline = Timeline::new();
        let aws = Aws {
            rng: fastrand::Rng::with_seed(!seed),
            faults,
            bugs,
            slots_allowed: slots,
            jobs: BTreeMap::new(),
            slots: BTreeMap::new(),
            remote: BTreeMap::new(),
            high_water: 0,
            claims: Vec::new(),
            violations: Vec::new(),
            outage: 0..0,
            history: 0xcbf2_9ce4_8422_2325,
            uploaded: None,
        };
        let begin = timeline.now();
        World { aws: Rc::new(RefCell::new(aws)), timeline, begin, accepted: Rc::default(), deleted: Rc::default() }
    }

    fn access(&self, tenant: &str) -> Access {
        Access { aws: self.aws.clone(), timeline: self.timeline.clone(), tenant: tenant.to_owned() }
    }

    /// A caller submits a job after `after`, and again with the same key while it gets no answer.
    fn submit(&self, tenant: &'static str, number: u64, after: u64) {
        let (access, timeline, accepted) = (self.access(tenant), self.timeline.clone(), self.accepted.clone());
        self.timeline.clone().spawn(2 * HOUR, async move {
            timeline.sleep(after).await;
            let mut job = job(tenant, number);
            for _ in 0..6 {
                job.created = timeline.shown();
                match submit(&access, &job).await {
                    Ok(Submitted::New | Submitted::Again(_)) => {
                        accepted.borrow_mut().insert((tenant.to_owned(), job.key));
                        return;
                    }
                    Ok(Submitted::Taken) => return,
                    Err(_) => timeline.sleep(5000).await,
                }
            }
        });
    }

    fn delete(&self, tenant: &'static str, number: u64, after: u64) {
        let (access, timeline, deleted) = (self.access(tenant), self.timeline.clone(), self.deleted.clone());
        self.timeline.clone().spawn(2 * HOUR, async move {
            timeline.sleep(after).await;
            let key = job(tenant, number).key;
            for _ in 0..6 {
                let Ok(Some(item)) = access.job(&key).await else { continue };
                // A slow caller: the job may be claimed meanwhile.
                let pause = access.aws.borrow_mut().rng.u64(..20_000);
                timeline.sleep(pause).await;
                let started = begin_deletion(&access, &Job::read(&item).unwrap(), timeline.shown()).await;
                if let Ok(Deletion::Started) = started {
                    let now = timeline.now();
                    if end_deletion(&access, &key, timeline.shown()).await.is_ok() {
                        deleted.borrow_mut().entry((tenant.to_owned(), key)).or_insert(now);
                        return;
                    }
                }
                timeline.sleep(5000).await;
            }
        });
    }

    /// Somebody deletes the job's item after `after`, by hand.
    fn forget(&self, tenant: &'static str, number: u64, after: u64) {
        let (aws, accepted) = (self.aws.clone(), self.accepted.clone());
        let (at, id) = (self.begin + after, (tenant.to_owned(), job(tenant, number).key));
        self.timeline.at(at, move || {
            aws.borrow_mut().forget(&id, at);
            accepted.borrow_mut().remove(&id);
        });
    }

    /// Triggers each tenant's poller: each minute (out of 100, `flawed` triggers come twice and as many not at all), and by files.
    fn poll(&self, seed: u64, flawed: u64, troubled: u64) {
        let mut rng = fastrand::Rng::with_seed(seed.rotate_left(32));
        for tenant in TENANTS {
            let offset = rng.u64(..MINUTE);
            for minute in 0..12 * 60 {
                let at = minute * MINUTE + offset;
                let times = match rng.u64(..100) {
                    roll if at < troubled && roll < flawed => 0,
                    roll if at < troubled && roll < 2 * flawed => 2,
                    _ => 1,
                };
                for _ in 0..times {
                    let (access, timeline) = (self.access(tenant), self.timeline.clone());
                    let late = rng.u64(..3000);
                    self.timeline.at(self.begin + at + late, move || invoke(&timeline, access, None));
                }
            }
        }
        let (aws, timeline) = (Rc::downgrade(&self.aws), self.timeline.clone());
        self.aws.borrow_mut().uploaded = Some(Rc::new(move |tenant, key| {
            let aws = aws.upgrade().expect("the world outlives its events");
            let access = Access { aws, timeline: timeline.clone(), tenant: tenant.to_owned() };
            invoke(&timeline, access, Some(format!("{}report.pdf", key.prefix(tenant))));
        }));
    }

    fn finish(&self, troubled: u64) -> Report {
        let (aws, accepted, begin) = (self.aws.clone(), self.accepted.clone(), self.begin);
        let timeline = self.timeline.clone();
        let mut looked = 0;
        let done = move || {
            let now = timeline.now();
            if now < begin + troubled.max(20 * MINUTE) || now < looked + MINUTE {
                return false;
            }
            looked = now;
            let aws = aws.borrow();
            let ended = |id: &Id| aws.job(id).is_some_and(|item| is_ended(&item));
            // A job without an item was deleted by hand.
            let there = aws.jobs.keys().filter(|id| aws.job(id).is_some());
            let all = accepted.borrow().iter().chain(there).all(ended);
            all && !aws.slots.keys().any(|slot| slot.starts_with("slot#"))
        };
        self.timeline.run(self.begin + 12 * HOUR, done);
        self.judge()
    }

    fn judge(&self) -> Report {
        let mut aws = self.aws.borrow_mut();
        let accepted = self.accepted.borrow();
        let mut violations = std::mem::take(&mut aws.violations);
        for id in accepted.iter().filter(|id| aws.job(id).is_none()) {
            violations.push(format!("{} is lost", id.1));
        }
        for (id, _) in aws.jobs.iter() {
            let Some(item) = aws.job(id) else { continue };
            let job = Job::read(&item).expect("the state machine writes jobs that it can read");
            let remote = aws.remote.values().rfind(|remote| (&remote.tenant, &remote.key) == (&id.0, &id.1));
            let right = match (job.state, remote) {
                (State::Failed, None) if is_invalid(&id.1) => {
                    job.reason.as_ref().is_some_and(|reason| reason.kind == "ValidationException")
                }
                (State::Failed, Some(remote)) if remote.oddity.is_some() => job.reason.is_some(),
                (State::Completed, Some(remote)) => remote.oddity.is_none() && !remote.fails && job.files.len() == 1,
                (State::Failed, Some(remote)) => remote.fails && job.reason.is_some(),
                (State::Deleted | State::Deleting, None) => true,
                // It may have been deleted after its end.
                (State::Deleted | State::Deleting, Some(remote)) => {
                    let deleted = self.deleted.borrow().get(id).copied();
                    deleted.is_none_or(|deleted| remote.ends <= deleted)
                }
                _ => false,
            };
            if !right {
                let remote = remote.map(|remote| (remote.status(self.timeline.now()), remote.accepted - self.begin));
                let (state, attempts) = (job.state, job.attempts);
                violations.push(format!("{} ended {state:?} after {attempts} attempts, QuickSight: {remote:?}", id.1));
            }
        }
        let taken: Vec<_> = aws.slots.keys().filter(|slot| slot.starts_with("slot#")).collect();
        if !taken.is_empty() {
            violations.push(format!("{taken:?} are not free"));
        }
        debug_assert!(aws.remote.values().all(|remote| remote.status(u64::MAX) != RemoteStatus::Queued));
        Report {
            accepted: accepted.len(),
            slots: aws.slots_allowed,
            high_water: aws.high_water,
            lasted: self.timeline.elapsed(),
            violations,
            history: aws.history,
        }
    }
}

/// One invocation of the poller's function.
fn invoke(timeline: &Timeline, access: Access, file: Option<String>) {
    let clock = timeline.clock();
    let until = clock.now() + BUDGET;
    let slots = u32::try_from(access.aws.borrow().slots_allowed).expect("there are few slots");
    let poller = Poller {
        tables: access.clone(),
        quicksight: access.clone(),
        clock,
        tenant: access.tenant.clone(),
        bucket: "reports".to_owned(),
        slots,
        kept: Duration::from_secs(30 * 24 * 60 * 60),
    };
    timeline.spawn(LIFE, async move {
        // What fails is left to the next sweep.
        let _ = match file {
            Some(file) => poller.object_created(&file, until).await,
            None => poller.sweep(until).await,
        };
    });
}

fn is_ended(item: &Item) -> bool {
    matches!(item.get("state"), Some(Value::S(state)) if !matches!(state.as_str(), "QUEUED" | "STARTING" | "RUNNING"))
}

fn job(tenant: &str, number: u64) -> Job {
    let request = Request {
        sheet_id: "s1".to_owned(),
        format: Format::Pdf,
        visual_ids: Vec::new(),
        parameters: Default::default(),
        folder: String::new(),
        tags: Vec::new(),
        recipients: Vec::new(),
    };
    let key = JobKey { dashboard: format!("d{}", number % 3), job: format!("{tenant}-{number}") };
    Job::new(key, &request, "viewer".to_owned(), 0)
}
