//! Slack's side of OAuth: the consent page's address, the exchange of a code, and a token's renewal and revocation.

mod http;
mod sentence;

use function::{Clock, millis};
pub(crate) use http::Http;
use reqwest::Url;
pub(crate) use sentence::denied;
use sentence::{is_code, refused};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::digest::Random;
use crate::error::{Error, Kind, Result};
use crate::token::{Rotation, SCOPE, Token, is_bearer};
use crate::vault::ClientSecret;

/// Slack, for one app and one organization.
pub(crate) struct Slack {
    /// Without a slash at the end.
    pub(crate) base: String,
    pub(crate) http: Http,
    pub(crate) client_id: String,
    pub(crate) redirect_url: String,
    pub(crate) enterprise_id: String,
    pub(crate) clock: Clock,
}

/// The proof that the sender of a code requested it (PKCE, RFC 7636): 43 characters.
pub(crate) struct Verifier(String);

/// An installation that passed every check.
pub(crate) struct Installation {
    pub(crate) token: Token,
    /// The organization's name for itself; untrusted text.
    pub(crate) organization: String,
}

impl Verifier {
    /// The verifier of a browser's consent. It is derived from a value that only the browser has, so it is stored nowhere.
    pub(crate) fn of(browser: &Random) -> Verifier {
        Verifier(browser.derived(crate::digest::Purpose(b"slack-pkce-v1")))
    }

