//! Turns an accepted token into one row: claim, quote ID, statement, result.

use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use redshift::{DataApi, Error, Statement, Status as Statements, SubmitError, is_conflict};
use time::OffsetDateTime;
use time::macros::format_description;
use tracing::{info, warn};
use write_back::{Accepted, Action, QuoteId};

use crate::claim::{Claim, Claims, Entry, Progress, Status, Unavailable, Won};
use crate::input::Values;
use crate::sql::{Inserts, Stamp};

/// Submits quotes.
pub(crate) struct Submitter {
    pub(crate) clock: Clock,
    pub(crate) claims: Claims,
    pub(crate) data: DataApi,
    pub(crate) inserts: Inserts,
    pub(crate) tenant: String,
}

/// The status of a submission, for the sender of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The row exists.
    Finished(Entry),
    /// Redshift or another run is working on it. The time is that of the first click.
    Running { since: SystemTime },
    /// The run that was working on it died. Sending the token again takes over.
    Interrupted,
    /// Its last statement ended without a row. Sending the token again submits another one.
    Failed,
    /// The database has changed since the link was signed, so its last statement wrote nothing.
    Changed,
    /// Redshift no longer knows its statement. Sending the token again writes the row if it does not exist.
    Forgotten,
}

/// What became of a claim.
enum Followed {
    Stands(Standing),
    /// Its statement ended without a row, or is forgotten; now it may be handed in again.
    Ended {
        claim: Claim,
        standing: Standing,
        may_pass: bool,
    },
}

/// Why a submission did not succeed; sending the token again later may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The claims table, the random numbers, or the service failed.
    Service(String),
    /// The warehouse accepts no statement now.
    Busy(String),
    /// Redshift rejects this statement, because of our fault or the setup.
    Refused(String),
}

/// One run of the function.
pub(crate) struct Run<'a> {
    pub(crate) id: &'a str,
    /// When Lambda stops it.
    pub(crate) deadline: SystemTime,
}

/// How long a request waits for Redshift before it returns 202; API Gateway times out after 29 seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request waits for the answer whether a row exists; with [`PATIENCE`], less than API Gateway waits.
const LOOK: Duration = Duration::from_secs(5);

/// How often a statement is submitted within one run.
const TRIES: u32 = 3;

/// The longest pause before a statement that lost a conflict is submitted again. The pause is random, so that two submissions
/// that are in each other's way do not meet again.
const PAUSE: Duration = Duration::from_millis(800);

/// How long a claim outlives its token, so that its page can still show the result.
const REMEMBERED: u64 = 2 * 24 * 60 * 60;

impl Submitter {
    /// Submits the row of `accepted`, or returns what became of it. Safe to repeat: one token writes one row.
    ///
    /// Waits at most 10 seconds for Redshift.
    pub(crate) async fn submit(&self, accepted: &Accepted, inputs: Values, run: &Run<'_>) -> Result<Standing, Trouble> {
        let now = self.clock.now();
        let until = (now + PATIENCE).min(run.deadline - Duration::from_secs(2));
        let wanted = Claim {
            name: accepted.submission.name(),
            owner: format!("{}:{}", run.id, random()?),
            lease: millis(run.deadline),
            created: millis(now),
            ended: 0,
            expires: accepted.ends.max(millis(now) / 1000).saturating_add(REMEMBERED),
            inputs,
            quote: accepted.link.quote_name(&self.tenant),
            progress: Progress::Claimed,
        };
        let mut known = match self.claims.put_new(&wanted).await? {
            Won::Yes => wanted.clone(),
            Won::No(standing) => standing,
        };
        let mut tries = 0;
        let mut is_inherited = false;
        loop {
            let is_free = match known.progress {
                Progress::Failed => true,
                Progress::Claimed => known.owner != wanted.owner && known.lease <= millis(self.clock.now()),
                Progress::Submitted(..) | Progress::Finished(_) => false,
            };
            if is_free {
                // The row keeps the inputs and the time of the first run.
                let (owner, lease) = (wanted.owner.clone(), wanted.lease);
                let taken = Claim { owner, lease, progress: Progress::Claimed, ..known.clone() };
                known = match self.claims.put_over(&taken, &known.owner).await? {
                    Won::Yes => {
                        // A run that died may have handed in a statement under the same client token.
                        is_inherited = known.progress == Progress::Claimed;
                        taken
                    }
                    Won::No(faster) => faster,
                };
            }
            if known.progress == Progress::Claimed && known.owner == wanted.owner {
                tries += 1;
                known = self.hand_in(known, accepted, until).await?;
            }
            match self.follow(known, until).await? {
                Followed::Stands(standing) => return Ok(standing),
                Followed::Ended { claim, standing, may_pass } => {
                    let pause = if tries == 0 { Duration::ZERO } else { jitter()? };
                    // A statement that an earlier run submitted is followed by one of this run, whatever it failed of.
                    let is_own = tries > 0 && !std::mem::take(&mut is_inherited);
                    if is_own && (!may_pass || tries == TRIES) || self.clock.now() + pause >= until {
                        return Ok(standing);
                    }
                    self.clock.sleep(pause).await;
                    known = claim;
                }
            }
        }
    }

