//! Reads one day: from the stored file if there is one, from Slack otherwise, so that all splits of a day share one download.
//!
//! ```text
//! stored file? ─ yes ─► rows
//!      │ no, or unusable
//!      ▼
//! claim the day ─ another split has it ─► wait, then look again
//!      │ mine
//!      ▼
//! take a turn ─► Slack ─┬─► rows
//!                       └─► stored file
//! ```

use std::time::{Duration, SystemTime};

use athena_federation::{Error, Kind};
use aws_sdk_s3::primitives::ByteStream;
use function::Clock;
use reqwest::Response;
use tracing::{info, warn};

use crate::claims::{Claim, Claimed, Outcome};
use crate::files::{Files, Saving};
use crate::items::Items;
use crate::lines::{Limits, Lines, Unreadable};
use crate::records::{Records, Refusal};
use crate::secret::{Token, TokenCache};
use crate::sink::Sink;
use crate::slack::{Class, DEFAULT_WAIT, Failure, Slack, class, refused};

/// Everything that a day is read from.
pub(crate) struct DayReader {
    pub(crate) slack: Slack,
    pub(crate) tokens: TokenCache,
    pub(crate) files: Files,
    pub(crate) items: Items,
    pub(crate) clock: Clock,
}

/// A request for a day.
pub(crate) struct DayRequest<'a> {
    pub(crate) date: &'a str,
    /// Whether the day is over: only then is its file the last one, and stored.
    pub(crate) is_over: bool,
    /// When the function is stopped.
    pub(crate) deadline: SystemTime,
    /// The account that must own the bucket.
    pub(crate) account: Option<&'a str>,
    /// Creates the collector of each attempt.
    pub(crate) records: &'a (dyn Fn() -> Records + Sync),
}

/// The outcome of a day without a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// All rows are written. `is_stored` says whether the file is in the bucket.
    Complete { is_stored: bool },
    /// Slack has no file.
    Missing,
    /// Slack has not finished the file.
    Unfinished,
}

/// The outcome of a download.
enum Download {
    Complete {
        is_stored: bool,
    },
    /// Slack has no file, and gave this code.
    Absent(String),
}

/// Why a body was not read to its end.
enum Problem {
    /// It broke off.
    Broken,
    Unreadable(Unreadable<Refusal>),
    /// The rows are not wanted, or do not fit.
    Rows(Error),
}

/// Reserved for reading a file and storing its rows after a wait.
const RESERVE: Duration = Duration::from_secs(30);

