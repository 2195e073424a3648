//! The part of Qlik's REST interface that a run uses: four calls, and what each response means.

use std::time::{Duration, SystemTime};

use function::{Outcome, outcome};
use reqwest::{Method, Url};

use crate::backoff::{TRIES, pause, retry_after};
use crate::budget::Budget;
use crate::error::{Error, Permanent, Result, Retryable};
use crate::http::{Answer, Broken, Http, Lost};
use crate::reload::{self, Reload, Status};
use crate::request::{AppId, ReloadId, ReloadRequest};
use crate::scrub::{one_line, scrub};
use crate::secret::{ApiKey, KeyCache};

/// The tenant; lives as long as the process.
pub(crate) struct Qlik {
    pub(crate) base: String,
    pub(crate) http: Http,
    pub(crate) keys: KeyCache,
}

/// The calls of one run: they share its time, its API key, and the single chance to read that key again.
pub(crate) struct Session<'a> {
    qlik: &'a Qlik,
    pub(crate) budget: Budget,
    key: ApiKey,
    reread: bool,
    /// Whether errors may include Qlik's own text, which could quote the request's variables.
    pub(crate) show_text: bool,
}

/// The outcome of one `POST /reloads`.
pub(crate) enum Posted {
    Started(Reload),
    /// Qlik has not started a reload.
    NotStarted(Error),
    /// Qlik may have started one; `accepted` if it said so without naming the reload.
    InDoubt {
        error: Error,
        accepted: bool,
    },
}

/// What a call is about, for its errors.
struct Subject {
    doing: String,
    missing: Permanent,
}

/// Allows for clock differences, and for Qlik's creation times being cut to the second.
const CLOCK_SKEW: Duration = Duration::from_secs(2);

impl Qlik {
    pub(crate) async fn session(&self, budget: Budget, show_text: bool) -> Result<Session<'_>> {
        let key = budget.spend(self.keys.get()).await?;
        Ok(Session { qlik: self, budget, key, reread: false, show_text })
    }
}

