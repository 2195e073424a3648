//! Wires the connector to the protocol and logs what happens.

use std::sync::OnceLock;
use std::time::Duration;

use athena_federation::{DataKeys, Error, Federation, Invocation, Kind, Response, Spill};
use function::Clock;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tracing::{Instrument, error, info, info_span};

use crate::connector::Analytics;
use crate::secret::TokenCache;
use crate::settings::Settings;
use crate::slack::Slack;

/// The function, for the life of its process.
pub struct SlackConnectorHandler {
    federation: Federation<Analytics>,
    tenant: String,
    clock: Clock,
}

/// Reserved for reporting that the time is over, before Lambda ends the function without a sentence.
const RESERVE: Duration = Duration::from_secs(2);

impl SlackConnectorHandler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> SlackConnectorHandler {
        let keys = match settings.kms_key {
            Some(key_id) => DataKeys::Kms { key_id, config: Box::new(settings.kms) },
            None => DataKeys::Local,
        };
        let secrets = aws_sdk_secretsmanager::Client::new(&settings.secrets_manager);
        let slack = Slack {
            base: settings.slack,
            local: settings.local,
            tokens: TokenCache::new(secrets, settings.token_secret, clock.clone()),
            clock: clock.clone(),
            client: OnceLock::new(),
        };
        let connector = Analytics { slack, booleans: settings.booleans, parts: settings.parts, clock: clock.clone() };
        let spill = Spill::new(&settings.s3, settings.spill_bucket, &settings.spill_prefix, keys);
        SlackConnectorHandler {
            federation: Federation::new(connector, spill, &settings.athena),
            tenant: settings.tenant,
            clock,
        }
    }

    /// Answers one request from Athena.
    ///
    /// # Errors
    ///
    /// Whenever the answer would be incomplete; Athena shows type and message to the person who ran the query.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Response, Error> {
        let (event, context) = event.into_parts();
        // The identity in the event may contain session credentials: only these two fields are logged, and only as names.
        let name = |field: &str| event[field].as_str().filter(|name| is_name(name)).unwrap_or("-").to_owned();
        let span = info_span!("answer", tenant = self.tenant, request_id = context.request_id, query = name("queryId"));
        let request = name("@type");
        async {
            info!(step = "received", request);
            let left = context.deadline().duration_since(self.clock.now()).unwrap_or_default().saturating_sub(RESERVE);
            let invocation = Invocation::of(&context);
            let answer = tokio::time::timeout(left, self.federation.handle(event, &invocation));
            let result = answer.await.unwrap_or_else(|_| Err(too_slow()));
            match &result {
                Ok(_) => info!(step = "end"),
                Err(problem) => error!(step = "end", error = problem.error_type(), reason = %problem),
            }
            result
        }
        .instrument(span)
        .await
    }
}

fn too_slow() -> Error {
    Error::new(
        Kind::Unavailable,
        "Slack's file was not read and its rows were not stored within this function's time; run the query again, or read fewer days at once",
    )
}

fn is_name(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