    /// The status of an earlier submission; checks its statement once.
    pub(crate) async fn standing(&self, name: &str) -> Result<Option<Standing>, Trouble> {
        let Some(claim) = self.claims.get(name).await? else { return Ok(None) };
        if claim.progress == Progress::Claimed && claim.lease <= millis(self.clock.now()) {
            return Ok(Some(Standing::Interrupted));
        }
        Ok(Some(match self.follow(claim, self.clock.now()).await? {
            Followed::Stands(standing) | Followed::Ended { standing, .. } => standing,
        }))
    }

    /// Submits the statement of a claim that this run holds, and records that.
    async fn hand_in(&self, claim: Claim, accepted: &Accepted, until: SystemTime) -> Result<Claim, Trouble> {
        let entry = match &accepted.link.action {
            Action::Accept(quote_id) => Entry { quote_id: quote_id.clone(), status: Status::Accepted },
            Action::Generate => {
                let new = QuoteId::random().map_err(|error| Trouble::Service(error.to_string()))?;
                self.claims.quote(&claim.quote, new, &claim.name).await?
            }
        };
        let created_at = database_time(claim.created);
        let stamp = Stamp { quote_id: &entry.quote_id, created_at };
        let insert = self.inserts.insert(accepted, &stamp, &claim.inputs);
        let token = accepted.submission.client_token(claim.ended);
        let parameters = insert.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let statement = Statement { parameters, client_token: Some(&token), ..Statement::new(&insert.sql) };
        let submitted = match self.submit_statement(&statement, until).await {
            Ok(id) => Claim { progress: Progress::Submitted(id, entry), ..claim.clone() },
            Err(trouble) => {
                // Nobody needs to wait for the lease, because this run is done.
                let released = Claim { lease: millis(self.clock.now()), ..claim.clone() };
                if let Err(problem) = self.claims.put_over(&released, &claim.owner).await {
                    warn!(step = "release", %problem);
                }
                return Err(trouble);
            }
        };
        match self.claims.put_over(&submitted, &claim.owner).await {
            Ok(Won::Yes) => Ok(submitted),
            Ok(Won::No(standing)) => Ok(standing),
            // Redshift has the statement anyway; the next request submits it again with the same client token.
            Err(problem) => {
                warn!(step = "record", %problem);
                Ok(submitted)
            }
        }
    }

    /// Whether the row of a claim exists, if its statement wrote none: an earlier one may have. `None` if that takes too long; it changes
    /// nothing, so the next request asks again.
    async fn is_written(&self, claim: &Claim, entry: &Entry) -> Result<Option<bool>, Trouble> {
        let until = self.clock.now() + LOOK;
        let find = self.inserts.find(entry, database_time(claim.created));
        let parameters = find.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let statement = Statement { parameters, ..Statement::new(&find.sql) };
        let id = self.submit_statement(&statement, until).await?;
        match self.data.wait(&id, until).await {
            Ok(Statements::Finished { rows, .. }) => Ok(Some(rows > 0)),
            Ok(Statements::Running) | Err(Error::Unavailable(_)) => Ok(None),
            Ok(Statements::Aborted) => Err(Trouble::Busy("the query was cancelled".to_owned())),
            Ok(Statements::Failed { message: reason }) | Err(Error::Missing(reason) | Error::Refused(reason)) => {
                Err(Trouble::Busy(reason))
            }
        }
    }

