//! Moves waiting jobs into free slots and starts them at QuickSight.

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::error::Unavailable;
use crate::item::Item;
use crate::job::{Job, Reason, State};
use crate::poller::{JOB, LEASE, Poller, Sweep, change, failed, reason_of, whole};
use crate::quicksight::{QuickSight, Started};
use crate::request::Request;
use crate::slots::Board;
use crate::tables::{Change, Check, Open, Table, Tables, Write, WriteError};

/// How long a job waits for a slot.
const QUEUED_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcome of a Start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Runs,
    Ended,
    NoRoom,
}

/// What a drain knows about the slots, and whether it leaves jobs that could run.
#[derive(Default)]
struct Drain {
    board: Option<Board>,
    more: bool,
}

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Gives free slots to waiting jobs, oldest first.
    pub(crate) async fn drain(&self, until: SystemTime, sweep: &mut Sweep) -> Result<(), Unavailable> {
        let mut drain = Drain::default();
        let mut after = None;
        'pages: loop {
            let page = self.tables.open(Open::Queued, after).await?;
            sweep.open += page.items.len() as u32;
            for item in &page.items {
                if self.clock.now() >= until {
                    drain.more = true;
                    break 'pages;
                }
                if self.offer(item, &mut drain, sweep).await?.is_break() {
                    drain.more = true;
                    break 'pages;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if let Some(change) = drain.board.and_then(|board| board.place(drain.more)) {
            // A failure only affects the order in which tenants are served.
            if let Err(reason) = self.tables.write(vec![change]).await {
                warn!(step = "wait in line", ?reason);
            }
        }
        Ok(())
    }

    /// Gives a job a slot if it may have one now; breaks if no other job could have one either.
    async fn offer(&self, item: &Item, drain: &mut Drain, sweep: &mut Sweep) -> Result<ControlFlow<()>, Unavailable> {
        let next = Ok(ControlFlow::Continue(()));
        let job = match Job::read(item) {
            Ok(job) => job,
            Err(unreadable) => {
                failed(item, &unreadable, sweep);
                return next;
            }
        };
        if job.state != State::Queued {
            return next;
        }
        if self.now() >= job.created + whole(QUEUED_LIMIT) {
            self.expire(&job, sweep).await;
            return next;
        }
        if self.now() < job.not_before {
            return next;
        }
        let board = match &mut drain.board {
            Some(board) => board,
            None => {
                let items = self.tables.slots().await?;
                drain.board.insert(Board::read(&items, &self.tenant, self.slots, self.now()))
            }
        };
        let Some(slot) = board.take() else { return Ok(ControlFlow::Break(())) };
        let claimed = match self.claim(&job, &slot).await {
            Ok(claimed) => claimed,
            // Another poller was faster, or the index is behind: the slot is still free.
            Err(WriteError::Refused(JOB)) => {
                board.give_back(slot);
                return next;
            }
            Err(error) => {
                if let WriteError::Unknown(reason) = error {
                    failed(item, &reason, sweep);
                }
                drain.more = true;
                return next;
            }
        };
        board.serve();
        sweep.claimed += 1;
        match self.start(&claimed).await {
            Ok(Step::Runs) => {}
            Ok(Step::Ended) => {
                sweep.ended += 1;
                board.give_back(slot);
            }
            // No room for this job, so none for the next.
            Ok(Step::NoRoom) => return Ok(ControlFlow::Break(())),
            Err(reason) => failed(item, &reason, sweep),
        }
        next
    }

    /// Takes a slot for the job; nothing is written unless both are free.
    async fn claim(&self, job: &Job, slot: &str) -> Result<Job, WriteError> {
        let now = self.now();
        let mut claimed = job.clone();
        claimed.state = State::Starting;
        claimed.attempts += 1;
        claimed.restarts = 0;
        claimed.silent = None;
        claimed.settling = None;
        claimed.slot = Some(slot.to_owned());
        claimed.since = now;
        claimed.lease = now + whole(LEASE);
        let set = vec![
            ("state", State::Starting.name().into()),
            ("open", Open::Started.name().into()),
            ("attempts", claimed.attempts.into()),
            ("restarts", 0.into()),
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
        self.tables.write(vec![change(job, set, &["notBefore", "silent", "settling"]), take]).await?;
        info!(step = "claim", job = %job.key, slot, attempts = claimed.attempts);
        Ok(claimed)
    }

    /// Asks QuickSight to start a job that was just claimed or is being restarted.
    pub(crate) async fn start(&self, job: &Job) -> Result<Step, Unavailable> {
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
                // After an unanswered Start the slot is kept, because that Start may still arrive.
                if job.restarts == 0 {
                    self.requeue(job).await?;
                }
                Ok(Step::NoRoom)
            }
            Started::Unknown(reason) => Err(reason),
        }
    }

    /// Returns a job that QuickSight certainly did not accept to its old place in the queue.
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
            ("expires", self.expires().into()),
            reason_of(&Reason::new("EXPIRED", "no slot became free for the job within 24 hours")),
        ];
        match self.update(job, set, &["open", "notBefore"]).await {
            Ok(()) => sweep.ended += 1,
            Err(reason) => {
                warn!(step = "expire", job = %job.key, %reason);
                sweep.failures += 1;
            }
        }
    }
}

/// Five to ten seconds, doubled at each attempt up to 160 seconds, spread by the job's ID. QuickSight throttles per second.
fn backoff(job: &Job) -> u64 {
    let longest = 10_000_u64 << job.attempts.saturating_sub(1).min(4);
    let hash = Sha256::digest(format!("{}#{}", job.key.job, job.attempts));
    let spread = u64::from(u16::from_be_bytes([hash[0], hash[1]]));
    longest / 2 + longest / 2 * spread / u64::from(u16::MAX)
}
