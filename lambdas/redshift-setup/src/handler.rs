//! From event to answer.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_redshiftdata::Client;
use function::Clock;
use lambda_runtime::{Diagnostic, LambdaEvent};
use redshift::DataApi;
use serde_json::{Value, json};
use tracing::{Instrument, info, info_span, warn};

use crate::database::Database;
use crate::properties::Properties;
use crate::request::{Kind, Request};
use crate::responder::{Outcome, Responder};
use crate::settings::Settings;
use crate::write_back;

/// The function, for the life of its process.
pub struct Handler {
    client: Client,
    clock: Clock,
}

/// An event that could not be answered; Lambda delivers it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered(&'static str);

impl fmt::Display for Unanswered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Unanswered {}

impl From<Unanswered> for Diagnostic {
    fn from(error: Unanswered) -> Diagnostic {
        Diagnostic { error_type: "Unanswered".to_owned(), error_message: error.to_string() }
    }
}

/// Kept back for the last call that is under way, 4.5 seconds, and three tries to answer.
const RESERVE: Duration = Duration::from_secs(20);

impl Handler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> Handler {
        Handler { client: Client::new(&settings.redshift_data), clock }
    }

    /// Carries out one event of CloudFormation and answers it.
    ///
    /// # Errors
    ///
    /// Only when no answer could be given. What fails in the warehouse is an answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Unanswered> {
        let (event, context) = event.into_parts();
        let request = Request::read(&event);
        let span = info_span!("setup", request_id = request.request_id, resource = request.logical_id);
        async {
            let responder = Responder::new(&event, &request, self.clock.clone()).map_err(Unanswered)?;
            let until = context.deadline().checked_sub(RESERVE).unwrap_or(SystemTime::UNIX_EPOCH);
            let outcome = self.carry_out(&request, until).await;
            match &outcome.result {
                Ok(()) => info!(step = "done", physical_id = outcome.physical_id),
                Err(reason) => warn!(step = "failed", reason),
            }
            responder.send(&outcome).await.map_err(Unanswered)?;
            Ok(json!({"answered": true}))
        }
        .instrument(span)
        .await
    }

    async fn carry_out(&self, request: &Request, until: SystemTime) -> Outcome {
        let old_id = request.physical_id.clone().unwrap_or_else(|| not_made(request));
        let failed = |result: Result<(), String>| Outcome { physical_id: old_id.clone(), result };
        let kind = match &request.kind {
            Ok(kind) => *kind,
            Err(problem) => return failed(Err(problem.clone())),
        };
        let wanted = match Properties::read(&request.properties) {
            Ok(wanted) => wanted,
            // Nothing can have been made of properties that cannot be read.
            Err(_) if kind == Kind::Delete => return failed(Ok(())),
            Err(problem) => return failed(Err(problem)),
        };
        let id = physical_id(request, &wanted);
        let api = DataApi::new(self.client.clone(), wanted.warehouse.clone(), self.clock.clone());
        let mut database = Database::new(api, self.clock.clone(), &request.request_id, until);
        match kind {
            Kind::Delete if request.physical_id.as_ref() != Some(&id) => {
                info!(step = "delete", "the id is not that of something made here; nothing is touched");
                failed(Ok(()))
            }
            Kind::Delete => failed(write_back::remove(&mut database, &wanted).await),
            Kind::Create | Kind::Update => {
                // Of another id, the old properties are the business of the Delete that CloudFormation sends for it.
                let same = request.physical_id.as_ref() == Some(&id);
                let old = if same { Properties::read(&request.old_properties).ok() } else { None };
                match write_back::apply(&mut database, &wanted, old.as_ref()).await {
                    Ok(()) => Outcome { physical_id: id, result: Ok(()) },
                    Err(problem) => failed(Err(problem)),
                }
            }
        }
    }
}

/// Where the things are that this resource made.
fn physical_id(request: &Request, properties: &Properties) -> String {
    let (stack, resource) = (request.stack_name(), &request.logical_id);
    format!("{stack}/{resource}/{}/{}", properties.place, properties.names.schema_name)
}

/// The id of what a failed Create has not made.
pub(crate) fn not_made(request: &Request) -> String {
    format!("{}/{}/not-made", request.stack_name(), request.logical_id)
}
