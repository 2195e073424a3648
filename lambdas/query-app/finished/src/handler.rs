//! Distinguishes the triggers.

use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::LambdaEvent;
use queries::{Delivery, Error, Lease, statement_prefix};
use redshift::StatementId;
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::finish::{Finish, Finished, Finisher};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct QueryEndHandler {
    finisher: Finisher,
    /// The prefix of this tenant's statement names.
    prefix: String,
}

/// How long an event's statement may still be reported as running; the service reports an end in more than one place.
const LAG: Duration = Duration::from_secs(5);

impl QueryEndHandler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> QueryEndHandler {
        let finisher = Finisher {
            delivery: Delivery::new(settings.services, &settings.connections, &clock),
            clock,
            statement_time: settings.statement_time,
        };
        QueryEndHandler { finisher, prefix: statement_prefix(&settings.tenant) }
    }

    /// Handles one event: EventBridge's event of a statement that ended, or `{"sweep":true}`.
    ///
    /// # Errors
    ///
    /// If the event is neither, or its end could not be reported: Lambda retries. In a sweep, a problem with a single request
    /// is only a log line and a count in the result.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        let run = self.run(&event, context.deadline());
        run.instrument(span).await.inspect_err(|reason| error!(step = "end", %reason))
    }

    async fn run(&self, event: &Value, deadline: SystemTime) -> Result<Value, Error> {
        if event["sweep"] == true {
            return Ok(self.finisher.sweep(deadline).await?);
        }
        let detail = &event["detail"];
        let name = detail["statementName"].as_str().filter(|_| event["source"] == "aws.redshift-data");
        let Some(name) = name else {
            let allowed = r#"must be {"sweep":true} or EventBridge's event of a named statement"#;
            return Err(Error::UnknownEvent(allowed.to_owned()));
        };
        // The rule matches the prefix, but another tenant's prefix may begin with this one's.
        let request = name.strip_prefix(&self.prefix).filter(|key| key.len() == 64);
        let Some(request) = request else {
            info!(step = "end", "the statement belongs to a different tenant");
            return Ok(json!({"notified": false}));
        };
        let statement: Option<StatementId> = detail["statementId"].as_str().and_then(|id| id.parse().ok());
        let finish = Finish { request, statement, patience: LAG, lease: &Lease::new(deadline) };
        match self.finisher.finish(finish).await? {
            Finished::Notified => Ok(json!({"notified": true})),
            Finished::Nothing => Ok(json!({"notified": false})),
            Finished::Running => Err(Error::StillRunning),
            Finished::Missing => Err(Error::UnknownRequest(request.to_owned())),
        }
    }
}
