//! Delivers completed jobs: each way at most once if a repetition would be noticed, and nothing is lost without a word.
//!
//! ```text
//!                 claim                     send
//! not started ─────────────► TRYING until ───────────► SENT
//!     ▲                     │   │   │
//!     └──── WAITING ◄───────┘   │   └─► FAILED    refused for good
//!       certainly not sent      └─────► UNKNOWN   no answer, or the run died; a way that may be repeated is tried again instead
//! ```
//!
//! The item is claimed with a conditional write before anything is sent. The stream delivers the record of a job's completion until
//! a run of it succeeds, and puts it into the dead-letter queue if none does. So the record fails as long as a delivery is not SENT,
//! also if it never will be: that is how somebody learns of it.

use std::future::Future;
use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use tracing::{error, info, warn};

use crate::delivery::{Delivery, Way};
use crate::item::{Item, Value};
use crate::job::{Job, State};
use crate::job_key::JobKey;
use crate::request::Request;
use crate::tables::{Change, Check, Table, Tables, Write, WriteError};

/// The services that deliver.
pub trait Outbox {
    /// Whether the tenant uses this way.
    fn has(&self, way: Way) -> bool;

    /// Sends the job's files.
    fn send(&self, way: Way, job: &Job, request: &Request) -> impl Future<Output = Result<(), NotSent>>;
}

/// Why something is not known to be sent; the text names the cause and contains no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// It will never be accepted.
    Refused(String),
    /// It was certainly not sent, and may be accepted later.
    NotNow(String),
    /// Nobody knows whether it was sent.
    Unknown(String),
}

/// A tenant's sender.
pub struct Sender<T, O> {
    /// The jobs table.
    pub tables: T,
    /// The services that deliver.
    pub outbox: O,
    /// The current time.
    pub clock: Clock,
}

/// What became of records.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Deliveries {
    /// Deliveries that this run made.
    pub sent: u32,
    /// Deliveries that are not made: not now, never, or nobody knows.
    pub failures: u32,
}

/// Reserved at the end of a run for what was claimed: more than one delivery takes.
const RESERVE: Duration = Duration::from_secs(30);

/// After this time, a run can no longer send anything.
const AFTER: Duration = Duration::from_secs(30);

/// How often a run tries to record an outcome, which nobody else knows.
const RECORDINGS: u32 = 3;

impl<T: Tables, O: Outbox> Sender<T, O> {
    /// Delivers the job of a record of the stream, if the record is that of its completion; `run` is this run's ID, and its time ends
    /// at `deadline`. The reasons of failures are logged.
    pub async fn record(&self, image: &Item, run: &str, deadline: SystemTime) -> Deliveries {
        let mut deliveries = Deliveries::default();
        // The sender's own writes cause records as well: they name a delivery.
        let is_completion = image.get("state") == Some(&State::Completed.name().into())
            && !Way::ALL.iter().any(|way| image.contains_key(way.attribute()));
        let (true, Some(key)) = (is_completion, key(image)) else { return deliveries };
        let until = millis(deadline + AFTER);
        for way in Way::ALL.into_iter().filter(|way| self.outbox.has(*way)) {
            if self.clock.now() + RESERVE >= deadline {
                deliveries.failures += 1;
                continue;
            }
            let claim = Delivery::Trying { until, run: run.to_owned() };
            match self.deliver(way, &key, claim).await {
                Ok(true) => deliveries.sent += 1,
                Ok(false) => {}
                Err(reason) => {
                    error!(step = "deliver", way = way.attribute(), job = %key, reason);
                    deliveries.failures += 1;
                }
            }
        }
        deliveries
    }