impl Session<'_> {
    /// Checks that the app exists and is visible to the key's user.
    pub(crate) async fn check_app(&mut self, app: &AppId) -> Result<()> {
        let subject = Subject { doing: format!("read app {app}"), missing: Permanent::AppNotFound };
        self.get(&format!("/apps/{app}"), &subject, |_| Some(())).await
    }

    /// Reads one reload.
    pub(crate) async fn reload(&mut self, id: &ReloadId) -> Result<Reload> {
        let subject = Subject { doing: format!("read reload {id}"), missing: Permanent::ReloadNotFound };
        let reload = self.get(&format!("/reloads/{id}"), &subject, reload::parse).await?;
        Ok(self.readable(reload))
    }

    /// The reloads that `request` may have started at or after `since`, oldest first.
    ///
    /// Qlik has no idempotency key. What remains of a request in its reload is the app, the options, and that an API call started
    /// it. So these may belong to other deliveries, or to other programs that use the API.
    pub(crate) async fn started_since(&mut self, request: &ReloadRequest, since: SystemTime) -> Result<Vec<Reload>> {
        let since = since - CLOCK_SKEW;
        let mut reloads = self.list(&request.app_id, "type eq \"external\"").await?;
        reloads.retain(|reload| {
            reload.kind.as_deref() == Some("external")
                && reload.has_the_options_of(request)
                && reload.created.is_some_and(|created| created >= since)
        });
        reloads.sort_by_key(|reload| reload.created);
        Ok(reloads)
    }

    /// The newest reload of `app` that is queued or running, whoever started it.
    pub(crate) async fn active(&mut self, app: &AppId) -> Result<Option<Reload>> {
        let reloads = self.list(app, "(status eq \"QUEUED\") or (status eq \"RELOADING\")").await?;
        let is_active = |reload: &Reload| matches!(reload.status, Status::Queued | Status::Reloading);
        Ok(reloads.into_iter().find(is_active))
    }

    /// The newest hundred reloads of `app` to which `filter` applies, newest first.
    async fn list(&mut self, app: &AppId, filter: &str) -> Result<Vec<Reload>> {
        let subject = Subject { doing: format!("list the reloads of app {app}"), missing: Permanent::AppNotFound };
        let query = [
            ("appId", app.to_string()),
            ("filter", filter.to_owned()),
            ("sort", "-creationTime".to_owned()),
            ("log", "false".to_owned()),
            ("limit", "100".to_owned()),
        ];
        let url =
            Url::parse_with_params("http://q/reloads", query).expect("a constant URL with encoded parameters is valid");
        let path = format!("/reloads?{}", url.query().unwrap_or_default());
        let reloads = self.get(&path, &subject, reload::parse_page).await?;
        Ok(reloads.into_iter().filter(|reload| reload.app_id == *app).map(|reload| self.readable(reload)).collect())
    }

    /// Requests the reload, once.
    ///
    /// # Errors
    ///
    /// If there was no time or no key; then nothing was sent.
    pub(crate) async fn post(&mut self, request: &ReloadRequest) -> Result<Posted> {
        let app = &request.app_id;
        let subject = Subject { doing: format!("reload app {app}"), missing: Permanent::AppNotFound };
        let body = serde_json::to_vec(request).expect("strings, numbers and booleans can always be written as JSON");
        let answer = match self.call(Method::POST, "/reloads", Some(body)).await? {
            Ok(answer) => answer,
            Err(Lost::Unsent(cause)) => return Ok(Posted::NotStarted(no_connection(&cause))),
            Err(Lost::Unanswered(how)) => {
                return Ok(Posted::InDoubt { error: unanswered(&subject, how), accepted: false });
            }
        };
        if !(200..300).contains(&answer.status) {
            let error = self.refusal(&answer, &subject);
            return Ok(match outcome::of_status(answer.status) {
                Outcome::Unknown => Posted::InDoubt { error, accepted: false },
                Outcome::Refused | Outcome::NotDone => Posted::NotStarted(error),
            });
        }
        let reload = match (&answer.body, answer.status) {
            (Ok(body), 201) => reload::parse(body).filter(|reload| reload.app_id == *app),
            _ => None,
        };
        Ok(match reload {
            Some(reload) => Posted::Started(self.readable(reload)),
            None => Posted::InDoubt { error: unreadable(&answer, &subject), accepted: true },
        })
    }

    /// Waits before the next attempt; returns `error` if it is permanent, or if the attempts or the time are used up.
    pub(crate) async fn again(&self, tried: u32, error: Error, least: Duration) -> Result<()> {
        let Error::Retryable { after, .. } = &error else { return Err(error) };
        if tried >= TRIES {
            return Err(error);
        }
        let wait = pause(tried, *after).max(least);
        tracing::warn!(step = "retry", error = error.name(), reason = %error, seconds = wait.as_secs_f64());
        if self.budget.wait(wait).await { Ok(()) } else { Err(error) }
    }

    async fn get<T>(&mut self, path: &str, subject: &Subject, parse: fn(&[u8]) -> Option<T>) -> Result<T> {
        let mut tried = 1;
        loop {
            let error = match self.call(Method::GET, path, None).await? {
                Ok(answer) if answer.status == 200 => match answer.body.as_deref().ok().and_then(parse) {
                    Some(value) => return Ok(value),
                    None => unreadable(&answer, subject),
                },
                Ok(answer) => self.refusal(&answer, subject),
                Err(Lost::Unsent(cause)) => no_connection(&cause),
                Err(Lost::Unanswered(how)) => unanswered(subject, how),
            };
            self.again(tried, error, Duration::ZERO).await?;
            tried += 1;
        }
    }

    /// One request; after the first 401 of a run the key is read again, and used if it has changed.
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<std::result::Result<Answer, Lost>> {
        loop {
            // The client ends the call in time and reports whether it was sent; nothing around it may cut it off.
            let time = self.budget.for_a_call()?;
            let url = format!("{}/api/v1{path}", self.qlik.base);
            let answer = self.qlik.http.send(method.clone(), &url, &self.key, body.clone(), time).await;
            let status = answer.as_ref().map_or(0, |answer| answer.status);
            tracing::debug!(step = "call", method = method.as_str(), path, status);
            if status != 401 || self.reread {
                return Ok(answer);
            }
            self.reread = true;
            let key = self.budget.spend(self.qlik.keys.reread()).await?;
            if key == self.key {
                return Ok(answer);
            }
            self.key = key;
        }
    }

    /// The error for an unsuccessful status.
    fn refusal(&self, answer: &Answer, subject: &Subject) -> Error {
        let (status, doing) = (answer.status, &subject.doing);
        let detail = self.detail(answer);
        let after = answer.retry_after.as_deref().and_then(|header| retry_after(header, self.budget.now()));
        let permanent = |kind, message| Error::permanent(kind, message);
        match status {
            401 => permanent(
                Permanent::Unauthorized,
                format!(
                    "Qlik rejected the API key ({status}{detail}), even after it was read again; store a valid one as {{\"key\":\"…\"}}"
                ),
            ),
            403 => permanent(
                Permanent::Forbidden,
                format!(
                    "Qlik does not allow the API key's user to {doing} ({status}{detail}); grant that user the right"
                ),
            ),
            404 => permanent(
                subject.missing,
                format!(
                    "could not {doing}: Qlik does not know it ({status}{detail}); check the ID, and that the API key's user may see it"
                ),
            ),
            429 => Error::Retryable {
                kind: Retryable::Throttled,
                message: format!("could not {doing}: Qlik has too many requests ({status}{detail})"),
                after,
            },
            ..300 => permanent(
                Permanent::QlikUnexpected,
                format!(
                    "could not {doing}: Qlik returned {status}, which is unexpected for this call; check QLIK_TENANT_URL"
                ),
            ),
            _ if outcome::of_status(status) != Outcome::Refused => Error::Retryable {
                kind: Retryable::QlikUnavailable,
                message: format!("could not {doing}: Qlik has a problem ({status}{detail})"),
                after,
            },
            300..=399 => permanent(
                Permanent::QlikUnexpected,
                format!(
                    "could not {doing}: Qlik returned a redirect ({status}), which is not followed; check QLIK_TENANT_URL"
                ),
            ),
            _ => permanent(
                Permanent::QlikRefused,
                format!("could not {doing}: Qlik rejected the request ({status}{detail})"),
            ),
        }
    }

    /// The part of Qlik's error body that may be shown: its codes, and up to 512 bytes of its text if that cannot quote variables.
    fn detail(&self, answer: &Answer) -> String {
        let text = String::from_utf8_lossy(answer.body.as_deref().unwrap_or_default());
        let shown = if self.show_text { self.scrubbed(&text) } else { codes(&text).join(" ") };
        if shown.is_empty() { shown } else { format!(": {shown}") }
    }

    /// The reload, with an error text that may be shown.
    fn readable(&self, mut reload: Reload) -> Reload {
        reload.error_message = reload.error_message.map(|text| {
            if self.show_text {
                self.scrubbed(&text)
            } else {
                "Qlik's text is not shown, because it may quote the request's variables".to_owned()
            }
        });
        reload
    }

    fn scrubbed(&self, text: &str) -> String {
        one_line(&scrub(text, Some(self.key.expose())), 512)
    }
}

