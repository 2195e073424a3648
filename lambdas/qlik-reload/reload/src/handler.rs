//! Distinguishes the triggers once, and answers each in its own way.

use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span, warn};

use crate::budget::Budget;
use crate::claim::Claims;
use crate::error::{Error, Permanent, Result};
use crate::http::Http;
use crate::qlik::Qlik;
use crate::reload::Status;
use crate::request::{self, Delivery, ReloadId};
use crate::rest::{self, Call};
use crate::run::{Report, Run};
use crate::secret::KeyCache;
use crate::settings::{AllowedApps, Settings};

/// The function, for the life of its process.
pub struct ReloadHandler {
    clock: Clock,
    allowed_apps: AllowedApps,
    claims: Claims,
    qlik: Qlik,
}

/// Reserved at the end of a run for the claim and the response.
const RESERVE: Duration = Duration::from_secs(5);

/// API Gateway times out after 29 seconds: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const REST_TIME: Duration = Duration::from_secs(24);

impl ReloadHandler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> ReloadHandler {
        let claims = Claims { client: aws_sdk_dynamodb::Client::new(&settings.dynamodb), table: settings.claims_table };
        let keys = KeyCache::new(
            aws_sdk_secretsmanager::Client::new(&settings.secrets_manager),
            settings.api_key_secret,
            clock.clone(),
        );
        let http = Http::new(settings.local);
        let qlik = Qlik { base: settings.qlik, http, keys };
        ReloadHandler { clock, allowed_apps: settings.allowed_apps, claims, qlik }
    }

    /// Handles one event: an API Gateway REST proxy event (version 1.0) or a direct one.
    ///
    /// # Errors
    ///
    /// For a direct event, whenever its reload was not started, failed, or has a status that is not a success; the error's kind is
    /// Lambda's `errorType`. For a REST event never: the response carries the status.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        async {
            match rest::call(&event) {
                Some(call) => Ok(self.rest(call, &context).await),
                None => self.direct(&event, &context).await,
            }
        }
        .instrument(span)
        .await
    }

    async fn direct(&self, event: &Value, context: &Context) -> Result<Value> {
        let result = match request::direct(event, &context.request_id) {
            Ok(delivery) => self.deliver(&delivery, context, context.deadline() - RESERVE).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(report) => {
                info!(step = "end", reload = %report.reload_id, status = %report.status);
                let mut result = json!({
                    "reloadId": report.reload_id,
                    "appId": report.app_id,
                    "status": report.status,
                    "message": sentence(&report.status),
                });
                if report.shared {
                    result["alreadyActive"] = json!(true);
                }
                Ok(result)
            }
            Err(error) => {
                error!(step = "end", error = error.name(), reason = %error);
                Err(error)
            }
        }
    }

    async fn rest(&self, call: Result<Call>, context: &Context) -> Value {
        let end = (context.deadline() - RESERVE).min(self.clock.now() + REST_TIME);
        let answer = match call {
            Ok(Call::Post { request, idempotency_key }) => {
                let delivery = rest::delivery(request, idempotency_key, &context.request_id);
                self.deliver(&delivery, context, end).await.map(|report| rest::accepted(&report))
            }
            Ok(Call::Get(id)) => self.look_up(&id, end).await,
            Ok(Call::Unknown) => Ok(rest::unknown_route()),
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(|error| {
            warn!(step = "end", error = error.name(), reason = %error);
            rest::failed(&error)
        })
    }

    async fn deliver(&self, delivery: &Delivery, context: &Context, end: SystemTime) -> Result<Report> {
        let app = &delivery.request.app_id;
        info!(step = "received", %app, variables = delivery.request.variables.len());
        if !self.allowed_apps.contains(app) {
            let message = format!("app {app} is not one of the allowed apps; add it to the tenant's list to reload it");
            return Err(Error::permanent(Permanent::AppNotAllowed, message));
        }
        let run = Run {
            claims: &self.claims,
            qlik: &self.qlik,
            budget: Budget::until(end, &self.clock),
            request_id: &context.request_id,
            deadline: context.deadline(),
        };
        run.deliver(delivery).await
    }

    /// Reads one reload if it belongs to an allowed app: callers must not learn about the tenant's other apps.
    async fn look_up(&self, id: &ReloadId, end: SystemTime) -> Result<Value> {
        info!(step = "received", reload = %id);
        // A failure's text may quote variables, and this call does not know whether there were any.
        let mut session = self.qlik.session(Budget::until(end, &self.clock), false).await?;
        let reload = match session.reload(id).await {
            Err(Error::Permanent { kind: Permanent::ReloadNotFound, .. }) => return Err(rest::no_such_reload(id)),
            answer => answer?,
        };
        if !self.allowed_apps.contains(&reload.app_id) {
            return Err(rest::no_such_reload(id));
        }
        Ok(rest::found(&reload))
    }
}

fn sentence(status: &Status) -> String {
    match status {
        Status::Queued => format!("the reload was accepted and waits with status: {status}"),
        Status::Reloading => format!("the application began the reload process with status: {status}"),
        _ => format!("the application finished the reload process with status: {status}"),
    }
}
