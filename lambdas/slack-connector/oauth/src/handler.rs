//! Turns events into pages.

use function::Clock;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tracing::{Instrument, error, info_span, warn};

use crate::digest::Random;
use crate::error::{Error, Kind, Result};
use crate::install::{Denial, Installer};
use crate::link::{Purpose, Refusal};
use crate::page::{self, Content, Question};
use crate::request::{BadRequest, COOKIE, Callback, Event, Request};
use crate::settings::Settings;
use crate::slack::{Http, Slack};
use crate::table::{STATE_LIFE, Table};
use crate::vault::Vault;

/// The function, for the life of its process.
pub struct InstallationApi {
    installer: Installer,
    /// Where the form that continues to Slack may lead, in a Content-Security-Policy.
    slack_pages: String,
}

/// A response before it becomes JSON.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    cookie: Option<String>,
    html: String,
}

impl InstallationApi {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> InstallationApi {
        let slack_pages = if settings.local {
            settings.slack.clone()
        } else {
            // The consent page redirects the browser to the organization's own address.
            format!("{} https://*.slack.com", settings.slack)
        };
        let installer = Installer {
            tenant: settings.tenant,
            admins: settings.admins,
            table: Table {
                client: aws_sdk_dynamodb::Client::new(&settings.dynamodb),
                name: settings.state_table,
                clock: clock.clone(),
            },
            vault: Vault {
                client: aws_sdk_secretsmanager::Client::new(&settings.secrets_manager),
                start_key: settings.start_key_secret,
                client_secret: settings.client_secret_secret,
                token: settings.token_secret,
                clock: clock.clone(),
                kept: Mutex::new(None),
            },
            slack: Slack {
                base: settings.slack,
                http: Http::new(settings.local),
                client_id: settings.client_id,
                redirect_url: settings.redirect_url,
                enterprise_id: settings.enterprise_id,
                clock: clock.clone(),
            },
            clock,
        };
        InstallationApi { installer, slack_pages }
    }

    /// Handles one event: an HTTP API's request (payload format 2.0), or the schedule's `{"refresh":true}`.
    ///
    /// # Errors
    ///
    /// For a refresh, whenever a token that is due was not renewed; the error's kind is Lambda's `errorType`. For a request, never:
    /// the response carries the status.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        async {
            if event.get("requestContext").is_some() {
                return Ok(self.answer(event).await.into_event());
            }
            match event == json!({ "refresh": true }) {
                true => self.installer.refresh().await,
                false => Err(Error::new(Kind::InvalidEvent, "the event is neither a request nor {\"refresh\":true}")),
            }
        }
        .instrument(span)
        .await
    }

    async fn answer(&self, event: Value) -> Answer {
        // serde's message could quote the event.
        let Ok(event) = serde_json::from_value::<Event>(event) else { return refused(BadRequest::NoSuchPage) };
        match event.request() {
            Err(bad) => refused(bad),
            Ok(Request::Ask(purpose, token)) => self.ask(purpose, &token).await.unwrap_or_else(denied),
            Ok(Request::Confirm(Purpose::Install, token)) => self.install(&token).await.unwrap_or_else(denied),
            Ok(Request::Confirm(Purpose::Revoke, token)) => self.revoke(&token).await.unwrap_or_else(denied),
            Ok(Request::Callback(callback)) => self.call_back(&callback).await,
        }
    }

    async fn call_back(&self, callback: &Callback) -> Answer {
        let answer = match self.installer.finish(callback).await {
            Ok(organization) => installed(&organization),
            // An invented state must not end a consent that this browser has started.
            Err(Denial::NotStarted) => return denied(Denial::NotStarted),
            Err(denial) => denied(denial),
        };
        // Whatever the outcome, the cookie is no longer needed.
        Answer { cookie: Some(cookie("", 0)), ..answer }
    }

    async fn ask(&self, purpose: Purpose, token: &str) -> std::result::Result<Answer, Denial> {
        let link = self.installer.accept(purpose, token).await?;
        let question = Question {
            purpose,
            token,
            admin: &link.admin,
            tenant: &self.installer.tenant,
            enterprise_id: &self.installer.slack.enterprise_id,
        };
        let forms = match purpose {
            Purpose::Install => format!("'self' {}", self.slack_pages),
            Purpose::Revoke => "'self'".to_owned(),
        };
        Ok(Answer::page(200, &Content::Question(question), &forms))
    }

    async fn install(&self, token: &str) -> std::result::Result<Answer, Denial> {
        let link = self.installer.accept(Purpose::Install, token).await?;
        let started = self.installer.begin(&link).await?;
        let cookie = cookie(&started.browser.text(), STATE_LIFE.as_secs());
        Ok(Answer {
            status: 303,
            headers: vec![("Location", started.address)],
            cookie: Some(cookie),
            html: String::new(),
        })
    }

    async fn revoke(&self, token: &str) -> std::result::Result<Answer, Denial> {
        let link = self.installer.accept(Purpose::Revoke, token).await?;
        Ok(if self.installer.revoke(&link).await? {
            done("Slack is disconnected", "The token was revoked at Slack and deleted here. You may close this page.")
        } else {
            done("Slack was not connected", "There was no token to revoke. You may close this page.")
        })
    }
}