/// The codes of `{"errors":[{"code":"RELOADS-004",…}]}`.
fn codes(body: &str) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let errors = json["errors"].as_array().cloned().unwrap_or_default();
    let codes = errors.iter().take(5).filter_map(|error| error["code"].as_str());
    codes.filter(|code| is_error_code(code)).map(str::to_owned).collect()
}

/// `RELOADS-004`, `HTTP-401`: capitals, a hyphen, digits.
fn is_error_code(code: &str) -> bool {
    code.len() <= 32
        && code.split_once('-').is_some_and(|(name, number)| {
            name.bytes().all(|byte| byte.is_ascii_uppercase()) && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

fn no_connection(cause: &str) -> Error {
    Error::retryable(Retryable::QlikUnreachable, format!("Qlik could not be reached: {cause}"))
}

fn unanswered(subject: &Subject, how: Broken) -> Error {
    let doing = &subject.doing;
    match how {
        Broken::TimedOut => {
            Error::retryable(Retryable::TimedOut, format!("could not {doing}: Qlik did not respond in time"))
        }
        Broken::Cut => {
            Error::retryable(Retryable::QlikUnavailable, format!("could not {doing}: Qlik closed the connection"))
        }
        Broken::TooLong => {
            Error::retryable(Retryable::QlikUnavailable, format!("could not {doing}: Qlik's response is too long"))
        }
    }
}

fn unreadable(answer: &Answer, subject: &Subject) -> Error {
    match answer.body {
        Err(how) => unanswered(subject, how),
        Ok(_) => Error::retryable(
            Retryable::QlikUnavailable,
            format!("could not {}: Qlik returned {} with a body that is not a reload", subject.doing, answer.status),
        ),
    }
}
