//! Carries out one delivery, from its claim to its outcome.

use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::budget::Budget;
use crate::claim::{Claim, Claims, Memory, Turn};
use crate::error::{Error, Permanent, Result, Retryable};
use crate::qlik::{Posted, Qlik, Session};
use crate::reload::{self, Reload, Status};
use crate::request::{AppId, Delivery, ReloadId, ReloadRequest, WaitFor};

/// The pause between two status checks of a reload.
const POLL: Duration = Duration::from_secs(3);

/// The starting point of a run.
pub(crate) struct Run<'a> {
    pub(crate) claims: &'a Claims,
    pub(crate) qlik: &'a Qlik,
    pub(crate) budget: Budget,
    pub(crate) request_id: &'a str,
    /// When Lambda stops this run, which also ends its hold on the claim.
    pub(crate) deadline: SystemTime,
}

/// A reload that is accepted, running, or done.
#[derive(Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) reload_id: ReloadId,
    pub(crate) app_id: AppId,
    pub(crate) status: Status,
}

/// What a run knows if it ends early.
#[derive(Default)]
struct Progress {
    reload: Option<Memory>,
    /// Since when an unknown reload may exist.
    in_doubt: Option<SystemTime>,
}

impl Run<'_> {
    /// Starts the delivery's reload unless it was started before, and follows it as far as requested and as time allows.
    ///
    /// Safe to call again with the same delivery at any time and from several runs at once: `POST /reloads` is repeated only if Qlik
    /// rejected the previous one, or does not list a reload that the previous one may have started.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> Result<Report> {
        let request = &delivery.request;
        let now = self.budget.now();
        let turn = self.claims.claim(&delivery.key, self.request_id, request.fingerprint(), now, self.deadline).await?;
        let mut progress = Progress::default();
        let (mut claim, known) = match turn {
            Turn::First(claim) => (Some(claim), None),
            Turn::Unsure(claim) => {
                progress.in_doubt = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(claim.created));
                (Some(claim), None)
            }
            Turn::Known(claim, reload_id, status) => {
                progress.reload = Some(Memory::Reload { reload_id: reload_id.clone(), status: status.clone() });
                (claim, Some((reload_id, status)))
            }
            Turn::Succeeded(reload_id) => return Ok(report(request, reload_id, Status::Succeeded)),
            Turn::Failed(error) => {
                warn!(step = "claim", error = error.name(), "this delivery has already failed permanently");
                return Err(error);
            }
        };
        info!(step = "claim", key = delivery.key, held = claim.is_some(), redelivered = known.is_some());
        let result = match known {
            Some((reload_id, status)) => self.resume(delivery, reload_id, status, &mut progress).await,
            None => self.start(delivery, claim.as_mut(), &mut progress).await,
        };
        if let Some(claim) = claim
            && let Err(error) = self.settle(claim, &result, progress).await
        {
            // The outcome is final; the next delivery of this event finds the reload in Qlik, or by the ID recorded before.
            warn!(step = "settle", error = error.name(), reason = %error);
        }
        result
    }

    /// Continues with a reload that an earlier run started.
    async fn resume(
        &self,
        delivery: &Delivery,
        id: ReloadId,
        status: Status,
        progress: &mut Progress,
    ) -> Result<Report> {
        if delivery.wait_for == WaitFor::Accepted {
            return Ok(report(&delivery.request, id, status));
        }
        let mut session = self.session(&delivery.request).await?;
        let reload = session.reload(&id).await?;
        self.follow(&mut session, delivery, reload, progress).await
    }

    async fn start(&self, delivery: &Delivery, claim: Option<&mut Claim>, progress: &mut Progress) -> Result<Report> {
        let request = &delivery.request;
        let mut session = self.session(request).await?;
        session.check_app(&request.app_id).await?;
        let reload = self.post(&mut session, request, progress).await?;
        progress.in_doubt = None;
        progress.reload = Some(memory(&reload));
        // A reload that will not be followed is recorded a moment later, when the run is settled.
        let followed = delivery.wait_for != WaitFor::Accepted && reload::settled(&reload, delivery.wait_for).is_none();
        if followed
            && self.budget.remaining() > POLL
            && let Some(claim) = claim
            && let Err(error) = self.claims.note(claim, memory(&reload)).await
        {
            warn!(step = "note", error = error.name(), reason = %error);
        }
        self.follow(&mut session, delivery, reload, progress).await
    }

    async fn session(&self, request: &ReloadRequest) -> Result<Session<'_>> {
        self.qlik.session(self.budget.clone(), request.variables.is_empty()).await
    }

    /// Starts one reload: posts, and if a post may have arrived without a response, looks for its reload before posting again.
    async fn post(
        &self,
        session: &mut Session<'_>,
        request: &ReloadRequest,
        progress: &mut Progress,
    ) -> Result<Reload> {
        let mut accepted = false;
        let mut tried = 1;
        loop {
            if let Some(since) = progress.in_doubt
                && let Some(reload) = session.started_since(request, since).await?
            {
                info!(step = "adopt", reload = %reload.id, status = %reload.status, "found the reload of an earlier attempt");
                return Ok(reload);
            }
            let sent = self.budget.now();
            let posted = if accepted {
                Posted::InDoubt { error: unlisted(request), accepted }
            } else {
                session.post(request).await?
            };
            let error = match posted {
                Posted::Started(reload) => {
                    info!(step = "post", reload = %reload.id, status = %reload.status, "Qlik accepted the reload");
                    return Ok(reload);
                }
                Posted::NotStarted(error) => error,
                Posted::InDoubt { error, accepted: now_accepted } => {
                    accepted = now_accepted;
                    progress.in_doubt.get_or_insert(sent);
                    error
                }
            };
            // A reload that may have been started gets time to appear in Qlik's list.
            let least = if progress.in_doubt.is_some() { POLL } else { Duration::ZERO };
            session.again(tried, error, least).await?;
            tried += 1;
        }
    }

    async fn follow(
        &self,
        session: &mut Session<'_>,
        delivery: &Delivery,
        reload: Reload,
        progress: &mut Progress,
    ) -> Result<Report> {
        let mut reload = reload;
        if delivery.wait_for == WaitFor::Accepted {
            return Ok(report(&delivery.request, reload.id, reload.status));
        }
        loop {
            progress.reload = Some(memory(&reload));
            if let Some(settled) = reload::settled(&reload, delivery.wait_for) {
                settled?;
                break;
            }
            if !self.budget.wait(POLL).await {
                reload::at_the_end(&reload)?;
                break;
            }
            let id = reload.id.clone();
            reload = session.reload(&id).await?;
            info!(step = "poll", reload = %reload.id, status = %reload.status);
        }
        Ok(report(&delivery.request, reload.id, reload.status))
    }

    /// Records in the claim what the next delivery of the same event needs to know.
    async fn settle(&self, claim: Claim, result: &Result<Report>, progress: Progress) -> Result<()> {
        let now = self.budget.now();
        match (result, progress) {
            (Ok(report), _) => {
                let memory = Memory::Reload { reload_id: report.reload_id.clone(), status: report.status.clone() };
                self.claims.complete(claim, memory, now).await
            }
            (Err(Error::Permanent { kind, message }), _) => {
                self.claims.complete(claim, failure(*kind, message), now).await
            }
            // It never ran, so the next delivery must start a new one.
            (Err(Error::Retryable { kind: Retryable::ReloadLimitExceeded, .. }), _) => self.claims.forget(claim).await,
            (Err(_), Progress { reload: None, in_doubt: None }) => self.claims.forget(claim).await,
            (Err(_), Progress { reload, .. }) => self.claims.release(claim, reload, now).await,
        }
    }
}

fn report(request: &ReloadRequest, reload_id: ReloadId, status: Status) -> Report {
    Report { reload_id, app_id: request.app_id.clone(), status }
}

fn memory(reload: &Reload) -> Memory {
    Memory::Reload { reload_id: reload.id.clone(), status: reload.status.clone() }
}

fn failure(error_type: Permanent, message: &str) -> Memory {
    Memory::Failure { error_type, message: message.to_owned() }
}

fn unlisted(request: &ReloadRequest) -> Error {
    Error::retryable(
        Retryable::QlikUnavailable,
        format!("Qlik accepted a reload of app {} but does not list it yet", request.app_id),
    )
}