/// The longest pause before a split looks again whether another one has downloaded the day.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl DayReader {
    /// Writes the rows of a day.
    ///
    /// # Errors
    ///
    /// If not all of them were written. [`Kind::Throttled`] if the time is not enough to wait for Slack.
    pub(crate) async fn read(&self, day: &DayRequest<'_>, sink: &mut Sink<'_, '_>) -> Result<Day, Error> {
        let (mut unusable, mut settled) = (None, None);
        loop {
            if let Some(stored) = self.files.open(day.date, day.account).await
                && unusable.as_ref() != Some(&stored.version)
            {
                match self.copy(day, Body::Stored(stored.body), &mut None, sink).await {
                    Ok(rows) => {
                        info!(step = "read", day.date, rows, from = "the stored file");
                        return Ok(Day::Complete { is_stored: true });
                    }
                    Err(Problem::Rows(error)) => return Err(too_large(error, day.date)),
                    Err(_) => {
                        warn!(step = "read", day.date, "the stored file is damaged; it is replaced");
                        sink.restart();
                        unusable = Some(stored.version);
                    }
                }
            }
            let mut pause = Duration::from_millis(500);
            let claim = loop {
                match self.items.claim(day.date, settled.as_ref()).await? {
                    Claimed::Mine(claim) => break Some(claim),
                    Claimed::Settled(other) => match &other.outcome {
                        Outcome::Absent(code) => return absent(code, day.date),
                        Outcome::Stored => {
                            settled = Some(other);
                            break None;
                        }
                    },
                    Claimed::Busy => self.pause(day, &mut pause, sink).await?,
                }
            };
            if let Some(claim) = claim {
                return self.download(day, claim, unusable.as_deref(), sink).await;
            }
        }
    }

    /// Waits while another split downloads the day.
    async fn pause(&self, day: &DayRequest<'_>, pause: &mut Duration, sink: &mut Sink<'_, '_>) -> Result<(), Error> {
        let wait = *pause + Duration::from_millis(fastrand::u64(..500));
        if self.clock.now() + wait + RESERVE > day.deadline {
            return Err(Error::new(
                Kind::Throttled,
                format!(
                    "another part of this query is still waiting for Slack's file of {}, and this function's time ends; narrow the predicate on `date`, or try again later",
                    day.date
                ),
            ));
        }
        self.clock.sleep(wait).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        sink.check().await
    }

    /// Downloads a day that this split has claimed, and shares the outcome with the others.
    async fn download(
        &self,
        day: &DayRequest<'_>,
        mut claim: Claim,
        replaced: Option<&str>,
        sink: &mut Sink<'_, '_>,
    ) -> Result<Day, Error> {
        let result = self.attempts(day, &mut claim, replaced, sink).await;
        let outcome = match &result {
            Ok(Download::Complete { is_stored: true }) => Some(Outcome::Stored),
            Ok(Download::Absent(code)) => Some(Outcome::Absent(code.clone())),
            Ok(Download::Complete { is_stored: false }) | Err(_) => None,
        };
        self.items.settle(claim, outcome).await;
        match result? {
            Download::Complete { is_stored } => Ok(Day::Complete { is_stored }),
            Download::Absent(code) => absent(&code, day.date),
        }
    }

    /// Calls Slack: again after a wait that Slack asked for, once more after a fault, and once with a different token.
    async fn attempts(
        &self,
        day: &DayRequest<'_>,
        claim: &mut Claim,
        replaced: Option<&str>,
        sink: &mut Sink<'_, '_>,
    ) -> Result<Download, Error> {
        let latest = day.deadline - RESERVE;
        let mut token = self.tokens.get().await?;
        let (mut fault, mut renewed) = (false, false);
        loop {
            loop {
                let turn = self.items.reserve_turn(latest).await?;
                self.items.extend(claim, turn.at).await;
                if self.items.wait_for(&turn, sink).await? {
                    break;
                }
            }
            let failure = match self.attempt(day, &token, replaced, sink).await {
                Ok(is_stored) => return Ok(Download::Complete { is_stored }),
                Err(failure) => failure,
            };
            sink.restart();
            match failure {
                Failure::Final(error) => return Err(error),
                Failure::Limited(wait) => self.items.block_calls(wait, latest).await?,
                Failure::Lost(what) if fault => return Err(Error::new(Kind::Unavailable, what)),
                Failure::Lost(what) => {
                    warn!(step = "slack", reason = what, "trying once more");
                    fault = true;
                    self.clock.sleep(Duration::from_millis(500 + fastrand::u64(..500))).await;
                }
                Failure::Slack(code) => match class(&code) {
                    Class::Missing | Class::Unfinished => return Ok(Download::Absent(code)),
                    Class::Limited => self.items.block_calls(DEFAULT_WAIT, latest).await?,
                    Class::Passing if !fault => fault = true,
                    Class::Token if !renewed => {
                        renewed = true;
                        match self.tokens.newer_than(&token).await? {
                            Some(newer) => token = newer,
                            None => return Err(refused(&code, day.date)),
                        }
                    }
                    _ => return Err(refused(&code, day.date)),
                },
            }
        }
    }

    /// Whether the file of a complete read was also stored. A file that cannot be stored is no reason to fail a query.
    async fn attempt(
        &self,
        day: &DayRequest<'_>,
        token: &Token,
        replaced: Option<&str>,
        sink: &mut Sink<'_, '_>,
    ) -> Result<bool, Failure> {
        let left = day.deadline.duration_since(self.clock.now()).unwrap_or_default();
        let response = self.slack.get(day.date, token, left).await?;
        let mut saving = day.is_over.then(|| self.files.save(day.date, replaced, day.account));
        let copied = self.copy(day, Body::Slack(response), &mut saving, sink).await;
        let rows = match copied {
            Ok(rows) => rows,
            Err(problem) => {
                if let Some(saving) = saving {
                    saving.abandon().await;
                }
                return Err(failure(problem, day.date));
            }
        };
        info!(step = "read", day.date, rows, from = "Slack");
        let Some(saving) = saving else { return Ok(false) };
        let stored = saving.finish().await;
        if let Err(failure) = &stored {
            warn!(step = "files", day.date, reason = %failure, "the file is not stored");
        }
        Ok(stored.is_ok())
    }

    /// Writes the rows of a body, and its bytes to the file that is being stored, if there is one. Returns the number of rows.
    async fn copy(
        &self,
        day: &DayRequest<'_>,
        mut body: Body,
        saving: &mut Option<Saving<'_>>,
        sink: &mut Sink<'_, '_>,
    ) -> Result<usize, Problem> {
        let mut lines = Lines::new((day.records)(), Limits::default());
        let mut written = 0;
        while let Some(chunk) = body.chunk().await? {
            lines.push(&chunk).map_err(Problem::Unreadable)?;
            if let Some(file) = saving
                && let Err(failure) = file.push(&chunk).await
            {
                warn!(step = "files", day.date, reason = %failure, "the file is not stored");
                if let Some(file) = saving.take() {
                    file.abandon().await;
                }
            }
            // If few rows are wanted, the first batch takes long.
            sink.check().await.map_err(Problem::Rows)?;
            for batch in lines.take().map(Records::ready).unwrap_or_default() {
                written += batch.num_rows();
                sink.write(&batch).await.map_err(Problem::Rows)?;
            }
        }
        for batch in lines.finish().map_err(Problem::Unreadable)?.finish() {
            written += batch.num_rows();
            sink.write(&batch).await.map_err(Problem::Rows)?;
        }
        Ok(written)
    }
}

