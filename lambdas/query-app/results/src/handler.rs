//! Serves each resource.

use function::{Clock, millis};
use lambda_runtime::LambdaEvent;
use queries::{
    Catalogue, End, Identity, Origins, Request, State, TICKET_SECONDS, Table, Ticket, Unavailable, columns,
    is_request_id, message, write_row,
};
use redshift::{DataApi, Error, Page};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span, warn};

use crate::answer::Answer;
use crate::claims::identity;
use crate::csv;
use crate::route::{Call, Event};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct ResultsApi {
    tenant: String,
    table: Table,
    data: DataApi,
    catalogue: Catalogue,
    origins: Origins,
    clock: Clock,
}

impl ResultsApi {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> ResultsApi {
        let (table, data) = settings.services.open(&clock);
        ResultsApi {
            tenant: settings.tenant,
            table,
            data,
            catalogue: Catalogue::new(&settings.s3, settings.own_queries, clock.clone()),
            origins: settings.origins,
            clock,
        }
    }

    /// Answers one API Gateway REST proxy event (version 1.0).
    ///
    /// # Errors
    ///
    /// Never: the response carries the status.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, std::convert::Infallible> {
        let (event, context) = event.into_parts();
        let span = info_span!("request", tenant = self.tenant, request_id = context.request_id);
        let Ok(event) = serde_json::from_value::<Event>(event) else {
            return Ok(Answer::error(404, "not-found", "there is no such resource").into_event("", &self.origins));
        };
        let answer = self.answer(&event).instrument(span).await;
        Ok(answer.into_event(event.origin(), &self.origins))
    }

    async fn answer(&self, event: &Event) -> Answer {
        let call = match event.call() {
            Ok(call) => call,
            Err(400) => {
                return Answer::error(400, "invalid", "`page` is not the `next` of a previous page");
            }
            Err(405) => return Answer::error(405, "not-allowed", "the resource does not support this method"),
            Err(_) => return Answer::error(404, "not-found", "there is no such resource"),
        };
        if call == Call::Options {
            return Answer::no_content();
        }
        let Some(identity) = identity(&event.request_context.authorizer["claims"]) else {
            return Answer::error(401, "unauthorized", "sign in first");
        };
        let answer = match call {
            Call::Options => Ok(Answer::no_content()),
            Call::Ticket => self.ticket(&identity).await,
            Call::Queries => {
                let queries = self.catalogue.queries().await;
                Ok(Answer::json(200, &json!({"queries": queries.values().collect::<Vec<_>>()})))
            }
            Call::Requests => self.requests(&identity).await,
            Call::State(id) => self.state(&identity, id).await,
            Call::Rows(id, token) => self
                .page(&identity, id, token)
                .await
                .map(|page| page.map_or_else(|refusal| refusal, |page| rows(&page))),
            Call::Csv(id, token) => self.page(&identity, id, token).await.map(|page| match page {
                Ok(page) => Answer::csv(csv::page(&page, token.is_none()), page.next),
                Err(refusal) => refusal,
            }),
        };
        answer.unwrap_or_else(|problem| {
            error!(step = "end", %problem);
            Answer::error(503, "unavailable", "this request cannot be handled now; try again in a moment")
        })
    }

    async fn ticket(&self, identity: &Identity) -> Result<Answer, Unavailable> {
        let ticket = Ticket::new();
        self.table.put_ticket(&ticket, identity).await?;
        info!(step = "ticket");
        Ok(Answer::json(201, &json!({"ticket": ticket.text(), "expiresIn": TICKET_SECONDS})))
    }

    /// The caller's own request with this ID.
    async fn request(&self, identity: &Identity, id: &str) -> Result<Option<Request>, Unavailable> {
        if !is_request_id(id) {
            return Ok(None);
        }
        self.table.request(&Request::key(&identity.owner, id)).await
    }

    async fn state(&self, identity: &Identity, id: &str) -> Result<Answer, Unavailable> {
        let Some(request) = self.request(identity, id).await? else { return Ok(no_request()) };
        Ok(Answer::json(200, &described(&request)))
    }

    /// The caller's requests of the last 24 hours.
    async fn requests(&self, identity: &Identity) -> Result<Answer, Unavailable> {
        let requests = self.table.recent(&identity.owner).await?;
        Ok(Answer::json(200, &json!({"requests": requests.iter().map(described).collect::<Vec<_>>()})))
    }

    /// A page of a result, or the response that there is none.
    async fn page(
        &self,
        identity: &Identity,
        id: &str,
        token: Option<&str>,
    ) -> Result<Result<Page, Answer>, Unavailable> {
        let Some(request) = self.request(identity, id).await? else { return Ok(Err(no_request())) };
        let (State::Ended(End::Finished { .. }), Some(statement)) = (&request.state, &request.statement) else {
            let reason = match &request.state {
                State::Pending | State::Running => {
                    "the query is still running; its result will be available when it has ended"
                }
                State::Ended(_) => "the query ended without a result; run it again",
            };
            return Ok(Err(Answer::error(409, "no-result", reason)));
        };
        let gone = || Answer::error(410, "gone", "the result has expired after 24 hours; run the query again");
        if request.is_gone(millis(self.clock.now())) {
            return Ok(Err(gone()));
        }
        match self.data.page(statement, token.map(str::to_owned)).await {
            // Whoever follows it would read the same page forever.
            Ok(page) if page.next.is_some() && page.next.as_deref() == token => {
                Err(Unavailable("the Data API returned a page whose next page is itself".to_owned()))
            }
            Ok(page) => Ok(Ok(page)),
            Err(Error::Missing(_)) => Ok(Err(gone())),
            Err(Error::Refused(reason)) if token.is_some() => {
                warn!(step = "page", request = request.key, reason);
                Ok(Err(Answer::error(400, "invalid", "`page` is not the `next` of a previous page")))
            }
            Err(Error::Refused(reason) | Error::Unavailable(reason)) => Err(Unavailable(reason)),
        }
    }
}

/// A request as its owner sees it.
fn described(request: &Request) -> Value {
    let mut body = json!({
        "requestId": request.id,
        "query": request.query,
        "parameters": request.values,
        "state": request.state.name(),
        "created": request.created,
    });
    match &request.state {
        State::Ended(End::Finished { rows }) => {
            body["rows"] = json!(rows);
            body["capped"] = json!(message::is_capped(request, *rows));
        }
        State::Ended(End::Failed(failure)) => {
            body["state"] = json!("failed");
            body["code"] = json!(failure.code());
            body["reason"] = json!(failure.reason());
            body["reference"] = json!(request.reference());
        }
        State::Pending | State::Running | State::Ended(End::Cancelled) => {}
    }
    body
}

fn no_request() -> Answer {
    Answer::error(404, "not-found", "you have no such request")
}

fn rows(page: &Page) -> Answer {
    let mut body = format!(r#"{{"columns":{},"rows":["#, columns(&page.columns));
    for (place, row) in page.rows.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        write_row(row, &mut body);
    }
    body.push_str(&format!(r#"],"next":{}}}"#, json!(page.next)));
    Answer::text(200, body)
}
