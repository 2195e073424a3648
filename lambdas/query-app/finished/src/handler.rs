//! Tells the triggers apart.

use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::LambdaEvent;
use queries::{Delivery, Lease, statement_prefix};
use redshift::StatementId;
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::finish::{Finish, Finished, Finisher};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct Handler {
    finisher: Finisher,
    /// What the names of this tenant's statements begin with.
    prefix: String,
}

/// How long an event's statement may still be shown as running; the service tells of an end in more than one place.
const LAG: Duration = Duration::from_secs(5);

impl Handler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> Handler {
        let finisher = Finisher {
            delivery: Delivery::new(settings.services, &settings.connections, &clock),
            clock,
            statement_time: settings.statement_time,
        };
        Handler { finisher, prefix: statement_prefix(&settings.tenant) }
    }

    /// Handles one event: EventBridge's of a statement that ended, or `{"sweep":true}`.
    ///
    /// # Errors
    ///
    /// When the event is neither, or what it tells of could not be told on: Lambda tries again. In a sweep, what concerns a single request
    /// is a line in the log and a number in the answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, String> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        let run = self.run(&event, context.deadline());
        run.instrument(span).await.inspect_err(|reason| error!(step = "end", reason))
    }

    async fn run(&self, event: &Value, deadline: SystemTime) -> Result<Value, String> {
        if event["sweep"] == true {
            return self.finisher.sweep(deadline).await.map_err(|problem| problem.0);
        }
        let detail = &event["detail"];
        let name = detail["statementName"].as_str().filter(|_| event["source"] == "aws.redshift-data");
        let Some(name) = name else {
            let allowed = r#"allowed are {"sweep":true} and EventBridge's events of named statements"#;
            return Err(format!("the event is not one this function knows; {allowed}"));
        };
        // The rule asks for the prefix; another tenant's may begin with this one's.
        let request = name.strip_prefix(&self.prefix).filter(|key| key.len() == 64);
        let Some(request) = request else {
            info!(step = "end", "the statement is none of this tenant's");
            return Ok(json!({"told": false}));
        };
        let statement: Option<StatementId> = detail["statementId"].as_str().and_then(|id| id.parse().ok());
        let finish = Finish { request, statement, patience: LAG, lease: &Lease::new(deadline) };
        match self.finisher.finish(finish).await.map_err(|problem| problem.0)? {
            Finished::Told => Ok(json!({"told": true})),
            Finished::Nothing => Ok(json!({"told": false})),
            Finished::Running => Err("the statement of the event still runs; it is looked at again".to_owned()),
            Finished::Missing => Err(format!("there is no request {request}")),
        }
    }
}
