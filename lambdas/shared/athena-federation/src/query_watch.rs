//! Checks whether anybody is still waiting for the answer.

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
    /// Two neighbors of the Fibonacci sequence, in seconds, as in the SDK: 1, 1, 2, 3, 5, … up to 55.
    pauses: (u64, u64),
    /// Set if Athena does not know the query, so that asking again is pointless.
    off: bool,
}

impl<'a> QueryWatch<'a> {
    pub(crate) fn new(athena: &'a AwsJson, query_id: &'a str, began: Instant) -> QueryWatch<'a> {
        QueryWatch { athena, query_id, next: began + Duration::from_secs(1), pauses: (1, 1), off: false }
    }

    /// Asks Athena, if it is time to.
    ///
    /// # Errors
    ///
    /// If the query has ended. Not if Athena does not respond: that is no reason to stop.
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
                    Err(Error::new(Kind::Cancelled, format!("the query is {state}; nobody is waiting for these rows")))
                }
                _ => Ok(()),
            },
            Err(Failure::Refused(code)) => {
                tracing::warn!(step = "watch", code, "Athena does not say whether the query is still running");
                self.off = code == "InvalidRequestException" || code == "AccessDeniedException";
                Ok(())
            }
            Err(Failure::Unanswered) => Ok(()),
        }
    }
}
