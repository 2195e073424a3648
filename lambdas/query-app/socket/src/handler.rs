//! Distinguishes API Gateway's events.

use function::{Clock, millis};
use lambda_runtime::LambdaEvent;
use queries::{
    Catalogue, Cause, Connection, Delivery, Error, Identity, Limits, Origins, RESUMES_PER_MINUTE, Request, State,
    Unavailable, is_request_id, message,
};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::authorizer::authorize;
use crate::event::{Context, Event, Message};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct QuerySocket {
    pub(crate) delivery: Delivery,
    pub(crate) catalogue: Catalogue,
    pub(crate) tenant: String,
    pub(crate) schema: String,
    pub(crate) max_rows: u32,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    origins: Origins,
}

/// The outcome of a message: a reply, or none.
pub(crate) type Reply = Result<Option<String>, Unavailable>;

/// A close by the page itself, <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>.
const NORMAL_CLOSURE: u64 = 1000;

impl QuerySocket {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> QuerySocket {
        QuerySocket {
            delivery: Delivery::new(settings.services, &settings.connections, &clock),
            catalogue: Catalogue::new(&settings.s3, settings.own_queries, clock.clone()),
            tenant: settings.tenant,
            schema: settings.schema,
            max_rows: settings.max_rows,
            limits: settings.limits,
            clock,
            origins: settings.origins,
        }
    }

    /// Handles one event of the WebSocket API or of its authorizer, or `{"sweep":true}`. Messages to a browser are sent to its connection, not in the
    /// response.
    ///
    /// # Errors
    ///
    /// If the event is none of these, or a service failed before the browser could be informed.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let (event, context) = event.into_parts();
        let span = info_span!("event", request_id = context.request_id);
        let answer = async {
            if event["sweep"] == true {
                return Ok(self.sweep(context.deadline()).await?);
            }
            // serde's message could quote the event.
            let event = serde_json::from_value::<Event>(event);
            let allowed = r#"must be {"sweep":true} or an event of a WebSocket API or of its authorizer"#;
            let event = event.map_err(|_| Error::UnknownEvent(allowed.to_owned()))?;
            Ok(self.answer(event).await?)
        };
        answer.instrument(span).await.inspect_err(|reason| error!(step = "end", %reason))
    }

    async fn answer(&self, event: Event) -> Result<Value, Unavailable> {
        let table = &self.delivery.table;
        if event.kind.as_deref() == Some("REQUEST") {
            return authorize(&event, table, &self.origins).await;
        }
        let context = &event.request_context;
        let connection = context.connection_id.as_deref().unwrap_or_default();
        match context.event_type.as_deref() {
            Some("CONNECT") => {
                let Some(identity) = context.identity() else { return Ok(json!({"statusCode": 401})) };
                table.put_connection(connection, &identity).await?;
                info!(step = "connect", connection);
            }
            Some("DISCONNECT") => self.disconnect(context, connection).await?,
            _ => self.hear(&event, connection).await?,
        }
        Ok(json!({"statusCode": 200}))
    }

    async fn disconnect(&self, context: &Context, connection: &str) -> Result<(), Unavailable> {
        let left = self.delivery.table.leave(connection).await?;
        let code = context.disconnect_status_code;
        info!(step = "disconnect", connection, code, left = left.len());
        if code == Some(NORMAL_CLOSURE) {
            for request in left {
                self.delivery.cancel(&request.key, Cause::Alone).await?;
            }
        }
        Ok(())
    }

    /// Handles a browser's message. A user who is no longer signed in gets this as the answer, whatever the message.
    async fn hear(&self, event: &Event, connection: &str) -> Result<(), Unavailable> {
        let now = millis(self.clock.now()) / 1000;
        let identity = self.delivery.table.connection(connection).await?.filter(|identity| now < identity.until);
        let Some(identity) = identity else {
            info!(step = "expired", connection);
            return self.delivery.expire(connection).await;
        };
        let (id, reply) = match event.message() {
            None => {
                let reason = "the message is unknown; must have the action run, cancel, resume or ping, as JSON of at most 16 KB";
                (None, Ok(Some(message::error(None, "invalid", reason))))
            }
            Some(Message::Ping) => (None, Ok(Some(message::pong()))),
            Some(
                Message::Run(crate::event::Run { request_id, .. })
                | Message::Cancel { request_id }
                | Message::Resume { request_id, .. },
            ) if !is_request_id(&request_id) => {
                let reason = "`requestId` is not a UUID in lower case; create a new one for each request";
                (None, Ok(Some(message::error(None, "invalid", reason))))
            }
            Some(Message::Run(run)) => (Some(run.request_id.clone()), self.run(&run, &identity, connection).await),
            Some(Message::Cancel { request_id }) => {
                let reply = self.cancel(&request_id, &identity).await;
                (Some(request_id), reply)
            }
            Some(Message::Resume { request_id, seq }) => {
                let waiting = Connection { id: connection.to_owned(), until: identity.until };
                let reply = self.resume(&request_id, seq, &identity, &waiting).await;
                (Some(request_id), reply)
            }
        };
        let reply = reply.unwrap_or_else(|problem| {
            error!(step = "message", %problem);
            let reason = "the request could not be handled now; try again in a moment";
            Some(message::error(id.as_deref(), "unavailable", reason))
        });
        if let Some(reply) = reply
            && self.delivery.connections.post(connection, &reply).await? == queries::Posted::Gone
        {
            self.delivery.table.leave(connection).await?;
        }
        Ok(())
    }

    async fn cancel(&self, id: &str, identity: &Identity) -> Reply {
        match self.delivery.table.request(&Request::key(&identity.owner, id)).await? {
            None => Ok(Some(unknown(id))),
            Some(Request { open: false, .. }) => {
                Ok(Some(message::error(Some(id), "ended", "the request has already ended; its end was reported")))
            }
            Some(request) => {
                self.delivery.cancel(&request.key, Cause::Asked).await?;
                Ok(None)
            }
        }
    }

    /// Binds a request to this connection, and sends what it has not received yet: the parts of a result after `seq`.
    pub(crate) async fn resume(&self, id: &str, seq: i32, identity: &Identity, waiting: &Connection) -> Reply {
        let key = Request::key(&identity.owner, id);
        // A missing request must not even be bound to this connection.
        if self.delivery.table.request(&key).await?.is_none() {
            return Ok(Some(unknown(id)));
        }
        if !self.delivery.table.count_resume(&identity.owner).await? {
            let reason = format!(
                "you already resumed {RESUMES_PER_MINUTE} times in this minute, the most allowed; wait for the next minute"
            );
            return Ok(Some(message::error(Some(id), "too-many", &reason)));
        }
        let Some(request) = self.delivery.table.bind(&key, waiting, seq.max(-1).into()).await? else {
            return Ok(Some(unknown(id)));
        };
        info!(step = "resume", request = request.key, state = request.state.name());
        match &request.state {
            State::Ended(end) => {
                let messages = self.delivery.messages(&request, end, None).await?;
                self.delivery.send(&request, &messages, waiting).await?;
                Ok(None)
            }
            // The run that reports its end finds this connection.
            State::Pending | State::Running => Ok(Some(message::accepted(id))),
        }
    }
}

pub(crate) fn unknown(id: &str) -> String {
    message::error(
        Some(id),
        "unknown-request",
        "you have no such request, or it is older than two days; run the query again",
    )
}