    async fn submit_statement(
        &self,
        statement: &Statement<'_>,
        until: SystemTime,
    ) -> Result<redshift::StatementId, Trouble> {
        let mut tries = 1;
        loop {
            match self.data.submit(statement).await {
                Ok(id) => {
                    info!(step = "submitted", statement = %id);
                    return Ok(id);
                }
                Err(SubmitError::Refused(reason)) => return Err(Trouble::Refused(reason)),
                Err(SubmitError::Unavailable(reason)) => return Err(Trouble::Busy(reason)),
                Err(SubmitError::Retryable(reason)) => {
                    let pause = Duration::from_secs(1);
                    if tries == TRIES || self.clock.now() + pause >= until {
                        return Err(Trouble::Busy(reason));
                    }
                    info!(step = "again", %reason);
                    tries += 1;
                    self.clock.sleep(pause).await;
                }
            }
        }
    }

    /// Follows a claim's statement until it has ended or `until` is reached, and records its end.
    async fn follow(&self, claim: Claim, until: SystemTime) -> Result<Followed, Trouble> {
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(claim.created);
        let running = Ok(Followed::Stands(Standing::Running { since }));
        let (statement, entry) = match claim.progress.clone() {
            Progress::Submitted(statement, entry) => (statement, entry),
            Progress::Finished(entry) => return Ok(Followed::Stands(Standing::Finished(entry))),
            Progress::Failed => return Ok(Followed::Ended { claim, standing: Standing::Failed, may_pass: true }),
            Progress::Claimed => return running,
        };
        let (reason, standing, may_pass) = match self.data.wait(&statement, until).await {
            Ok(Statements::Finished { rows, .. }) => {
                let is_written = if rows > 0 { Some(true) } else { self.is_written(&claim, &entry).await? };
                match is_written {
                    Some(true) => {
                        info!(step = "finished", %statement, rows, status = entry.status.name());
                        let finished = Claim { progress: Progress::Finished(entry.clone()), ..claim };
                        // The row exists whether or not that is recorded; the next request records it.
                        if let Err(problem) = self.claims.end(&finished, &statement).await {
                            warn!(step = "record", %problem);
                        }
                        return Ok(Followed::Stands(Standing::Finished(entry)));
                    }
                    Some(false) => {
                        ("the database no longer has the row of the link".to_owned(), Standing::Changed, false)
                    }
                    None => return running,
                }
            }
            Ok(Statements::Running) | Err(Error::Unavailable(_)) => return running,
            Err(Error::Refused(reason)) => return Err(Trouble::Refused(reason)),
            // Redshift keeps statements for a day. The next one writes nothing if the row exists.
            Err(Error::Missing(reason)) => (reason, Standing::Forgotten, true),
            Ok(Statements::Failed { message }) => {
                let may_pass = is_conflict(&message);
                (message, Standing::Failed, may_pass)
            }
            // Nobody cancels this function's statements one by one; the warehouse does, when it restarts.
            Ok(Statements::Aborted) => ("it was cancelled".to_owned(), Standing::Failed, true),
        };
        warn!(step = "ended", %statement, %reason);
        // The quote comes first, so that a run that dies in between leaves a claim that is checked again.
        if entry.status == Status::Generated {
            self.claims.give_back(&claim.quote, &entry, &claim.name).await?;
        }
        let failed = Claim { progress: Progress::Failed, ended: claim.ended.saturating_add(1), ..claim };
        self.claims.end(&failed, &statement).await?;
        Ok(Followed::Ended { claim: failed, standing, may_pass })
    }
}

/// `2024-05-01 10:00:00.123`, UTC. It decides which row of a quote is the latest, so whole seconds are not enough.
fn database_time(millis: u64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let time = OffsetDateTime::from(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
    time.format(format).expect("a time of this millennium can be written")
}

/// Up to [`PAUSE`].
fn jitter() -> Result<Duration, Trouble> {
    let random = getrandom::u32().map_err(|error| Trouble::Service(error.to_string()))?;
    Ok(PAUSE * (random % 1000) / 1000)
}

fn random() -> Result<String, Trouble> {
    getrandom::u64().map(|number| format!("{number:016x}")).map_err(|error| Trouble::Service(error.to_string()))
}

impl From<Unavailable> for Trouble {
    fn from(unavailable: Unavailable) -> Trouble {
        Trouble::Service(unavailable.to_string())
    }
}
