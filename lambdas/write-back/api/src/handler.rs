//! Turns requests into pages.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use lambda_runtime::{Context, LambdaEvent};
use redshift::DataApi;
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span, warn};
use write_back::{Accepted, Keys, Refusal, Token};

use crate::claim::Claims;
use crate::input::{self, Input, Problems, Values};
use crate::locale::Locale;
use crate::page::{self, Content, Form, LOOK_AGAIN};
use crate::request::{BadRequest, Event, Request};
use crate::settings::Settings;
use crate::submission::{Run, Standing, Submitter, Trouble};

/// The function, for the life of its process.
pub struct QuoteApi {
    keys: Keys,
    submitter: Submitter,
    inputs: Vec<Input>,
    /// The largest body that the form can send.
    body_bytes: usize,
    write_on_click: bool,
    locale: Locale,
    currency: Option<String>,
}

/// A response before it becomes JSON.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    html: String,
}

/// After this time, a waiting page stops refreshing itself.
const GIVE_UP: Duration = Duration::from_secs(15 * 60);

impl QuoteApi {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> QuoteApi {
        let secrets_manager = aws_sdk_secretsmanager::Client::new(&settings.secrets_manager);
        let dynamodb = aws_sdk_dynamodb::Client::new(&settings.dynamodb);
        let redshift_data = aws_sdk_redshiftdata::Client::new(&settings.redshift_data);
        QuoteApi {
            keys: Keys::new(secrets_manager, settings.signing_keys_secret, clock.clone()),
            submitter: Submitter {
                claims: Claims { client: dynamodb, table: settings.claims_table },
                data: DataApi::new(redshift_data, settings.warehouse, clock.clone()),
                inserts: settings.inserts,
                tenant: settings.tenant,
                clock,
            },
            body_bytes: input::most_bytes(&settings.inputs),
            inputs: settings.inputs,
            write_on_click: settings.write_on_click,
            locale: settings.locale,
            currency: settings.currency,
        }
    }

    /// Answers one API Gateway REST proxy event (version 1.0).
    ///
    /// # Errors
    ///
    /// Never: the response carries the status.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Infallible> {
        let (event, context) = event.into_parts();
        let span = info_span!("request", request_id = context.request_id);
        let answer = self.answer(event, &context).instrument(span).await;
        Ok(answer.into_event())
    }

    async fn answer(&self, event: Value, context: &Context) -> Answer {
        // serde's message could quote the event.
        let Ok(event) = serde_json::from_value::<Event>(event) else { return refused(BadRequest::NoSuchPage) };
        let audience = event.request_context.api_id.as_str();
        let run = Run { id: &context.request_id, deadline: context.deadline() };
        match event.request(self.body_bytes) {
            Err(bad) => refused(bad),
            Ok(Request::Options(methods)) => Answer::empty(204).with("Allow", methods),
            Ok(Request::Form { token, is_prefetch, is_head }) => {
                let writes = self.write_on_click && !is_prefetch && !is_head;
                self.get(&token, audience, writes, &run).await.without_body_if(is_head)
            }
            Ok(Request::Submit { token, entered }) => self.post(&token, entered, audience, &run).await,
            Ok(Request::Status { name, is_head }) => self.status(&name).await.without_body_if(is_head),
        }
    }

    async fn get(&self, token: &str, audience: &str, writes: bool, run: &Run<'_>) -> Answer {
        let accepted = match self.accept(token, audience).await {
            Ok(accepted) => accepted,
            Err(refusal) => return refusal,
        };
        // A click can only write the link's own values, so a form with inputs to fill in is shown anyway.
        if writes && input::read(&self.inputs, &BTreeMap::new()).is_ok() {
            return self.write(&accepted, Values::new(), run).await;
        }
        info!(step = "form", submission = shown(&accepted), action = accepted.link.action.name());
        self.form(200, token, &accepted, &BTreeMap::new(), &Problems::new())
    }

    async fn post(&self, token: &str, entered: BTreeMap<String, String>, audience: &str, run: &Run<'_>) -> Answer {
        let accepted = match self.accept(token, audience).await {
            Ok(accepted) => accepted,
            Err(refusal) => return refusal,
        };
        if entered.keys().any(|name| self.inputs.iter().all(|input| input.name != *name)) {
            return refused(BadRequest::Fields);
        }
        match input::read(&self.inputs, &entered) {
            Ok(values) => self.write(&accepted, values, run).await,
            Err(problems) => {
                info!(step = "form", submission = shown(&accepted), problems = problems.len());
                self.form(400, token, &accepted, &entered, &problems)
            }
        }
    }

    /// The token's link, or the response that refuses it.
    async fn accept(&self, token: &str, audience: &str) -> Result<Accepted, Answer> {
        let decoded = Token::decode(token).map_err(refuse)?;
        let key = self.keys.verifying(decoded.kid()).await.map_err(|reason| {
            error!(step = "key", %reason);
            unavailable()
        })?;
        let key = key.ok_or_else(|| refuse(Refusal::Rejected))?;
        let now = millis(self.submitter.clock.now()) / 1000;
        decoded.accept(&key, &self.submitter.tenant, audience, now).map_err(refuse)
    }

    async fn write(&self, accepted: &Accepted, values: Values, run: &Run<'_>) -> Answer {
        info!(step = "received", submission = shown(accepted), action = accepted.link.action.name());
        let name = accepted.submission.name();
        match self.submitter.submit(accepted, values, run).await {
            // The page is at `/quote`, so the address is relative to its folder.
            Ok(standing) => self.respond(standing, &format!("quote/status?s={name}")),
            Err(trouble) => troubled(trouble),
        }
    }

    async fn status(&self, name: &str) -> Answer {
        let is_name = name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_name {
            return no_submission();
        }
        match self.submitter.standing(name).await {
            Ok(Some(standing)) => self.respond(standing, &format!("status?s={name}")),
            Ok(None) => no_submission(),
            Err(trouble) => troubled(trouble),
        }
    }

    fn respond(&self, standing: Standing, status_address: &str) -> Answer {
        match standing {
            Standing::Finished(entry) => Answer::page(200, &Content::Finished(&entry)),
            Standing::Running { since } if is_over(since, self.submitter.clock.now()) => notice(
                202,
                "Still writing the quote",
                "The database has been working on it for a quarter of an hour. Open this page again later, or contact the operators of the database.",
            ),
            Standing::Running { .. } => {
                Answer::page(202, &Content::Running { status_address }).with("Retry-After", &LOOK_AGAIN.to_string())
            }
            Standing::Interrupted => notice(
                503,
                "Not written yet",
                "The write was interrupted. Open the link in the dashboard again; the quote is only written once.",
            ),
            Standing::Failed => notice(
                502,
                "The quote was not written",
                "The database rejected it. Use the link again; the quote is only written once. If that also fails, contact the operators of the dashboard.",
            ),
            Standing::Changed => notice(
                409,
                "The quote was not written",
                "The data has changed since the dashboard showed this link. Reload the dashboard and use its new link.",
            ),
            Standing::Forgotten => notice(
                503,
                "No longer known",
                "The database no longer knows whether it wrote the quote. Look at the history in the dashboard, or use the link again; the quote is only written once.",
            ),
        }
    }

    fn form(
        &self,
        status: u16,
        token: &str,
        accepted: &Accepted,
        entered: &BTreeMap<String, String>,
        problems: &Problems,
    ) -> Answer {
        let form = Form {
            token,
            link: &accepted.link,
            inputs: &self.inputs,
            entered,
            problems,
            locale: &self.locale,
            currency: self.currency.as_deref(),
        };
        Answer::page(status, &Content::Form(form))
    }
}