    /// Sends a job by one way, unless that was done; returns whether this run did.
    async fn deliver(&self, way: Way, key: &JobKey, claim: Delivery) -> Result<bool, String> {
        // The record may be hours old, but a deleted job leaves its item for days.
        let item = self.tables.job(key).await.map_err(|error| error.0)?;
        let item = item.ok_or("the job's item is not in the table")?;
        let job = Job::read(&item).map_err(|error| error.0)?;
        if job.state != State::Completed {
            return Ok(false);
        }
        let request = Request::read(&job.request).map_err(|error| error.0)?;
        if way == Way::Mail && request.recipients.is_empty() {
            return Ok(false);
        }
        let now = millis(self.clock.now());
        match Delivery::of(&item, way) {
            None | Some(Delivery::Waiting(_)) => {}
            Some(Delivery::Sent(_)) => return Ok(false),
            Some(Delivery::Failed(code)) => return Err(format!("it was refused for good: {code}")),
            Some(Delivery::Unknown(_)) => return Err("nobody knows whether it was sent".to_owned()),
            Some(Delivery::Trying { until, .. }) if now < until => {
                return Err("another run is working on it".to_owned());
            }
            Some(Delivery::Trying { .. }) if way.is_repeatable() => {}
            Some(Delivery::Trying { .. }) => {
                let change = change(way, key, item.get(way.attribute()), &Delivery::Unknown(now));
                self.tables.write(vec![change]).await.map_err(unwritten)?;
                return Err("an earlier run ended before it knew whether it was sent".to_owned());
            }
        }
        self.claim(way, key, &item, &claim).await?;
        let result = self.outbox.send(way, &job, &request).await;
        let now = millis(self.clock.now());
        let outcome = match &result {
            Ok(()) => Delivery::Sent(now),
            Err(NotSent::Refused(code)) => Delivery::Failed(code.clone()),
            Err(NotSent::Unknown(_)) if !way.is_repeatable() => Delivery::Unknown(now),
            Err(NotSent::NotNow(code) | NotSent::Unknown(code)) => Delivery::Waiting(code.clone()),
        };
        self.conclude(way, key, &claim, &outcome).await?;
        match result {
            Ok(()) => {
                info!(step = "sent", way = way.attribute(), job = %key);
                Ok(true)
            }
            Err(NotSent::Refused(reason) | NotSent::NotNow(reason) | NotSent::Unknown(reason)) => Err(reason),
        }
    }

    async fn claim(&self, way: Way, key: &JobKey, item: &Item, claim: &Delivery) -> Result<(), String> {
        match self.tables.write(vec![change(way, key, item.get(way.attribute()), claim)]).await {
            Ok(()) => Ok(()),
            Err(WriteError::Unknown(reason)) => match self.tables.job(key).await {
                // It was written after all, and nobody else has this claim.
                Ok(Some(item)) if Delivery::of(&item, way).as_ref() == Some(claim) => Ok(()),
                _ => Err(reason.0),
            },
            Err(refused) => Err(unwritten(refused)),
        }
    }

    /// Records the outcome of this run's claim.
    async fn conclude(&self, way: Way, key: &JobKey, claim: &Delivery, outcome: &Delivery) -> Result<(), String> {
        let mut result = Ok(());
        for pause in 0..RECORDINGS {
            self.clock.sleep(Duration::from_secs(u64::from(pause))).await;
            let claimed = Value::from(claim.to_string());
            result = match self.tables.write(vec![change(way, key, Some(&claimed), outcome)]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Refused(_)) => match self.tables.job(key).await {
                    // An earlier attempt was written after all, or the job is being deleted.
                    Ok(Some(item)) if Delivery::of(&item, way).as_ref() != Some(claim) => return Ok(()),
                    Ok(None) => return Ok(()),
                    _ => Err("the outcome could not be recorded".to_owned()),
                },
                Err(error) => Err(unwritten(error)),
            };
            // The claim remains until it expires. A mail then counts as unknown, and is not sent again.
            warn!(step = "conclude", way = way.attribute(), job = %key, %outcome, reason = ?result);
        }
        result
    }
}

fn unwritten(error: WriteError) -> String {
    match error {
        WriteError::Refused(_) => "another run was faster".to_owned(),
        WriteError::Unknown(error) => error.0,
    }
}

fn key(image: &Item) -> Option<JobKey> {
    match (image.get("dashboardId"), image.get("jobId")) {
        (Some(Value::S(dashboard)), Some(Value::S(job))) => {
            Some(JobKey { dashboard: dashboard.clone(), job: job.clone() })
        }
        _ => None,
    }
}

/// Replaces what the item records of a delivery, `before`.
fn change(way: Way, key: &JobKey, before: Option<&Value>, after: &Delivery) -> Change {
    let attribute = way.attribute();
    let unchanged = match before {
        None => Check::Absent(attribute),
        Some(value) => Check::Is(attribute, value.clone()),
    };
    Change {
        item: Table::Jobs(key.clone()),
        checks: vec![Check::Is("state", State::Completed.name().into()), unchanged],
        write: Write::Update { set: vec![(attribute, after.to_string().into())], remove: Vec::new() },
    }
}