fn cookie(value: &str, seconds: u64) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

fn installed(organization: &str) -> Answer {
    let name = if organization.is_empty() { "Your organization" } else { organization };
    done("Slack is connected", &format!("{name} can be queried now. You may close this page."))
}

/// One response for everything that can be wrong with a link, so that nobody learns what it is.
fn denied(denial: Denial) -> Answer {
    let new_link = "Ask the operators of this system for a new link.";
    match denial {
        Denial::Link(Refusal::Rejected) => {
            warn!(step = "refused", reason = "link");
            problem(403, "This link is not valid", new_link)
        }
        Denial::Link(Refusal::Expired) => {
            warn!(step = "refused", reason = "expired");
            problem(410, "This link is too old", new_link)
        }
        Denial::Used => {
            warn!(step = "refused", reason = "used");
            problem(410, "This link has already been used", new_link)
        }
        Denial::NotStarted => {
            warn!(step = "refused", reason = "state");
            not_started()
        }
        Denial::Failed(failure) => failed(&failure),
    }
}

fn failed(failure: &Error) -> Answer {
    error!(step = "failed", error = failure.name(), reason = %failure);
    let sentence = page::sentence(&failure.message);
    match failure.kind {
        Kind::SlackRefused | Kind::WrongInstallation => problem(400, "Slack was not connected", &sentence),
        Kind::SlackUnavailable => problem(502, "Slack did not respond", &sentence),
        Kind::Overtaken => problem(409, "Another change came first", &sentence),
        Kind::Busy => problem(503, "Not now", &sentence),
        // Internal problems are only reported in the log.
        Kind::SecretUnavailable | Kind::TableUnavailable | Kind::InvalidEvent => problem(
            503,
            "Not available now",
            "A required service is not available; the function's log has the details. Try again later, with a new link if this one was used.",
        ),
    }
}

fn refused(bad: BadRequest) -> Answer {
    warn!(step = "refused", reason = ?bad);
    match bad {
        BadRequest::NoSuchPage => problem(404, "No such page", "There is nothing at this address."),
        BadRequest::Method(allowed) => {
            let mut answer = problem(405, "Not possible", "This page does not support this kind of request.");
            answer.headers.push(("Allow", allowed.to_owned()));
            answer
        }
        BadRequest::TooLong => problem(413, "Too much", "The request is longer than this page accepts."),
        BadRequest::MediaType => problem(415, "Not a form", "This page only accepts what its own form sends."),
        BadRequest::StartedElsewhere => problem(
            400,
            "Start with a start link",
            "This installation was started at Slack, so it is unknown who requested it, and nothing was stored. Ask the operators of this system for a start link and install from there.",
        ),
        BadRequest::NotOurs => not_started(),
        BadRequest::Fields => {
            problem(400, "Not understood", "The address or the form does not have the expected fields.")
        }
    }
}

fn not_started() -> Answer {
    problem(
        400,
        "Not started here",
        "This installation was not started in this browser within the last ten minutes, or it has already finished. Nothing was changed. Ask the operators of this system for a new start link.",
    )
}

fn done(heading: &str, sentence: &str) -> Answer {
    Answer::page(200, &Content::Done { heading, sentence }, "'none'")
}

fn problem(status: u16, heading: &str, sentence: &str) -> Answer {
    Answer::page(status, &Content::Problem { heading, sentence }, "'none'")
}

impl Answer {
    /// A page whose forms may lead to `forms`, written as in a Content-Security-Policy.
    fn page(status: u16, content: &Content<'_>, forms: &str) -> Answer {
        let nonce = Random::new().text();
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
        );
        let headers =
            vec![("Content-Type", "text/html; charset=utf-8".to_owned()), ("Content-Security-Policy", policy)];
        Answer { status, headers, cookie: None, html: page::render(content, &nonce) }
    }

    fn into_event(self) -> Value {
        let mut headers = json!({
            // The address contains a link's token or a code.
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Strict-Transport-Security": "max-age=63072000",
        });
        for (name, value) in self.headers {
            headers[name] = json!(value);
        }
        json!({
            "statusCode": self.status,
            "headers": headers,
            "cookies": self.cookie.into_iter().collect::<Vec<_>>(),
            "body": self.html,
            "isBase64Encoded": false,
        })
    }
}
