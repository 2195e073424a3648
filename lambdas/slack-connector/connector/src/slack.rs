//! One day's file from Slack, and the meaning of each of its errors:
//! <https://docs.slack.dev/reference/methods/admin.analytics.getFile>.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use athena_federation::{BlockWriter, Error, Kind};
use function::Clock;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use tracing::{info, warn};

use crate::lines::{Limits, Lines, Unreadable};
use crate::records::{Records, Refusal};
use crate::secret::{Token, TokenCache};

/// The longest time that Slack may take to begin or continue a response.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The connection to Slack; the client and its TLS setup are created at the first call.
pub(crate) struct Slack {
    pub(crate) base: String,
    pub(crate) local: bool,
    pub(crate) tokens: TokenCache,
    pub(crate) clock: Clock,
    pub(crate) client: OnceLock<Client>,
}

/// The outcome of a day without a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// All rows are written.
    Complete,
    /// Slack has no file.
    Missing,
    /// Slack has not finished the file.
    Unfinished,
}

/// Why one attempt failed.
enum Failure {
    /// With a code, which decides what happens next.
    Slack(String),
    /// 429, with the time to wait.
    Limited(Duration),
    /// No response, or one that breaks off; nothing was written, so it can be retried.
    Lost(String),
    Final(Error),
}

/// Reserved for reading a file and storing its rows after a wait.
const RESERVE: Duration = Duration::from_secs(30);

/// The wait if Slack says that there are too many requests, but not how long to wait.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// How often a wait checks whether the query is still running.
const STEP: Duration = Duration::from_secs(10);

impl Slack {
    /// Writes the rows of `date`; `records` creates the collector of each attempt.
    ///
    /// An attempt is only repeated while no row has been written: after a wait that Slack asked for, once after a fault, and once
    /// with a different token.
    pub(crate) async fn day(
        &self,
        date: &str,
        deadline: SystemTime,
        records: impl Fn() -> Records,
        rows: &mut BlockWriter<'_>,
    ) -> Result<Day, Error> {
        let mut token = self.tokens.get().await?;
        let (mut fault, mut renewed) = (false, false);
        loop {
            let failure = match self.try_day(date, deadline, &token, records(), rows).await {
                Ok(()) => return Ok(Day::Complete),
                Err(failure) => failure,
            };
            match failure {
                Failure::Final(error) => return Err(error),
                Failure::Limited(wait) => self.wait(wait, deadline, rows).await?,
                Failure::Lost(what) if fault => return Err(Error::new(Kind::Unavailable, what)),
                Failure::Lost(what) => {
                    warn!(step = "slack", reason = what, "trying once more");
                    fault = true;
                    self.clock.sleep(Duration::from_millis(500 + fastrand::u64(..500))).await;
                }
                Failure::Slack(code) => match class(&code) {
                    Class::Missing => return Ok(Day::Missing),
                    Class::Unfinished => return Ok(Day::Unfinished),
                    Class::Limited => self.wait(DEFAULT_WAIT, deadline, rows).await?,
                    Class::Passing if !fault => fault = true,
                    Class::Token if !renewed => {
                        renewed = true;
                        match self.tokens.newer_than(&token).await? {
                            Some(newer) => token = newer,
                            None => return Err(refused(&code, date)),
                        }
                    }
                    _ => return Err(refused(&code, date)),
                },
            }
        }
    }

    async fn try_day(
        &self,
        date: &str,
        deadline: SystemTime,
        token: &Token,
        records: Records,
        rows: &mut BlockWriter<'_>,
    ) -> Result<(), Failure> {
        let left = deadline.duration_since(self.clock.now()).unwrap_or_default();
        let mut response = self.get(date, token, left).await?;
        let mut lines = Lines::new(records, Limits::default());
        let mut written = 0;
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(_) if written == 0 => {
                    return Err(Failure::Lost("Slack's response broke off; run the query again".to_owned()));
                }
                Err(_) => {
                    return Err(Failure::Final(Error::new(
                        Kind::Unavailable,
                        "Slack's response broke off; run the query again",
                    )));
                }
            };
            lines.push(&chunk).map_err(|problem| unreadable(problem, date))?;
            // If few rows are wanted, the first batch takes long.
            rows.check().await.map_err(Failure::Final)?;
            for batch in lines.take().map(Records::ready).unwrap_or_default() {
                written += batch.num_rows();
                rows.write(&batch).await.map_err(|error| Failure::Final(too_large(error, date)))?;
            }
        }
        let records = lines.finish().map_err(|problem| unreadable(problem, date))?;
        for batch in records.finish() {
            written += batch.num_rows();
            rows.write(&batch).await.map_err(|error| Failure::Final(too_large(error, date)))?;
        }
        info!(step = "read", date, rows = written);
        Ok(())
    }

    async fn get(&self, date: &str, token: &Token, left: Duration) -> Result<Response, Failure> {
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

    /// Waits as long as Slack says, if the rows can still be read afterwards.
    ///
    /// # Errors
    ///
    /// The throttle error, on which Athena waits and retries; or that the query was cancelled in the meantime.
    async fn wait(&self, wait: Duration, deadline: SystemTime, rows: &mut BlockWriter<'_>) -> Result<(), Error> {
        // The splits of a query are throttled together; they should not all come back at the same instant.
        let mut left = wait.saturating_add(Duration::from_millis(fastrand::u64(..1000)));
        let end = self.clock.now().checked_add(left.saturating_add(RESERVE));
        if end.is_none_or(|end| end > deadline) {
            return Err(Error::new(
                Kind::Throttled,
                format!(
                    "Slack has too many requests and asks to wait {} seconds; narrow the predicate on `date`, or try again later",
                    wait.as_secs()
                ),
            ));
        }
        info!(step = "wait", seconds = wait.as_secs(), "Slack has too many requests");
        while !left.is_zero() {
            let step = left.min(STEP);
            self.clock.sleep(step).await;
            left -= step;
            rows.check().await?;
        }
        Ok(())
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
enum Class {
    Missing,
    Unfinished,
    Limited,
    Passing,
    /// The token is not accepted or not permitted to do this.
    Token,
    NotConfigured,
    Unknown,
}

fn class(code: &str) -> Class {
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

fn refused(code: &str, date: &str) -> Error {
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

fn unreadable(problem: Unreadable<Refusal>, date: &str) -> Failure {
    let what = match problem {
        Unreadable::Refused(Refusal::Slack(code)) => return Failure::Slack(code),
        Unreadable::Refused(Refusal::Malformed(line, what)) => format!("line {line} {what}"),
        Unreadable::Damaged => "it is damaged or truncated".to_owned(),
        Unreadable::TooMuch(what) => format!("it has more {what} than allowed"),
    };
    Failure::Final(Error::new(Kind::Unavailable, format!("Slack's file of {date} cannot be read: {what}")))
}

fn too_large(error: Error, date: &str) -> Error {
    match error.kind {
        Kind::TooLarge => Error::new(
            Kind::TooLarge,
            format!(
                "{date}: {}; or ask an administrator to raise MEMBERS, so that a day is read in more parts",
                error.message
            ),
        ),
        _ => error,
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
