//! Begins a request and submits its statement to Redshift.

use function::millis;
use queries::{
    Bound, Cause, Connection, End, Failure, Identity, Posted, Request, Started, Unavailable, message, statement_prefix,
};
use redshift::{Statement, SubmitError};
use tracing::{info, warn};

use crate::event::Run;
use crate::handler::{QuerySocket, Reply, unknown};

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
            Started::New(request) => {
                info!(step = "begin", request = request.key, query = query.name);
                // Before Redshift receives it, so that no part of the result can be faster.
                match self.delivery.connections.post(connection, &message::accepted(&run.request_id)).await {
                    Ok(Posted::Gone) => {
                        self.delivery.table.leave(connection).await?;
                        let alone = Request { connection: None, ..*request };
                        return self.delivery.table.end(&alone, &End::Cancelled).await.map(|_| None);
                    }
                    Ok(Posted::Sent | Posted::TooLarge) => {}
                    // The page asks again whether it was accepted.
                    Err(problem) => warn!(step = "begin", request = request.key, %problem),
                }
                let Some(failure) = self.hand_in(&request, &bound).await else { return Ok(None) };
                self.delivery.table.end(&request, &End::Failed(failure)).await?;
                Ok(Some(message::failed(&request, failure)))
            }
            Started::Known => self.again(&request, identity, &waiting).await,
            Started::Gone => Ok(Some(message::expired())),
            Started::Concurrent => {
                let most = self.limits.concurrent;
                let reason = format!(
                    "you already have {most} running queries, the most allowed; wait for one to end, or cancel it"
                );
                refused("too-many", &reason)
            }
            Started::Minute => {
                let most = self.limits.per_minute;
                let reason = format!(
                    "you already started {most} queries in this minute, the most allowed; wait for the next minute"
                );
                refused("too-many", &reason)
            }
        }
    }

    /// The same request again: it is resumed from its beginning. If its statement was never submitted, the sweep does that.
    async fn again(&self, request: &Request, identity: &Identity, waiting: &Connection) -> Reply {
        let Some(standing) = self.delivery.table.request(&request.key).await? else {
            return Ok(Some(unknown(&request.id)));
        };
        if standing.fingerprint != request.fingerprint {
            let reason = "this `requestId` was used for a different query or different values; create a new one for each request";
            return Ok(Some(message::error(Some(&request.id), "invalid", reason)));
        }
        self.resume(&request.id, -1, identity, waiting).await
    }

    /// Submits a request. The same request twice is the same statement, because of its client token.
    ///
    /// Returns why it certainly does not run. Otherwise it runs, or that is unknown: then it stays as it is, and the sweep submits
    /// it again.
    pub(crate) async fn hand_in(&self, request: &Request, bound: &Bound) -> Option<Failure> {
        let name = format!("{}{}", statement_prefix(&self.tenant), request.key);
        let statement = Statement {
            sql: &bound.sql,
            parameters: bound.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect(),
            name: Some(&name),
            client_token: Some(&request.key),
        };
        match self.delivery.data.submit(&statement).await {
            Ok(id) => {
                info!(step = "submitted", request = request.key, statement = %id);
                self.note(request, &id).await;
                None
            }
            Err(SubmitError::Refused(reason)) => {
                warn!(step = "refused", request = request.key, reason);
                Some(Failure::Failed)
            }
            Err(SubmitError::Unavailable(reason)) => {
                warn!(step = "unavailable", request = request.key, reason);
                Some(Failure::Unavailable)
            }
            Err(SubmitError::Retryable(reason)) => {
                warn!(step = "unknown", request = request.key, reason);
                None
            }
        }
    }

    /// Records the statement. If that fails, the sweep submits it again and receives the same ID.
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
