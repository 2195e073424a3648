//! Submits again what may or may not have reached Redshift.
//!
//! A run can die between the submission and the record of its statement, or receive no answer to either. Only this function may
//! start statements, so only it can find out: the same submission with the same client token returns the ID of the statement that
//! exists, or starts it.

use std::time::{Duration, SystemTime};

use queries::{Bound, End, Request, State, Unavailable};
use serde_json::{Map, Value, json};
use tracing::{info, warn};

use crate::handler::QuerySocket;

/// After this time, the run that was to submit a request is dead: API Gateway waits 29 seconds.
const HANDED_IN: Duration = Duration::from_secs(30);

/// How long the Data API remembers a client token, less an hour:
/// <https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html>.
const TOKEN_LIFE: Duration = Duration::from_secs(7 * 60 * 60);

impl QuerySocket {
    /// Goes through the open requests, the oldest first, while there is time; the next sweep continues.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub(crate) async fn sweep(&self, deadline: SystemTime) -> Result<Value, Unavailable> {
        let mut submitted = 0;
        let sweep = self.delivery.table.sweep(HANDED_IN, deadline, async |request| {
            if request.state == State::Pending && self.delivery.table.age(request) <= self.longest() {
                self.hand_in_again(request).await?;
                submitted += 1;
            }
            Ok(())
        });
        let failures = sweep.await?;
        info!(step = "end", submitted, failures);
        Ok(json!({"submitted": submitted, "failures": failures}))
    }

    async fn hand_in_again(&self, request: &Request) -> Result<(), Unavailable> {
        let Some(bound) = self.bound(request).await else {
            // With different SQL it would be a different statement. query-finished ends the request when its time is over.
            warn!(
                step = "again",
                request = request.key,
                "its query has changed; it waits for the event of its statement"
            );
            return Ok(());
        };
        warn!(step = "again", request = request.key, "it is unknown whether Redshift has the statement");
        let Some(failure) = self.hand_in(request, &bound).await else { return Ok(()) };
        let end = End::Failed(failure);
        let mut request = request.clone();
        if let Some(connection) = request.connection.clone() {
            let messages = self.delivery.messages(&request, &end, None).await?;
            if !self.delivery.send(&request, &messages, &connection).await? {
                request.connection = None;
            }
        }
        // If a different connection is waiting by now, the next sweep informs it.
        self.delivery.table.end(&request, &end).await.map(drop)
    }

    /// The statement of a request, if its query is still the same.
    async fn bound(&self, request: &Request) -> Option<Bound> {
        let queries = self.catalogue.queries().await;
        let values = request.values.iter().map(|(name, value)| (name.clone(), json!(value)));
        let values: Map<String, Value> = values.collect();
        let bound = queries.get(&request.query)?.bind(&self.schema, &values, request.limit).ok()?;
        request.is_for(&bound).then_some(bound)
    }

    /// How old a request may be that is submitted again.
    fn longest(&self) -> Duration {
        Duration::from_secs(self.limits.statement_seconds).min(TOKEN_LIFE)
    }
}
