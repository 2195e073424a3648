//! The operations of this function: begin, finish, renew, revoke.

use std::collections::BTreeSet;

use function::{Clock, millis};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::digest::Random;
use crate::error::{Error, Kind, Result};
use crate::link::{self, Link, Purpose, Refusal};
use crate::request::Callback;
use crate::slack::{Slack, Verifier, denied};
use crate::table::Table;
use crate::vault::{Content, Vault};

/// Everything the operations need.
pub(crate) struct Installer {
    pub(crate) tenant: String,
    /// E-mail addresses in lower case.
    pub(crate) admins: BTreeSet<String>,
    pub(crate) table: Table,
    pub(crate) vault: Vault,
    pub(crate) slack: Slack,
    pub(crate) clock: Clock,
}

/// Why a request is refused.
pub(crate) enum Denial {
    /// The link is not a start link for this purpose.
    Link(Refusal),
    /// The link was used before.
    Used,
    /// The callback does not belong to a consent that this browser began in the last ten minutes, or has already been used.
    NotStarted,
    /// Something failed.
    Failed(Error),
}

/// A consent that was started.
pub(crate) struct Started {
    /// Slack's consent page.
    pub(crate) address: String,
    /// For the browser's cookie.
    pub(crate) browser: Random,
}

impl From<Error> for Denial {
    fn from(error: Error) -> Denial {
        Denial::Failed(error)
    }
}

impl Installer {
    /// Verifies a start link without using it up.
    pub(crate) async fn accept(&self, purpose: Purpose, token: &str) -> std::result::Result<Link, Denial> {
        if !link::has_form(token) {
            return Err(Denial::Link(Refusal::Rejected));
        }
        let key = self.vault.start_key().await?;
        let link = link::accept(token, key.expose(), purpose, &self.tenant, self.now()).map_err(Denial::Link)?;
        // The list may have been shortened since then.
        if self.admins.contains(&link.admin) { Ok(link) } else { Err(Denial::Link(Refusal::Rejected)) }
    }

    /// Uses the link up and sends the browser to Slack's consent page.
    pub(crate) async fn begin(&self, link: &Link) -> std::result::Result<Started, Denial> {
        if !self.table.use_up(link).await? {
            return Err(Denial::Used);
        }
        let (state, browser) = (Random::new(), Random::new());
        self.table.issue(&state, &browser, &link.admin).await?;
        info!(step = "begin", admin = link.admin, "an installation was started");
        Ok(Started { address: self.slack.consent_url(&state, &Verifier::of(&browser)), browser })
    }

    /// Exchanges the code of a consent for a token, stores it, and returns the name of the organization. Nothing is stored unless
    /// every check passes.
    pub(crate) async fn finish(&self, callback: &Callback) -> std::result::Result<String, Denial> {
        let started = self.table.take(&callback.state, &callback.browser).await?;
        let admin = started.filter(|admin| self.admins.contains(admin)).ok_or(Denial::NotStarted)?;
        let code = callback.outcome.as_ref().map_err(|reason| denied(reason, &self.slack.redirect_url))?;
        let lease = self.table.wait_for_lease().await?;
        let stored = self.store(code, &Verifier::of(&callback.browser)).await;
        self.table.give_back(lease).await;
        let organization = stored?;
        info!(step = "stored", admin, "the token of an installation was stored");
        Ok(organization)
    }

    async fn store(&self, code: &str, verifier: &Verifier) -> Result<String> {
        let current = self.vault.content().await?;
        let secret = self.vault.client_secret().await?;
        let installation = self.slack.exchange(&secret, code, verifier).await?;
        self.vault.replace(&current, Some(&installation.token)).await?;
        Ok(installation.organization)
    }

    /// Uses the link up, revokes the token at Slack, and removes it from its secret; `false` if there was none.
    pub(crate) async fn revoke(&self, link: &Link) -> std::result::Result<bool, Denial> {
        // The lease comes first, so that a failed wait does not use up the link.
        let lease = self.table.wait_for_lease().await?;
        let ended = self.end(link).await;
        self.table.give_back(lease).await;
        ended
    }

    async fn end(&self, link: &Link) -> std::result::Result<bool, Denial> {
        if !self.table.use_up(link).await? {
            return Err(Denial::Used);
        }
        let current = self.vault.content().await?;
        let Some(token) = &current.token else { return Ok(false) };
        if let Some(rotation) = &token.rotation {
            self.slack.revoke(&rotation.refresh_token).await?;
        }
        self.slack.revoke(&token.access).await?;
        self.vault.replace(&current, None).await?;
        info!(step = "revoked", admin = link.admin, "the token was revoked and deleted");
        Ok(true)
    }

    /// Renews a rotating token if it is due and no other run is renewing it. Safe to call at any time, any number of times.
    ///
    /// # Errors
    ///
    /// If it is due and the new token could not be obtained or stored.
    pub(crate) async fn refresh(&self) -> Result<Value> {
        let kept = |reason: &str| json!({ "refreshed": false, "reason": reason });
        let current = self.vault.content().await?;
        match &current.token {
            None => return Ok(kept("there is no token")),
            Some(token) if token.rotation.is_none() => return Ok(kept("the token does not rotate")),
            Some(token) if !token.is_due(self.now()) => return Ok(kept("the token is not due yet")),
            Some(_) => {}
        }
        let Some(lease) = self.table.lease().await? else { return Ok(kept("another run is renewing it")) };
        let renewed = self.renew().await;
        self.table.give_back(lease).await;
        match renewed {
            Ok(true) => info!(step = "refreshed", "the token was renewed"),
            Ok(false) => return Ok(kept("another run was faster")),
            // A manual installation or revocation takes precedence.
            Err(Error { kind: Kind::Overtaken, .. }) => return Ok(kept("another run was faster")),
            Err(error) => {
                warn!(step = "refresh", error = error.name(), reason = %error);
                return Err(error);
            }
        }
        Ok(json!({ "refreshed": true }))
    }

    /// Renews the current token; `false` if another run has done it in the meantime.
    async fn renew(&self) -> Result<bool> {
        // Read again under the lease, because the previous holder may have renewed the token.
        let mut current = self.vault.content().await?;
        let is_due = |content: &Content| content.token.as_ref().is_some_and(|token| token.is_due(self.now()));
        if is_due(&current)
            && let Some(recovered) = self.vault.recover(&current).await?
        {
            info!(step = "recovered", "a token that was stored before is now the current one");
            if !is_due(&recovered) {
                return Ok(true);
            }
            current = recovered;
        }
        let due = current.token.as_ref().filter(|token| token.is_due(self.now()));
        let Some(rotation) = due.and_then(|token| token.rotation.as_ref()) else { return Ok(false) };
        let secret = self.vault.client_secret().await?;
        let token = self.slack.renew(&secret, rotation).await?;
        self.vault.replace(&current, Some(&token)).await.map(|()| true)
    }

    fn now(&self) -> u64 {
        millis(self.clock.now()) / 1000
    }
}
