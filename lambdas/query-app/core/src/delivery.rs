//! Reports to a browser how its request ended, and cancels statements.

use std::collections::HashSet;

use aws_types::SdkConfig;
use function::Clock;
use redshift::{DataApi, Error, Field, StatementId};
use tracing::{info, warn};

use crate::connections::{Connections, Posted};
use crate::item::Unavailable;
use crate::message;
use crate::request::{Cause, Connection, End, Request};
use crate::services::Services;
use crate::table::Table;

/// The three services that all functions of the query app share.
pub struct Delivery {
    /// The table of requests and connections.
    pub table: Table,
    /// The warehouse.
    pub data: DataApi,
    /// The browsers.
    pub connections: Connections,
}

/// The messages about an end: one message, or the parts of a result.
pub struct Messages {
    parts: Vec<String>,
    /// A single message.
    whole: String,
}

/// Progress is recorded every so many parts: after a crash, at most this many are sent again.
const NOTED_EVERY: usize = 8;

impl Delivery {
    /// Opens no connection yet; `connections` is [`connections_config`](crate::connections_config)'s.
    pub fn new(services: Services, connections: &SdkConfig, clock: &Clock) -> Delivery {
        let (table, data) = services.open(clock);
        Delivery { table, data, connections: Connections::new(connections, clock.clone()) }
    }

    /// The messages about an end.
    ///
    /// `bytes` is the size of the result, if known: a large result is not read.
    ///
    /// # Errors
    ///
    /// If the result cannot be read now.
    pub async fn messages(&self, request: &Request, end: &End, bytes: Option<u64>) -> Result<Messages, Unavailable> {
        let whole = message::ended(request, end);
        let is_small = bytes.is_none_or(|bytes| bytes <= message::PUSHED_BYTES as u64);
        let parts = match (end, &request.statement) {
            (End::Finished { .. }, Some(statement)) if is_small => self.parts(request, statement).await?,
            _ => None,
        };
        Ok(Messages { parts: parts.unwrap_or_else(|| vec![whole.clone()]), whole })
    }

    async fn parts(&self, request: &Request, statement: &StatementId) -> Result<Option<Vec<String>>, Unavailable> {
        let mut rows = Vec::new();
        let mut next = None;
        let mut seen = HashSet::new();
        let mut bytes = 0;
        loop {
            let page = match self.data.page(statement, next).await {
                Ok(page) => page,
                // Reported as a result to fetch, which then returns a clear message.
                Err(Error::Missing(reason) | Error::Refused(reason)) => {
                    warn!(step = "result", request = request.key, reason);
                    return Ok(None);
                }
                Err(Error::Unavailable(reason)) => return Err(Unavailable(reason)),
            };
            bytes += page.rows.iter().flatten().filter_map(Field::text).map(str::len).sum::<usize>();
            if bytes > message::PUSHED_BYTES {
                return Ok(None);
            }
            rows.extend(page.rows);
            // Pages that lead back to one that was read have no end.
            if page.next.as_ref().is_some_and(|next| !seen.insert(next.clone())) {
                warn!(step = "result", request = request.key, "the Data API returned a page for the second time");
                return Ok(None);
            }
            next = page.next;
            if next.is_none() {
                return Ok(message::parts(request, &page.columns, &rows));
            }
        }
    }

    /// Sends messages to the waiting connection; if there are several parts, only those after `request.sent`. Returns whether
    /// they arrived; if not, nobody is waiting any longer.
    ///
    /// # Errors
    ///
    /// If API Gateway or the table fails.
    pub async fn send(
        &self,
        request: &Request,
        messages: &Messages,
        connection: &Connection,
    ) -> Result<bool, Unavailable> {
        if connection.until <= self.table.seconds() {
            self.expire(&connection.id).await?;
            return Ok(false);
        }
        let parts = &messages.parts;
        let first = if parts.len() > 1 { usize::try_from(request.sent + 1).unwrap_or(0) } else { 0 };
        for (part, text) in parts.iter().enumerate().skip(first) {
            let posted = match self.connections.post(&connection.id, text).await? {
                Posted::TooLarge => {
                    warn!(step = "send", request = request.key, part, "a part is too large for API Gateway");
                    self.connections.post(&connection.id, &messages.whole).await?;
                    return Ok(true);
                }
                posted => posted,
            };
            if posted == Posted::Gone {
                info!(step = "send", request = request.key, "the connection is gone");
                self.table.leave(&connection.id).await?;
                return Ok(false);
            }
            if (part + 1) % NOTED_EVERY == 0 {
                self.table.sent(&request.key, &connection.id, part as i64).await?;
            }
        }
        Ok(true)
    }

    /// Tells a browser that its user must sign in again, and closes its connection. Its requests wait for the next connection.
    ///
    /// # Errors
    ///
    /// If API Gateway or the table fails.
    pub async fn expire(&self, connection: &str) -> Result<(), Unavailable> {
        self.connections.post(connection, &message::expired()).await?;
        self.connections.close(connection).await;
        self.table.leave(connection).await.map(drop)
    }

    /// Has Redshift cancel a request's statement. The end is reported once it has happened.
    ///
    /// # Errors
    ///
    /// If the table does not answer.
    pub async fn cancel(&self, request: &str, cause: Cause) -> Result<(), Unavailable> {
        let Some(request) = self.table.cancelled(request, cause).await? else { return Ok(()) };
        // The run that submits a pending statement notices that it was cancelled.
        let Some(statement) = &request.statement else { return Ok(()) };
        match self.data.cancel(statement).await {
            Ok(()) => info!(step = "cancel", request = request.key, cause = cause.name()),
            // It may have ended in the meantime. If not, the sweep cancels it again.
            Err(problem) => info!(step = "cancel", request = request.key, cause = cause.name(), %problem),
        }
        Ok(())
    }
}
