//! Wires the connector to the protocol and logs what happens.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use athena_federation::{DataKeys, Error, Federation, Invocation, Kind, Response, Spill};
use function::Clock;
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use tracing::{Instrument, error, info, info_span};

use crate::connector::Analytics;
use crate::day_reader::DayReader;
use crate::files::Files;
use crate::items::Items;
use crate::nightly::{self, Fetched};
use crate::secret::TokenCache;
use crate::settings::Settings;
use crate::slack::Slack;

/// The function, for the life of its process.
pub struct SlackConnectorHandler {
    federation: Federation<Analytics>,
    days: Arc<DayReader>,
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
        let slack = Slack { base: settings.slack, local: settings.local, client: OnceLock::new() };
        let table = aws_sdk_dynamodb::Client::new(&settings.dynamodb);
        let days = Arc::new(DayReader {
            slack,
            tokens: TokenCache::new(secrets, settings.token_secret, clock.clone()),
            files: Files::new(&settings.s3, settings.files_bucket, &settings.files_prefix),
            items: Items { client: table, table: settings.turns_table, clock: clock.clone() },
            clock: clock.clone(),
        });
        let connector = Analytics {
            days: Arc::clone(&days),
            booleans: settings.booleans,
            parts: settings.parts,
            clock: clock.clone(),
        };
        let spill = Spill::new(&settings.s3, settings.spill_bucket, &settings.spill_prefix, keys);
        let federation = Federation::new(connector, spill, &settings.athena);
        SlackConnectorHandler { federation, days, tenant: settings.tenant, clock }
    }

    /// Answers one request from Athena, or fetches the files of the last days, as many as the event `{"fetchDays": 397}` says.
    ///
    /// # Errors
    ///
    /// Whenever the answer would be incomplete; Athena shows type and message to the person who ran the query.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Reply, Error> {
        let (event, context) = event.into_parts();
        // The identity in the event may contain session credentials: only these two fields are logged, and only as names.
        let name = |field: &str| event[field].as_str().filter(|name| is_name(name)).unwrap_or("-").to_owned();
        let span = info_span!("answer", tenant = self.tenant, request_id = context.request_id, query = name("queryId"));
        let request = name("@type");
        async {
            info!(step = "received", request);
            let left = context.deadline().duration_since(self.clock.now()).unwrap_or_default().saturating_sub(RESERVE);
            let invocation = Invocation::of(&context);
            let answer = tokio::time::timeout(left, self.answer(event, &invocation));
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

    async fn answer(&self, event: Value, invocation: &Invocation) -> Result<Reply, Error> {
        let Some(count) = event.get("fetchDays") else {
            return self.federation.handle(event, invocation).await.map(Reply::Athena);
        };
        let count = count.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= MOST_DAYS);
        let count = count.ok_or_else(|| {
            Error::new(Kind::InvalidRequest, format!("`fetchDays` must be a whole number from 0 to {MOST_DAYS}"))
        })?;
        let account = invocation.account.as_deref();
        nightly::fetch(&self.days, count, invocation.deadline, account, &self.clock).await.map(Reply::Fetched)
    }
}

/// What the function returns.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// The answer to a request from Athena.
    Athena(Response),
    /// What a nightly run did.
    Fetched(Fetched),
}

/// The most days that a nightly run is asked for: as long as a tenant may keep files.
const MOST_DAYS: u32 = 3650;

fn too_slow() -> Error {
    Error::new(
        Kind::Unavailable,
        "Slack's file was not read and its rows were not stored within this function's time; run the query again, or read fewer days at once",
    )
}

fn is_name(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