/// What a log may contain about a submission.
fn shown(accepted: &Accepted) -> String {
    accepted.submission.name()[..8].to_owned()
}

fn is_over(since: SystemTime, now: SystemTime) -> bool {
    now.duration_since(since).is_ok_and(|age| age > GIVE_UP)
}

/// One response for everything that can be wrong with a token, so that nobody learns what it is.
fn refuse(refusal: Refusal) -> Answer {
    warn!(step = "refused", reason = ?refusal);
    match refusal {
        Refusal::Rejected => notice(
            403,
            "This link is not valid",
            "Open the dashboard and use the link there. If that also fails, contact the operators of the dashboard.",
        ),
        Refusal::Expired => notice(410, "This link is too old", "Open or reload the dashboard and use its new link."),
    }
}

fn refused(bad: BadRequest) -> Answer {
    warn!(step = "refused", reason = ?bad);
    match bad {
        BadRequest::NoSuchPage => notice(404, "No such page", "There is nothing at this address."),
        BadRequest::Method(allowed) => {
            notice(405, "Not possible", "This page does not support this kind of request.").with("Allow", allowed)
        }
        BadRequest::BodyTooLong => notice(413, "Too much", "The input is too long for this form."),
        BadRequest::AddressTooLong => {
            notice(414, "Address too long", "This address is too long to be one of our links.")
        }
        BadRequest::MediaType => notice(415, "Not a form", "This page only accepts what its own form sends."),
        BadRequest::Fields => notice(400, "Wrong form", "The request has fields that the form does not have."),
    }
}

fn troubled(trouble: Trouble) -> Answer {
    error!(step = "trouble", reason = ?trouble);
    match trouble {
        Trouble::Service(_) => unavailable(),
        Trouble::Busy(_) => notice(
            503,
            "The database is not ready",
            "Nothing is lost. Reload this page in a minute; the quote is only written once.",
        )
        .with("Retry-After", "30"),
        Trouble::Refused(_) => notice(
            502,
            "The quote was not written",
            "The database does not accept it. Contact the operators of the dashboard; this link can be used again afterwards.",
        ),
    }
}

fn unavailable() -> Answer {
    let sentence = "A required service is not available. Reload this page in a minute; the quote is only written once.";
    notice(503, "Not available now", sentence).with("Retry-After", "30")
}

fn no_submission() -> Answer {
    notice(404, "Nothing known", "No quote was submitted at this address, or its record has expired.")
}

fn notice(status: u16, heading: &str, sentence: &str) -> Answer {
    Answer::page(status, &Content::Notice { heading, sentence })
}

impl Answer {
    fn page(status: u16, content: &Content<'_>) -> Answer {
        let mut random = [0; 16];
        // Without random bytes no style is allowed; a page works without it.
        let nonce = match getrandom::fill(&mut random) {
            Ok(()) => hex::encode(random),
            Err(_) => String::new(),
        };
        let style = if nonce.is_empty() { "'none'".to_owned() } else { format!("'nonce-{nonce}'") };
        let policy = format!(
            "default-src 'none'; style-src {style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let html = page::render(content, &nonce);
        let headers =
            vec![("Content-Type", "text/html; charset=utf-8".to_owned()), ("Content-Security-Policy", policy)];
        Answer { status, headers, html }
    }

    fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), html: String::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without_body_if(mut self, is_head: bool) -> Answer {
        if is_head {
            self.html.clear();
        }
        self
    }

    fn into_event(self) -> Value {
        let mut headers = json!({
            // The address contains the token.
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Strict-Transport-Security": "max-age=63072000",
        });
        for (name, value) in self.headers {
            headers[name] = json!(value);
        }
        json!({"statusCode": self.status, "headers": headers, "body": self.html, "isBase64Encoded": false})
    }
}
