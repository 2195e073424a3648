//! Carries out one delivery, from its claim to its outcome.

use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::budget::Budget;
use crate::claim::{Claim, Claims, Found, Known, Memory, Turn};
use crate::error::{Error, Permanent, Result, Retryable};
use crate::qlik::{Posted, Qlik, Session};
use crate::reload::{self, Reload, Status};
use crate::request::{AppId, Delivery, ReloadId, ReloadRequest, WaitFor};

/// The pause between two status checks of a reload, and between two looks at the list of reloads.
const POLL: Duration = Duration::from_secs(3);

/// How long after a POST without an answer its reload may still appear in Qlik's list. Only then is another POST sent.
const APPEARS_WITHIN: Duration = Duration::from_secs(120);

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
    /// The reload was active before this delivery, which asked to share such a reload.
    pub(crate) shared: bool,
}

/// What a run knows if it ends early.
#[derive(Default)]
struct Progress {
    reload: Option<Memory>,
    doubt: Option<Doubt>,
}

/// A reload of this delivery may exist that Qlik has not named.
#[derive(Clone, Copy)]
struct Doubt {
    /// When the first POST was sent that may have started one.
    since: SystemTime,
    /// When the last of these POSTs was known to have failed.
    until: SystemTime,
    /// Qlik said that it started one.
    accepted: bool,
}

