//! Requests in, pages out.

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
use crate::submission::{Desk, Run, Standing, Trouble};

/// The function, for the life of its process.
pub struct Handler {
    keys: Keys,
    desk: Desk,
    inputs: Vec<Input>,
    write_on_click: bool,
    locale: Locale,
    currency: Option<String>,
}

/// An answer before it is JSON.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    html: String,
}

/// After this a page that waits stops looking again by itself.
const GIVE_UP: Duration = Duration::from_secs(15 * 60);

impl Handler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> Handler {
        let secrets_manager = aws_sdk_secretsmanager::Client::new(&settings.secrets_manager);
        let dynamodb = aws_sdk_dynamodb::Client::new(&settings.dynamodb);
        let redshift_data = aws_sdk_redshiftdata::Client::new(&settings.redshift_data);
        Handler {
            keys: Keys::new(secrets_manager, settings.signing_keys_secret, clock.clone()),
            desk: Desk {
                claims: Claims { client: dynamodb, table: settings.claims_table },
                data: DataApi::new(redshift_data, settings.warehouse, clock.clone()),
                inserts: settings.inserts,
                tenant: settings.tenant,
                clock,
            },
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
    /// Never: the answer carries the status.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Infallible> {
        let (event, context) = event.into_parts();
        let span = info_span!("request", request_id = context.request_id);
        let answer = self.answer(event, &context).instrument(span).await;
        Ok(answer.into_event())
    }

    async fn answer(&self, event: Value, context: &Context) -> Answer {
        // serde's message could quote what came.
        let Ok(event) = serde_json::from_value::<Event>(event) else { return refused(BadRequest::NoSuchPage) };
        let audience = event.request_context.api_id.as_str();
        let run = Run { id: &context.request_id, deadline: context.deadline() };
        match event.request() {
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
        // A click can only write what the link says, so a form with something to fill in is shown all the same.
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

    /// The token's link, or the answer that refuses it.
    async fn accept(&self, token: &str, audience: &str) -> Result<Accepted, Answer> {
        let decoded = Token::decode(token).map_err(refuse)?;
        let key = self.keys.verifying(decoded.kid()).await.map_err(|reason| {
            error!(step = "key", %reason);
            unavailable()
        })?;
        let key = key.ok_or_else(|| refuse(Refusal::Rejected))?;
        let now = millis(self.desk.clock.now()) / 1000;
        decoded.accept(&key, &self.desk.tenant, audience, now).map_err(refuse)
    }

    async fn write(&self, accepted: &Accepted, values: Values, run: &Run<'_>) -> Answer {
        info!(step = "received", submission = shown(accepted), action = accepted.link.action.name());
        let name = accepted.submission.name();
        match self.desk.submit(accepted, values, run).await {
            // The page is at `/quote`, so the address is relative to its folder.
            Ok(standing) => self.stands(standing, &format!("quote/status?s={name}")),
            Err(trouble) => troubled(trouble),
        }
    }

    async fn status(&self, name: &str) -> Answer {
        let is_name = name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_name {
            return no_submission();
        }
        match self.desk.standing(name).await {
            Ok(Some(standing)) => self.stands(standing, &format!("status?s={name}")),
            Ok(None) => no_submission(),
            Err(trouble) => troubled(trouble),
        }
    }

    fn stands(&self, standing: Standing, status_address: &str) -> Answer {
        match standing {
            Standing::Finished(entry) => Answer::page(200, &Content::Finished(&entry)),
            Standing::Running { since } if is_over(since, self.desk.clock.now()) => notice(
                202,
                "Still writing the quote",
                "The database has not finished for a quarter of an hour. Look at this page again later, or ask whoever runs the database.",
            ),
            Standing::Running { .. } => {
                Answer::page(202, &Content::Running { status_address }).with("Retry-After", &LOOK_AGAIN.to_string())
            }
            Standing::Interrupted => notice(
                503,
                "Not written yet",
                "The write was interrupted. Open the link in the dashboard once more; the quote is written only once.",
            ),
            Standing::Failed => notice(
                502,
                "The quote was not written",
                "The database refused it. Open the dashboard again and use its new link; if that fails too, ask whoever runs the dashboard.",
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

/// What a log may say of a submission.
fn shown(accepted: &Accepted) -> String {
    accepted.submission.name()[..8].to_owned()
}

fn is_over(since: SystemTime, now: SystemTime) -> bool {
    now.duration_since(since).is_ok_and(|age| age > GIVE_UP)
}

/// One answer for whatever may be wrong with a token, so that nobody learns what.
fn refuse(refusal: Refusal) -> Answer {
    warn!(step = "refused", reason = ?refusal);
    match refusal {
        Refusal::Rejected => notice(
            403,
            "This link is not valid",
            "Open the dashboard and use the link there. If that fails too, ask whoever runs the dashboard.",
        ),
        Refusal::Expired => {
            notice(410, "This link is too old", "Open the dashboard again, or reload it, and use its new link.")
        }
    }
}

fn refused(bad: BadRequest) -> Answer {
    warn!(step = "refused", reason = ?bad);
    match bad {
        BadRequest::NoSuchPage => notice(404, "No such page", "There is nothing at this address."),
        BadRequest::Method(allowed) => {
            notice(405, "Not possible", "This page cannot be asked in this way.").with("Allow", allowed)
        }
        BadRequest::BodyTooLong => notice(413, "Too much", "What was sent is too long for this form."),
        BadRequest::AddressTooLong => notice(414, "Address too long", "This address is longer than any link here."),
        BadRequest::MediaType => notice(415, "Not a form", "This page takes what its form sends, and nothing else."),
        BadRequest::Fields => notice(400, "Not this form", "What was sent has fields that the form does not have."),
    }
}

fn troubled(trouble: Trouble) -> Answer {
    error!(step = "trouble", reason = ?trouble);
    match trouble {
        Trouble::Service(_) => unavailable(),
        Trouble::Busy(_) => notice(
            503,
            "The database is not ready",
            "Nothing is lost: reload this page in a minute, and the quote is written once.",
        )
        .with("Retry-After", "30"),
        Trouble::Refused(_) => notice(
            502,
            "The quote was not written",
            "The database does not take it. Ask whoever runs the dashboard; this link can be used again afterwards.",
        ),
    }
}

fn unavailable() -> Answer {
    let sentence = "Something needed is not available. Reload this page in a minute; the quote is written only once.";
    notice(503, "Not available now", sentence).with("Retry-After", "30")
}

fn no_submission() -> Answer {
    notice(404, "Nothing known", "No quote was submitted under this address, or it was too long ago.")
}

fn notice(status: u16, heading: &str, sentence: &str) -> Answer {
    Answer::page(status, &Content::Notice { heading, sentence })
}

impl Answer {
    fn page(status: u16, content: &Content<'_>) -> Answer {
        let mut random = [0; 16];
        // Without random bytes no style is allowed, which a page can do without.
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
            // The address has the token in it.
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