/// The bytes of a file.
enum Body {
    Slack(Response),
    Stored(ByteStream),
}

impl Body {
    async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Problem> {
        match self {
            Body::Slack(response) => response.chunk().await.map_err(|_| Problem::Broken),
            Body::Stored(bytes) => bytes.try_next().await.map_err(|_| Problem::Broken),
        }
    }
}

/// What a code means that says that there is no file.
fn absent(code: &str, date: &str) -> Result<Day, Error> {
    match class(code) {
        Class::Missing => Ok(Day::Missing),
        Class::Unfinished => Ok(Day::Unfinished),
        _ => Err(refused(code, date)),
    }
}

fn failure(problem: Problem, date: &str) -> Failure {
    let problem = match problem {
        Problem::Broken => return Failure::Lost("Slack's response broke off; run the query again".to_owned()),
        Problem::Rows(error) => return Failure::Final(too_large(error, date)),
        Problem::Unreadable(problem) => problem,
    };
    let what = match problem {
        Unreadable::Refused(Refusal::Slack(code)) => return Failure::Slack(code),
        Unreadable::Refused(Refusal::Malformed(line, what)) => format!("line {line} {what}"),
        Unreadable::Damaged => "it is damaged or truncated".to_owned(),
        Unreadable::TooMuch(what) => format!("it has more {what} than allowed"),
    };
    Failure::Final(Error::new(Kind::Unavailable, format!("Slack's file of {date} cannot be read: {what}")))
}

fn too_large(error: Error, date: &str) -> Error {
    match error.kind {
        Kind::TooLarge => Error::new(
            Kind::TooLarge,
            format!(
                "{date}: {}; or ask an administrator to raise MEMBERS, so that a day is read in more parts",
                error.message
            ),
        ),
        _ => error,
    }
}