impl Run<'_> {
    /// Starts the delivery's reload unless it was started before, and follows it as far as requested and as time allows.
    ///
    /// Safe to call again with the same delivery at any time and from several runs at once: `POST /reloads` is repeated only if Qlik
    /// rejected the previous one, or has had time to list a reload that the previous one may have started, and does not list it.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> Result<Report> {
        let request = &delivery.request;
        let now = self.budget.now();
        let turn = self.claims.claim(&delivery.key, self.request_id, request.fingerprint(), now, self.deadline).await?;
        let mut progress = Progress::default();
        let (mut claim, known) = match turn {
            Turn::First(claim) => (Some(claim), None),
            Turn::Unsure(claim, ended) => {
                let time = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
                progress.doubt = Some(Doubt { since: time(claim.created), until: time(ended), accepted: false });
                (Some(claim), None)
            }
            Turn::Known(claim, known) => {
                progress.reload = Some(known.clone().into());
                (claim, Some(known))
            }
            Turn::Succeeded(known) => return Ok(report(request, known.reload_id, Status::Succeeded, known.shared)),
            Turn::Failed(error) => {
                warn!(step = "claim", error = error.name(), "this delivery has already failed permanently");
                return Err(error);
            }
        };
        info!(step = "claim", key = delivery.key, held = claim.is_some(), redelivered = known.is_some());
        let result = match known {
            Some(known) => self.resume(delivery, known, &mut progress).await,
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
    async fn resume(&self, delivery: &Delivery, known: Known, progress: &mut Progress) -> Result<Report> {
        let Known { reload_id: id, status, shared } = known;
        if delivery.wait_for == WaitFor::Accepted {
            return Ok(report(&delivery.request, id, status, shared));
        }
        let mut session = self.session(&delivery.request).await?;
        let reload = session.reload(&id).await?;
        self.follow(&mut session, delivery, reload, shared, progress).await
    }

    async fn start(&self, delivery: &Delivery, claim: Option<&mut Claim>, progress: &mut Progress) -> Result<Report> {
        let request = &delivery.request;
        let mut session = self.session(request).await?;
        session.check_app(&request.app_id).await?;
        let (reload, shared) = self.post(&mut session, delivery, progress).await?;
        progress.doubt = None;
        progress.reload = Some(memory(&reload, shared));
        // A reload that will not be followed is recorded a moment later, when the run is settled.
        let followed = delivery.wait_for != WaitFor::Accepted && reload::settled(&reload, delivery.wait_for).is_none();
        if followed
            && self.budget.remaining() > POLL
            && let Some(claim) = claim
            && let Err(error) = self.claims.note(claim, memory(&reload, shared)).await
        {
            warn!(step = "note", error = error.name(), reason = %error);
        }
        self.follow(&mut session, delivery, reload, shared, progress).await
    }

    async fn session(&self, request: &ReloadRequest) -> Result<Session<'_>> {
        self.qlik.session(self.budget.clone(), request.variables.is_empty()).await
    }

    /// Starts one reload that belongs to this delivery, or finds an active one if the delivery asks for that (then `true`).
    ///
    /// If a POST may have arrived without a response, its reload is looked for before the next POST.
    async fn post(
        &self,
        session: &mut Session<'_>,
        delivery: &Delivery,
        progress: &mut Progress,
    ) -> Result<(Reload, bool)> {
        let request = &delivery.request;
        let mut tried = 1;
        let mut reason = None;
        loop {
            if let Some(doubt) = progress.doubt
                && let Some(reload) = self.look_for(session, delivery, doubt, reason.take()).await?
            {
                info!(step = "adopt", reload = %reload.id, status = %reload.status, "found the reload of an earlier attempt");
                return Ok((reload, false));
            }
            if request.skip_if_active
                && let Some(reload) = session.active(&request.app_id).await?
            {
                info!(step = "skip", reload = %reload.id, status = %reload.status, "the app is already being reloaded");
                return Ok((reload, true));
            }
            let sent = self.budget.now();
            let (error, accepted) = match session.post(request).await? {
                Posted::Started(reload) => {
                    info!(step = "post", reload = %reload.id, status = %reload.status, "Qlik accepted the reload");
                    // Until it is taken, it may be taken by another delivery whose own POST had no answer.
                    let doubt = Doubt { since: sent, until: self.budget.now(), accepted: true };
                    let doubt = progress.doubt.get_or_insert(doubt);
                    if self.take(&reload, Found::Named, delivery).await? {
                        return Ok((reload, false));
                    }
                    *doubt = Doubt { until: self.budget.now(), accepted: false, ..*doubt };
                    continue;
                }
                Posted::NotStarted(error) => (error, None),
                Posted::InDoubt { error, accepted } => (error, Some(accepted)),
            };
            if let Some(accepted) = accepted {
                let doubt = progress.doubt.get_or_insert(Doubt { since: sent, until: sent, accepted });
                *doubt = Doubt { until: self.budget.now(), accepted, ..*doubt };
                reason = Some(error.clone());
            }
            // A reload that may have been started gets time to appear in Qlik's list.
            let least = if progress.doubt.is_some() { POLL } else { Duration::ZERO };
            session.again(tried, error, least).await?;
            tried += 1;
        }
    }

    /// Looks for a reload that an earlier POST of this delivery may have started, until Qlik has had time to list it. Returns `None`
    /// when another POST may be sent, and `reason` if the time ends before.
    async fn look_for(
        &self,
        session: &mut Session<'_>,
        delivery: &Delivery,
        doubt: Doubt,
        reason: Option<Error>,
    ) -> Result<Option<Reload>> {
        let mut foreign = Vec::new();
        loop {
            let looked = self.budget.now();
            let mut found = session.started_since(&delivery.request, doubt.since).await?;
            // An earlier run may have taken one and died. Another one would be missing to the delivery that started it.
            for index in 0..found.len() {
                if !foreign.contains(&found[index].id) {
                    if self.claims.has(&found[index].id, &delivery.key, self.budget.now()).await? {
                        return Ok(Some(found.swap_remove(index)));
                    }
                    foreign.push(found[index].id.clone());
                }
            }
            for reload in found {
                if self.take(&reload, Found::Listed, delivery).await? {
                    return Ok(Some(reload));
                }
            }
            if !doubt.accepted && looked >= doubt.until + APPEARS_WITHIN {
                return Ok(None);
            }
            if !self.budget.wait(POLL).await {
                return Err(reason.unwrap_or_else(|| unlisted(&delivery.request)));
            }
        }
    }

    async fn take(&self, reload: &Reload, found: Found, delivery: &Delivery) -> Result<bool> {
        let taken = self.claims.take(&reload.id, &delivery.key, found, self.budget.now()).await?;
        if !taken {
            info!(step = "take", reload = %reload.id, "the reload belongs to another delivery");
        }
        Ok(taken)
    }

    async fn follow(
        &self,
        session: &mut Session<'_>,
        delivery: &Delivery,
        reload: Reload,
        shared: bool,
        progress: &mut Progress,
    ) -> Result<Report> {
        let mut reload = reload;
        if delivery.wait_for == WaitFor::Accepted {
            return Ok(report(&delivery.request, reload.id, reload.status, shared));
        }
        loop {
            progress.reload = Some(memory(&reload, shared));
            if let Some(settled) = reload::settled(&reload, delivery.wait_for) {
                settled?;
                break;
            }
            if !self.budget.wait(POLL).await {
                reload::at_the_end(&reload, delivery.wait_for)?;
                break;
            }
            reload = match session.reload(&reload.id).await {
                Ok(reload) => reload,
                Err(Error::Retryable { .. }) if self.budget.for_a_call().is_err() => {
                    reload::at_the_end(&reload, delivery.wait_for)?;
                    break;
                }
                Err(error) => return Err(error),
            };
            info!(step = "poll", reload = %reload.id, status = %reload.status);
        }
        Ok(report(&delivery.request, reload.id, reload.status, shared))
    }

    /// Records in the claim what the next delivery of the same event needs to know.
    async fn settle(&self, claim: Claim, result: &Result<Report>, progress: Progress) -> Result<()> {
        let now = self.budget.now();
        match (result, progress) {
            (Ok(Report { reload_id, status, shared, .. }), _) => {
                let memory = Memory::Reload { reload_id: reload_id.clone(), status: status.clone(), shared: *shared };
                self.claims.complete(claim, memory, now).await
            }
            (Err(Error::Permanent { kind, message }), _) => {
                self.claims.complete(claim, failure(*kind, message), now).await
            }
            // It never ran, so the next delivery must start a new one.
            (Err(Error::Retryable { kind: Retryable::ReloadLimitExceeded, .. }), _) => self.claims.forget(claim).await,
            (Err(_), Progress { reload: None, doubt: None }) => self.claims.forget(claim).await,
            (Err(_), Progress { reload, doubt }) => {
                self.claims.release(claim, reload, doubt.map_or(now, |doubt| doubt.until)).await
            }
        }
    }
}

fn report(request: &ReloadRequest, reload_id: ReloadId, status: Status, shared: bool) -> Report {
    Report { reload_id, app_id: request.app_id.clone(), status, shared }
}

fn memory(reload: &Reload, shared: bool) -> Memory {
    Memory::Reload { reload_id: reload.id.clone(), status: reload.status.clone(), shared }
}

impl From<Known> for Memory {
    fn from(known: Known) -> Memory {
        Memory::Reload { reload_id: known.reload_id, status: known.status, shared: known.shared }
    }
}

fn failure(error_type: Permanent, message: &str) -> Memory {
    Memory::Failure { error_type, message: message.to_owned() }
}

fn unlisted(request: &ReloadRequest) -> Error {
    Error::retryable(
        Retryable::QlikUnavailable,
        format!("a reload of app {} may have been started, but Qlik does not list it yet", request.app_id),
    )
}
