//! Calls of Slack for a day's file, and the meaning of each of its errors:
//! <https://docs.slack.dev/reference/methods/admin.analytics.getFile>.

use std::sync::OnceLock;
use std::time::Duration;

use athena_federation::{Error, Kind};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};

use crate::secret::Token;

/// The longest time that Slack may take to begin or continue a response.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The connection to Slack; the client and its TLS setup are created at the first call.
pub(crate) struct Slack {
    pub(crate) base: String,
    pub(crate) local: bool,
    pub(crate) client: OnceLock<Client>,
}

/// Why a call has no file.
pub(crate) enum Failure {
    /// With a code, which decides what happens next.
    Slack(String),
    /// 429, with the time to wait.
    Limited(Duration),
    /// No response, or one that breaks off.
    Lost(String),
    Final(Error),
}

/// The wait if Slack says that there are too many requests, but not how long to wait.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(30);

impl Slack {
    /// Asks for the file of a day; the response must have begun and ended after `left`.
    pub(crate) async fn get(&self, date: &str, token: &Token, left: Duration) -> Result<Response, Failure> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .expect("a token has only the characters of a bearer token");
        bearer.set_sensitive(true);
        let url = format!("{}/api/admin.analytics.getFile?type=member&date={date}", self.base);
        let request =
            self.client().get(url).header(AUTHORIZATION, bearer).header(ACCEPT_ENCODING, "identity").timeout(left);
        let response = request.send().await.map_err(|error| {
            let how = if error.is_timeout() { "did not respond in time" } else { "could not be reached" };
            Failure::Lost(format!("Slack {how}; run the query again"))
        })?;
        let status = response.status().as_u16();
        match status {
            200 => Ok(response),
            429 => {
                let after =
                    response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
                Err(Failure::Limited(after.map_or(DEFAULT_WAIT, Duration::from_secs)))
            }
            401 | 403 => Err(Failure::Slack("invalid_auth".to_owned())),
            408 | 500.. => Err(Failure::Lost(format!("Slack has a problem (HTTP {status}); run the query again"))),
            _ => Err(Failure::Final(Error::new(
                Kind::Unavailable,
                format!("Slack returned HTTP {status}, which is unexpected for its member analytics"),
            ))),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::builder()
                .user_agent(concat!("ferrostack-slack-connector/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .https_only(!self.local)
                .connect_timeout(Duration::from_secs(3))
                .read_timeout(LONGEST_PAUSE)
                // A function sleeps between two events, so a connection that was open before may be dead afterwards.
                .pool_idle_timeout(Duration::from_secs(20))
                .build()
                .expect("a client with fixed options can be built on any machine that has root certificates")
        })
    }
}

/// The meaning of an error code from Slack for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Missing,
    Unfinished,
    Limited,
    Passing,
    /// The token is not accepted or not permitted to do this.
    Token,
    NotConfigured,
    Unknown,
}

/// Sorts a code.
pub(crate) fn class(code: &str) -> Class {
    match code {
        "file_not_found" | "data_not_available" => Class::Missing,
        "file_not_yet_available" => Class::Unfinished,
        "ratelimited" | "rate_limited" => Class::Limited,
        "service_unavailable" | "fatal_error" | "internal_error" | "request_timeout" | "team_added_to_org" => {
            Class::Passing
        }
        "not_authed"
        | "invalid_auth"
        | "token_expired"
        | "token_revoked"
        | "account_inactive"
        | "missing_scope"
        | "not_an_admin"
        | "no_permission"
        | "not_allowed_token_type"
        | "access_denied"
        | "accesslimited"
        | "is_bot"
        | "org_login_required"
        | "ekm_access_denied"
        | "two_factor_setup_required"
        | "user_cannot_manage_public_channels" => Class::Token,
        "feature_not_available"
        | "feature_not_enabled"
        | "member_analytics_disabled"
        | "enterprise_is_restricted"
        | "org_level_email_display_disabled" => Class::NotConfigured,
        _ => Class::Unknown,
    }
}

/// The error of a query that Slack refuses with a code.
pub(crate) fn refused(code: &str, date: &str) -> Error {
    // A code is shown unchanged; any other text could contain anything.
    let is_code = (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let code = if is_code { code } else { "an unknown error" };
    match class(code) {
        Class::Token => Error::new(
            Kind::AccessDenied,
            format!(
                "Slack does not accept this connector's token (`{code}`); ask an administrator to install the Slack app again, on the organization and with the scope admin.analytics:read"
            ),
        ),
        Class::NotConfigured => Error::new(
            Kind::NotConfigured,
            format!(
                "Slack does not provide this organization's member analytics (`{code}`); an owner of the Slack organization must allow them"
            ),
        ),
        _ => Error::new(
            Kind::Unavailable,
            format!("Slack did not provide the file of {date} (`{code}`); run the query again, or leave that day out"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_slack_reports_as_missing_are_missing() {
        let empty = ["file_not_found", "data_not_available"];
        for code in ["", "invalid_date", "ok", "file_not_found_", "brand_new_error", "token_revoked"] {
            assert!(
                !empty.contains(&code) && class(code) != Class::Missing && class(code) != Class::Unfinished,
                "{code}"
            );
        }
        assert!(empty.iter().all(|code| class(code) == Class::Missing));
    }

    #[test]
    fn only_a_code_is_shown_of_slacks_text() {
        assert!(refused("token_revoked", "2026-11-01").message.contains("`token_revoked`"));
        for text in ["Bearer xoxp-1", "a\nb", &"x".repeat(65), "ümlaut", ""] {
            assert!(refused(text, "2026-11-01").message.contains("`an unknown error`"), "{text}");
        }
    }
}
