//! Whether anybody still waits for the answer.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::aws_json::{AwsJson, Failure};
use crate::error::{Error, Kind};

/// Asks Athena for the state of one query, at growing intervals.
#[derive(Debug)]
pub(crate) struct QueryWatch<'a> {
    athena: &'a AwsJson,
    query_id: &'a str,
    next: Instant,
    /// Two neighbours of the Fibonacci row, in seconds, as the SDK waits: 1, 1, 2, 3, 5, … up to 55.
    pauses: (u64, u64),
    /// Set when Athena does not know the query, so that asking again is idle.
    off: bool,
}

impl<'a> QueryWatch<'a> {
    pub(crate) fn new(athena: &'a AwsJson, query_id: &'a str, began: Instant) -> QueryWatch<'a> {
        QueryWatch { athena, query_id, next: began + Duration::from_secs(1), pauses: (1, 1), off: false }
    }

    /// Asks, if it is time to.
    ///
    /// # Errors
    ///
    /// When the query has ended. Not when Athena does not answer: that is no reason to stop.
    pub(crate) async fn check(&mut self) -> Result<(), Error> {
        if self.off || Instant::now() < self.next {
            return Ok(());
        }
        let answer = self.athena.call(json!({"QueryExecutionId": self.query_id})).await;
        self.next = Instant::now() + Duration::from_secs(self.pauses.1);
        self.pauses = (self.pauses.1, (self.pauses.0 + self.pauses.1).min(55));
        match answer {
            Ok(answer) => match answer["QueryExecution"]["Status"]["State"].as_str() {
                Some(state @ ("CANCELLED" | "FAILED" | "SUCCEEDED")) => {
                    Err(Error::new(Kind::Cancelled, format!("the query is {state}; nobody waits for these rows")))
                }
                _ => Ok(()),
            },
            Err(Failure::Refused(code)) => {
                tracing::warn!(step = "watch", code, "Athena does not tell whether the query still runs");
                self.off = code == "InvalidRequestException" || code == "AccessDeniedException";
                Ok(())
            }
            Err(Failure::Unanswered) => Ok(()),
        }
    }
}
