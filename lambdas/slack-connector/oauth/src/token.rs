//! The tenant's Slack token, as stored in its secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The only right that this app requests.
pub(crate) const SCOPE: &str = "admin.analytics:read";

/// A Slack user token. It has no `Debug` and no `Display`; only calls to Slack and the secret look inside.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    #[serde(rename = "token")]
    pub(crate) access: String,
    /// Only present if the app's token rotation is on.
    #[serde(flatten)]
    pub(crate) rotation: Option<Rotation>,
}

/// The additional fields of a rotating token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// Works for one new token.
    pub(crate) refresh_token: String,
    /// When the token expires, in seconds since 1970.
    pub(crate) expires: u64,
}

/// A token is valid for twelve hours; renewing it this early leaves several ticks of the schedule for Slack's outages.
const RENEWED_BEFORE: Duration = Duration::from_secs(4 * 60 * 60);

impl Token {
    /// Reads the secret's value; `None` if it contains no token.
    pub(crate) fn parse(secret: &str) -> Option<Token> {
        // serde's message would quote the secret.
        serde_json::from_str::<Token>(secret).ok().filter(|token| is_bearer(&token.access))
    }

    /// The secret's value.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("text and numbers can always be written as JSON")
    }

    /// Whether it is time for a new token; `now` is in seconds since 1970.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.rotation.as_ref().is_some_and(|rotation| rotation.expires <= now + RENEWED_BEFORE.as_secs())
    }
}

/// Whether `text` may be used in an `Authorization` header, RFC 6750 section 2.1.
pub(crate) fn is_bearer(text: &str) -> bool {
    (1..=1024).contains(&text.len())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-._~+/=".contains(character))
}