    fn challenge(&self) -> String {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl Slack {
    /// The address of the page on which an admin of the organization consents.
    pub(crate) fn consent_url(&self, state: &Random, verifier: &Verifier) -> String {
        let fields = [
            ("client_id", self.client_id.as_str()),
            ("user_scope", SCOPE),
            ("redirect_uri", &self.redirect_url),
            ("state", &state.text()),
            ("code_challenge", &verifier.challenge()),
            ("code_challenge_method", "S256"),
        ];
        Url::parse_with_params(&format!("{}/oauth/v2/authorize", self.base), fields)
            .expect("the settings hold a URL")
            .into()
    }

    /// Exchanges a code for a token and checks that it is the expected one.
    ///
    /// A token that fails the check is dropped but not revoked, because for the same person it may be the one in use.
    ///
    /// # Errors
    ///
    /// If Slack refuses or does not respond, or if the installation is not one on the whole organization of the tenant's
    /// enterprise with the right to read analytics.
    pub(crate) async fn exchange(
        &self,
        secret: &ClientSecret,
        code: &str,
        verifier: &Verifier,
    ) -> Result<Installation> {
        let fields = [("code", code), ("redirect_uri", &self.redirect_url), ("code_verifier", &verifier.0)];
        let (answer, now) = self.access(secret, &fields).await?;
        let grant = answer.authed_user.unwrap_or_default();
        self.check(answer.is_enterprise_install, answer.enterprise.as_ref(), grant.scope.as_deref())?;
        let organization = answer.enterprise.and_then(|enterprise| enterprise.name).unwrap_or_default();
        Ok(Installation { token: grant.token(now)?, organization: organization.chars().take(80).collect() })
    }

    /// Exchanges a refresh token, which works only once, for a new token.
    ///
    /// # Errors
    ///
    /// As for [`Slack::exchange`].
    pub(crate) async fn renew(&self, secret: &ClientSecret, rotation: &Rotation) -> Result<Token> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &rotation.refresh_token)];
        let (answer, now) = self.access(secret, &fields).await?;
        // Slack puts a renewed user token at the top level and the first one below `authed_user`.
        let nested = answer.authed_user.filter(|grant| grant.access_token.is_some());
        let token = nested.unwrap_or(answer.grant).token(now)?;
        match token.rotation {
            Some(_) => Ok(token),
            None => Err(unreadable("a token without its successor")),
        }
    }

    /// Revokes a token. It is not an error if it has already ended.
    ///
    /// # Errors
    ///
    /// If Slack refuses for another reason or does not respond.
    pub(crate) async fn revoke(&self, token: &str) -> Result<()> {
        let body = self.http.post(&format!("{}/api/auth.revoke", self.base), http::Caller::Bearer(token), &[]).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unreadable("a body that is not JSON"))?;
        const ENDED: [&str; 6] = [
            "account_inactive",
            "invalid_auth",
            "invalid_refresh_token",
            "not_authed",
            "token_expired",
            "token_revoked",
        ];
        match answer.error.as_deref() {
            _ if answer.ok => Ok(()),
            Some(code) if ENDED.contains(&code) => Ok(()),
            code => Err(refused(code.unwrap_or_default(), &self.redirect_url)),
        }
    }

    /// Calls `oauth.v2.access`; also returns the time before the call, in seconds, from which a token's life counts.
    async fn access(&self, secret: &ClientSecret, fields: &[(&str, &str)]) -> Result<(Answer, u64)> {
        let now = millis(self.clock.now()) / 1000;
        let caller = http::Caller::App { id: &self.client_id, secret: secret.expose() };
        let body = self.http.post(&format!("{}/api/oauth.v2.access", self.base), caller, fields).await?;
        // serde's message would quote the response.
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| unreadable("a body that is not the JSON it documents"))?;
        if answer.ok {
            Ok((answer, now))
        } else {
            Err(refused(answer.error.as_deref().unwrap_or_default(), &self.redirect_url))
        }
    }

    fn check(
        &self,
        is_organization: Option<bool>,
        enterprise: Option<&Enterprise>,
        scopes: Option<&str>,
    ) -> Result<()> {
        let wrong = |message: String| Err(Error::new(Kind::WrongInstallation, message));
        if is_organization != Some(true) {
            return wrong(match enterprise {
                Some(_) => format!(
                    "the app was installed on a workspace of an organization; start again and choose the whole organization {}",
                    self.enterprise_id
                ),
                None => format!(
                    "the app was installed on a workspace that is not part of an Enterprise organization; this system reads the analytics of the organization {}, so start again and sign in there",
                    self.enterprise_id
                ),
            });
        }
        let id = enterprise.and_then(|enterprise| enterprise.id.as_deref()).unwrap_or_default();
        if id != self.enterprise_id {
            let shown = if is_code(&id.to_ascii_lowercase()) { id } else { "without an ID" };
            return wrong(format!(
                "the app was installed on the organization {shown}; this tenant's is {}; sign in there and start again",
                self.enterprise_id
            ));
        }
        if !scopes.unwrap_or_default().split(',').any(|scope| scope.trim() == SCOPE) {
            return wrong(format!(
                "Slack did not grant {SCOPE}; add it to the app's user token scopes and start again"
            ));
        }
        Ok(())
    }
}

/// The relevant fields of Slack's responses.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    error: Option<String>,
    is_enterprise_install: Option<bool>,
    enterprise: Option<Enterprise>,
    authed_user: Option<Grant>,
    #[serde(flatten)]
    grant: Grant,
}

#[derive(Deserialize)]
struct Enterprise {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Grant {
    scope: Option<String>,
    access_token: Option<String>,
    token_type: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

impl Grant {
    /// The token, whose life began at `now`.
    fn token(self, now: u64) -> Result<Token> {
        let is_user = self.token_type.as_deref() == Some("user");
        let starts = |token: &String| token.starts_with("xoxp-") || token.starts_with("xoxe.xoxp-");
        let access = self.access_token.filter(|token| is_user && starts(token) && is_bearer(token));
        let access = access.ok_or_else(|| unreadable("no user token"))?;
        let rotation = match (self.refresh_token, self.expires_in) {
            (None, None) => None,
            (Some(refresh_token), Some(life)) if is_bearer(&refresh_token) => {
                Some(Rotation { refresh_token, expires: now.saturating_add(life) })
            }
            _ => return Err(unreadable("a token whose end or successor is missing")),
        };
        Ok(Token { access, rotation })
    }
}

fn unreadable(what: &str) -> Error {
    Error::new(Kind::SlackUnavailable, format!("Slack responded with {what}; try again later"))
}
