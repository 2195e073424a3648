//! Codes and tokens: what is issued, how long it is valid, and what it is exchanged for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::form::field;

/// What was issued.
#[derive(Default)]
pub(super) struct Tokens {
    /// The one address that the app has registered.
    pub(super) redirect_url: Option<String>,
    /// How long new tokens are valid; `None` means forever.
    life: Option<Duration>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) access: BTreeMap<String, Access>,
    /// Refresh tokens that have not been used yet.
    pub(super) refresh: BTreeMap<String, Instant>,
}

pub(super) struct Code {
    pub(super) redirect_url: String,
    pub(super) challenge: Option<String>,
    pub(super) given: Instant,
    pub(super) used: bool,
}

pub(super) struct Access {
    ends: Option<Instant>,
    pub(super) revoked: bool,
}

pub(super) const SCOPE: &str = "admin.analytics:read";

/// A code is valid for ten minutes, and can be used once.
const CODE_LIFE: Duration = Duration::from_secs(600);

impl Tokens {
    /// Slack's code for the reason why a call with this token is refused.
    pub(super) fn check(&self, bearer: Option<&str>) -> Result<(), &'static str> {
        let access = self.access.get(bearer.ok_or("not_authed")?).ok_or("invalid_auth")?;
        match access.ends {
            _ if access.revoked => Err("token_revoked"),
            Some(end) if end <= Instant::now() => Err("token_expired"),
            _ => Ok(()),
        }
    }

    pub(super) fn good(&self) -> usize {
        self.access.keys().filter(|token| self.check(Some(token)).is_ok()).count()
    }

    /// From now on, issues tokens that expire after a time, or never. Tokens issued before become invalid.
    pub(super) fn rotate(&mut self, life: Option<Duration>) {
        self.life = life;
        for access in self.access.values_mut() {
            access.revoked = true;
        }
    }

    /// A token, as an answer contains it. One that does not rotate is the same for everyone who installs the app again.
    pub(super) fn give(&mut self) -> Value {
        let Some(life) = self.life else {
            let same = self.access.keys().find(|token| self.check(Some(token)).is_ok()).cloned();
            let token = same.unwrap_or_else(|| random("xoxp-"));
            self.access.insert(token.clone(), Access { ends: None, revoked: false });
            return json!({"id": "U065VRX1T0", "scope": SCOPE, "access_token": token, "token_type": "user"});
        };
        let (token, refresh) = (random("xoxe.xoxp-"), random("xoxe-1-"));
        self.access.insert(token.clone(), Access { ends: Some(Instant::now() + life), revoked: false });
        self.refresh.insert(refresh.clone(), Instant::now());
        json!({
            "id": "U065VRX1T0", "scope": SCOPE, "access_token": token, "token_type": "user",
            "expires_in": life.as_secs(), "refresh_token": refresh,
        })
    }

    /// What a code is exchanged for, or Slack's code for the reason why not.
    pub(super) fn exchange(&mut self, form: &str) -> Result<Value, &'static str> {
        let value = |name| field(form, name).unwrap_or_default();
        let code = self.codes.get_mut(&value("code")).ok_or("invalid_code")?;
        if code.used {
            return Err("code_already_used");
        }
        if code.given.elapsed() > CODE_LIFE {
            return Err("invalid_code");
        }
        if value("redirect_uri") != code.redirect_url {
            return Err("bad_redirect_uri");
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier")));
        if code.challenge.as_ref().is_some_and(|expected| *expected != challenge) {
            return Err("invalid_code_verifier");
        }
        code.used = true;
        Ok(self.give())
    }
}

/// A random code or token.
pub(super) fn random(prefix: &str) -> String {
    prefix.chars().chain(std::iter::repeat_with(fastrand::alphanumeric).take(40)).collect()
}
