//! Handles an event from start to answer.

use std::time::SystemTime;

use aws_sdk_redshiftdata::Client;
use custom_resource::{Kind, Outcome, Request, Unanswered};
use function::Clock;
use lambda_runtime::LambdaEvent;
use redshift::DataApi;
use serde_json::Value;
use tracing::info;

use crate::database::Database;
use crate::script::Scripts;
use crate::settings::Settings;
use crate::system;

/// The function, for the life of its process.
pub struct WarehouseSetup {
    client: Client,
    scripts: Scripts,
    clock: Clock,
}

impl WarehouseSetup {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> WarehouseSetup {
        WarehouseSetup { client: Client::new(&settings.redshift_data), scripts: Scripts::new(&settings.s3), clock }
    }

    /// Carries out one CloudFormation event and answers it.
    ///
    /// # Errors
    ///
    /// Only if no answer could be sent. A failure in the warehouse is an answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Unanswered> {
        // Boxed because futures nested this deep exceed what the compiler lays out.
        let carry_out = async |request: &Request, until| Box::pin(self.carry_out(request, until)).await;
        custom_resource::answer(event, &self.clock, carry_out).await
    }

    async fn carry_out(&self, request: &Request, until: SystemTime) -> Outcome {
        let old_id = request.physical_id.clone().unwrap_or_else(|| request.not_made());
        let failed = |result: Result<(), String>| Outcome { physical_id: old_id.clone(), result };
        let kind = match &request.kind {
            Ok(kind) => *kind,
            Err(problem) => return failed(Err(problem.clone())),
        };
        let wanted = match system::read(&request.properties) {
            Ok(wanted) => wanted,
            // Nothing can have been created from properties that cannot be read.
            Err(_) if kind == Kind::Delete => return failed(Ok(())),
            Err(problem) => return failed(Err(problem)),
        };
        let place = format!("{}/{}", wanted.warehouse().name(), wanted.schema_name());
        let id = format!("{}/{}/{place}", request.stack_name(), request.logical_id);
        let api = DataApi::new(self.client.clone(), wanted.warehouse().clone(), self.clock.clone());
        let mut database = Database::new(api, self.clock.clone(), &request.request_id, until);
        match kind {
            Kind::Delete if request.physical_id.as_ref() != Some(&id) => {
                info!(step = "delete", "the ID does not name anything created here; nothing is changed");
                failed(Ok(()))
            }
            Kind::Delete => failed(wanted.remove(&mut database).await),
            Kind::Create | Kind::Update => {
                // If the ID changes, the Delete that CloudFormation sends for the old ID handles the old properties.
                let same = request.physical_id.as_ref() == Some(&id)
                    && request.old_properties["Kind"] == request.properties["Kind"];
                let old = same.then_some(&request.old_properties);
                let scripts = (kind == Kind::Create).then_some(&self.scripts);
                match wanted.apply(&mut database, old, scripts).await {
                    Ok(()) => Outcome { physical_id: id, result: Ok(()) },
                    Err(problem) => failed(Err(problem)),
                }
            }
        }
    }
}
