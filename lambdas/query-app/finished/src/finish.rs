//! Finishes one request.

use std::time::Duration;

use function::Clock;
use queries::{Cause, Claim, Connection, Delivery, End, Ending, Failure, Lease, Request, Unavailable};
use redshift::{Error, StatementId, Status};
use tracing::{info, warn};

/// Finishes requests.
pub(crate) struct Finisher {
    pub(crate) delivery: Delivery,
    pub(crate) clock: Clock,
    pub(crate) statement_time: Duration,
}

/// The request to finish.
pub(crate) struct Finish<'a> {
    /// The request's key.
    pub(crate) request: &'a str,
    /// Its statement, if the event names it.
    pub(crate) statement: Option<StatementId>,
    /// How long to wait for the statement's end.
    pub(crate) patience: Duration,
    /// This run's lease, which ends with the run.
    pub(crate) lease: &'a Lease,
}

/// The outcome.
pub(crate) enum Finished {
    /// The browser was informed, or nobody is waiting.
    Notified,
    /// It was reported before, or another run is working on it.
    Nothing,
    /// The statement is still running.
    Running,
    /// There is no such request.
    Missing,
}

/// How often a request may be bound to a different connection while it is being reported.
const REBOUND: usize = 5;

/// How long after its time limit a statement may take to end, and its end to be reported.
const LAST: Duration = Duration::from_secs(600);

impl Finisher {
    /// Reports how a request's statement ended, if it has.
    pub(crate) async fn finish(&self, finish: Finish<'_>) -> Result<Finished, Unavailable> {
        let table = &self.delivery.table;
        let mut request = match table.claim(finish.request, finish.lease).await? {
            Claim::Mine(request) => *request,
            Claim::Busy | Claim::Ended => return Ok(Finished::Nothing),
            Claim::Missing => return Ok(Finished::Missing),
        };
        // The event can be faster than the record of its statement.
        request.statement = request.statement.or(finish.statement);
        let notified = self.notify(request, finish.patience).await;
        if !matches!(notified, Ok(Finished::Notified)) {
            // If this fails, the lease ends with this run's time.
            if let Err(problem) = table.release(finish.request, finish.lease).await {
                warn!(step = "release", request = finish.request, %problem);
            }
        }
        notified
    }

    async fn notify(&self, mut request: Request, patience: Duration) -> Result<Finished, Unavailable> {
        let Some((end, bytes)) = self.end_of(&request, patience).await? else { return Ok(Finished::Running) };
        for _ in 0..REBOUND {
            // A result that nobody is waiting for is not read: it waits for a resume.
            if let Some(connection) = request.connection.clone() {
                match self.deliver(&request, &end, bytes, &connection).await {
                    Ok(true) => {}
                    Ok(false) => request.connection = None,
                    Err(problem) if self.is_over(&request) => {
                        warn!(step = "give-up", request = request.key, %problem);
                    }
                    Err(problem) => return Err(problem),
                }
            }
            match self.delivery.table.end(&request, &end).await? {
                Ending::Done => {
                    let waited = request.connection.is_some();
                    info!(step = "notified", request = request.key, state = state(&end), waited);
                    return Ok(Finished::Notified);
                }
                Ending::Rebound(now) => request = Request { statement: request.statement, ..*now },
            }
        }
        Err(Unavailable(
            "a request was repeatedly bound to different connections while it was being reported".to_owned(),
        ))
    }

    async fn deliver(
        &self,
        request: &Request,
        end: &End,
        bytes: Option<u64>,
        connection: &Connection,
    ) -> Result<bool, Unavailable> {
        let messages = self.delivery.messages(request, end, bytes).await?;
        self.delivery.send(request, &messages, connection).await
    }

    /// How a request ended, and the size of its result, according to Redshift.
    async fn end_of(&self, request: &Request, patience: Duration) -> Result<Option<(End, Option<u64>)>, Unavailable> {
        let failed = |failure| Ok(Some((End::Failed(failure), None)));
        let stopped = match request.cancelled {
            Some(Cause::Time) => End::Failed(Failure::TimedOut),
            _ => End::Cancelled,
        };
        let Some(statement) = &request.statement else {
            // Its time is over. Redshift never had it, or ended it by the same limit.
            return match request.cancelled {
                Some(Cause::Asked | Cause::Alone) => Ok(Some((End::Cancelled, None))),
                Some(Cause::Time) | None => failed(Failure::Unavailable),
            };
        };
        let data = &self.delivery.data;
        match data.wait(statement, self.clock.now() + patience).await {
            Ok(Status::Finished { rows, bytes, .. }) => Ok(Some((End::Finished { rows }, bytes))),
            // This is how it ends if it was cancelled, before or while it ran.
            Ok(Status::Aborted | Status::Failed { .. }) if request.cancelled.is_some() => Ok(Some((stopped, None))),
            Ok(Status::Aborted) => {
                warn!(step = "aborted", request = request.key, statement = %statement, "nobody here cancelled it");
                failed(Failure::Failed)
            }
            Ok(Status::Failed { message }) => {
                warn!(step = "failed", request = request.key, statement = %statement, reason = message);
                failed(if is_limit(&message) { Failure::TimedOut } else { Failure::Failed })
            }
            Ok(Status::Running) if self.is_over(request) => failed(Failure::TimedOut),
            Ok(Status::Running) => Ok(None),
            Err(Error::Missing(reason) | Error::Refused(reason)) => {
                warn!(step = "lost", request = request.key, statement = %statement, reason);
                failed(Failure::Failed)
            }
            Err(Error::Unavailable(reason)) => Err(Unavailable(reason)),
        }
    }

    /// Whether waiting for the request is over.
    fn is_over(&self, request: &Request) -> bool {
        self.delivery.table.age(request) > self.statement_time + LAST
    }
}

/// Whether Redshift stopped a statement because of a limit: the database user's, which the stack sets to the longest time of a
/// statement, or one of workload management.
///
/// Redshift reports its own limits as somebody's wish, and spells that in two ways:
/// <https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html>,
/// <https://docs.aws.amazon.com/redshift/latest/dg/r_CANCEL.html>. The apostrophe of "user's request" begins what is removed from a
/// message because it may be a value.
fn is_limit(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "canceled on user",
        "cancelled on user",
        "cancelled by wlm",
        "canceled by wlm",
        "system requested abort",
        "timeout",
    ]
    .iter()
    .any(|words| message.contains(words))
}

fn state(end: &End) -> &'static str {
    match end {
        End::Finished { .. } => "finished",
        End::Failed(failure) => failure.code(),
        End::Cancelled => "cancelled",
    }
}
