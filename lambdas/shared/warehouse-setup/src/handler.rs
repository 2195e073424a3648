//! Handles an event from start to answer.

use std::time::SystemTime;

use aws_sdk_redshiftdata::Client;
use aws_types::SdkConfig;
use custom_resource::{Kind, Outcome, Request, Unanswered};
use function::Clock;
use lambda_runtime::LambdaEvent;
use redshift::DataApi;
use serde_json::Value;
use tracing::info;

use crate::database::Database;
use crate::schema::is_foreign;
use crate::system::System;

/// The function, for the life of its process.
pub struct WarehouseSetup<S> {
    system: S,
    client: Client,
    clock: Clock,
}

impl<S: System> WarehouseSetup<S> {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(system: S, redshift_data: &SdkConfig, clock: Clock) -> WarehouseSetup<S> {
        WarehouseSetup { system, client: Client::new(redshift_data), clock }
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
        let wanted = match S::read(&request.properties) {
            Ok(wanted) => wanted,
            // Nothing can have been created from properties that cannot be read.
            Err(_) if kind == Kind::Delete => return failed(Ok(())),
            Err(problem) => return failed(Err(problem)),
        };
        let (warehouse, schema) = S::place(&wanted);
        let place = format!("{}/{schema}", warehouse.name());
        let id = format!("{}/{}/{place}", request.stack_name(), request.logical_id);
        let api = DataApi::new(self.client.clone(), warehouse.clone(), self.clock.clone());
        let mut database = Database::new(api, self.clock.clone(), request, until);
        match kind {
            Kind::Delete if request.physical_id.as_ref() != Some(&id) => {
                info!(step = "delete", "the ID does not name anything created here; nothing is changed");
                failed(Ok(()))
            }
            Kind::Delete => match is_foreign(&mut database, schema).await {
                Ok(true) => {
                    info!(step = "delete", "the schema belongs to a different stack; nothing is changed");
                    failed(Ok(()))
                }
                Ok(false) => failed(self.system.remove(&mut database, &wanted).await),
                Err(problem) => failed(Err(problem)),
            },
            Kind::Create | Kind::Update => {
                // If the ID changes, the Delete that CloudFormation sends for the old ID handles the old properties.
                let is_same = request.physical_id.as_ref() == Some(&id);
                let old = is_same.then(|| S::read(&request.old_properties).ok()).flatten();
                match self.system.apply(&mut database, &wanted, old.as_ref(), kind).await {
                    Ok(()) => Outcome { physical_id: id, result: Ok(()) },
                    Err(problem) => failed(Err(problem)),
                }
            }
        }
    }
}
