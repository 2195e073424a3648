//! Begins a request and submits its statement to Redshift.

use std::time::Duration;

use function::millis;
use queries::{
    Begun, Bound, Cause, Connection, End, Failure, Identity, Posted, Request, State, Unavailable, message,
    statement_prefix,
};
use redshift::{Statement, SubmitError};
use tracing::{info, warn};

use crate::event::Run;
use crate::handler::{QuerySocket, Reply, unknown};

/// After this time, a run that was to submit a request is dead: API Gateway waits 29 seconds.
const HANDED_IN: Duration = Duration::from_secs(30);

impl QuerySocket {
    /// Runs a query, once however often the message arrives.
    pub(crate) async fn run(&self, run: &Run, identity: &Identity, connection: &str) -> Reply {
        let refused = |code: &str, reason: &str| Ok(Some(message::error(Some(&run.request_id), code, reason)));
        let queries = self.catalogue.queries().await;
        let Some(query) = queries.get(&run.query) else {
            return refused("unknown-query", "there is no query of this name; see the list of queries");
        };
        let bound = match query.bind(&self.schema, &run.parameters, self.max_rows) {
            Ok(bound) => bound,
            Err(reason) => return refused("invalid", &reason),
        };
        let now = millis(self.clock.now());
        let request = Request::new(&identity.owner, &run.request_id, &query.name, &bound, self.max_rows, now);
        let waiting = Connection { id: connection.to_owned(), until: identity.until };
        match self.delivery.table.begin(&request, &waiting, &self.limits).await? {
            Begun::New(request) => {
                info!(step = "begin", request = request.key, query = query.name);
                // Before Redshift receives it, so that no part of the result can be faster.
                match self.delivery.connections.post(connection, &message::accepted(&run.request_id)).await? {
                    Posted::Gone => {
                        self.delivery.table.leave(connection).await?;
                        let alone = Request { connection: None, ..*request };
                        self.delivery.table.end(&alone, &End::Cancelled).await.map(|_| None)
                    }
                    Posted::Sent | Posted::TooLarge => self.hand_in(&request, &bound).await,
                }
            }
            Begun::Known => self.again(&request, &bound, identity, &waiting).await,
            Begun::Gone => Ok(Some(message::expired())),
            Begun::Concurrent => {
                let most = self.limits.concurrent;
                let reason = format!(
                    "you already have {most} running queries, the most allowed; wait for one to end, or cancel it"
                );
                refused("too-many", &reason)
            }
            Begun::Minute => {
                let most = self.limits.per_minute;
                let reason = format!(
                    "you already started {most} queries in this minute, the most allowed; wait for the next minute"
                );
                refused("too-many", &reason)
            }
        }
    }

    /// The same request again: submitted again if the run that was to do it died, otherwise resumed from its beginning.
    async fn again(&self, request: &Request, bound: &Bound, identity: &Identity, waiting: &Connection) -> Reply {
        let Some(standing) = self.delivery.table.request(&request.key).await? else {
            return Ok(Some(unknown(&request.id)));
        };
        if standing.fingerprint != request.fingerprint {
            let reason = "this `requestId` was used for a different query or different values; create a new one for each request";
            return Ok(Some(message::error(Some(&request.id), "invalid", reason)));
        }
        let reply = self.resume(&request.id, -1, identity, waiting).await?;
        let age = millis(self.clock.now()).saturating_sub(standing.created);
        if standing.state == State::Pending && standing.statement.is_none() && age > HANDED_IN.as_millis() as u64 {
            warn!(step = "again", request = standing.key, "the request was never submitted");
            let bound_here = Request { connection: Some(waiting.clone()), ..standing };
            return Ok(self.hand_in(&bound_here, bound).await?.or(reply));
        }
        Ok(reply)
    }

    /// Submits a request. The same request twice is the same statement, because of its client token.
    async fn hand_in(&self, request: &Request, bound: &Bound) -> Reply {
        let name = format!("{}{}", statement_prefix(&self.tenant), request.key);
        let statement = Statement {
            sql: &bound.sql,
            parameters: bound.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect(),
            name: Some(&name),
            client_token: Some(&request.key),
        };
        let failure = match self.delivery.data.submit(&statement).await {
            Ok(id) => {
                info!(step = "submitted", request = request.key, statement = %id);
                self.note(request, &id).await;
                return Ok(None);
            }
            Err(SubmitError::Refused(reason)) => {
                warn!(step = "refused", request = request.key, reason);
                Failure::Failed
            }
            Err(SubmitError::Unavailable(reason) | SubmitError::Retryable(reason)) => {
                warn!(step = "unavailable", request = request.key, reason);
                Failure::Unavailable
            }
        };
        self.delivery.table.end(request, &End::Failed(failure)).await?;
        Ok(Some(message::failed(request, failure)))
    }

    /// Records the statement. If that fails, the statement's event still contains its ID.
    async fn note(&self, request: &Request, id: &redshift::StatementId) {
        let noted: Result<(), Unavailable> = async {
            match self.delivery.table.running(&request.key, id).await? {
                // It was cancelled before Redshift had it.
                Some(Request { cancelled: Some(_), .. }) => self.delivery.cancel(&request.key, Cause::Asked).await,
                _ => Ok(()),
            }
        }
        .await;
        if let Err(problem) = noted {
            warn!(step = "note", request = request.key, %problem);
        }
    }
}
