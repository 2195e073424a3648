//! The tenant's Slack token, as it stands in its secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The only right that this app requests.
pub(crate) const SCOPE: &str = "admin.analytics:read";

/// A user token of Slack. It has no `Debug` and no `Display`; only calls to Slack and the secret look inside.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    #[serde(rename = "token")]
    pub(crate) access: String,
    /// Only with the app's token rotation on.
    #[serde(flatten)]
    pub(crate) rotation: Option<Rotation>,
}

/// What a token that rotates has on top.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// Good for one new token.
    pub(crate) refresh_token: String,
    /// When the token ends, in seconds since 1970.
    pub(crate) expires: u64,
}

/// A token lives twelve hours; with this much left there are ticks of the clock to spare for Slack's bad hours.
const RENEWED_BEFORE: Duration = Duration::from_secs(4 * 60 * 60);

impl Token {
    /// Reads the secret's value; `None` when it holds no token.
    pub(crate) fn parse(secret: &str) -> Option<Token> {
        // serde's message would quote the secret.
        serde_json::from_str::<Token>(secret).ok().filter(|token| is_bearer(&token.access))
    }

    /// The secret's value.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    /// Whether it is time for a new one, `now` in seconds since 1970.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.rotation.as_ref().is_some_and(|rotation| rotation.expires <= now + RENEWED_BEFORE.as_secs())
    }
}

/// Whether `text` may stand in an `Authorization` header, RFC 6750 section 2.1.
pub(crate) fn is_bearer(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c))
}
