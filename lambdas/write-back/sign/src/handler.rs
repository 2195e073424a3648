//! One batch: the key, the tokens, the answer.

use std::collections::BTreeMap;
use std::convert::Infallible;

use aws_sdk_secretsmanager::Client;
use function::{Clock, millis};
use lambda_runtime::LambdaEvent;
use serde_json::json;
use tracing::{error, info};
use write_back::{Fault, Key, Keys, Signer, Terms};

use crate::batch::Batch;
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct TokenSigner {
    clock: Clock,
    keys: Keys,
    tenant: String,
    audience: String,
    token_seconds: u64,
}

/// Lambda accepts responses of 6 MB, and the response is a JSON string in JSON, which writes each quote as two characters.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ANSWER_BYTES: usize = 5_500_000;

/// The size that a token usually has.
const USUAL_TOKEN: usize = 320;

impl TokenSigner {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> TokenSigner {
        let secrets_manager = Client::new(&settings.secrets_manager);
        TokenSigner {
            keys: Keys::new(secrets_manager, settings.signing_keys_secret, clock.clone()),
            clock,
            tenant: settings.tenant,
            audience: settings.audience,
            token_seconds: settings.token_seconds,
        }
    }

    /// Signs one batch. The response is JSON in a string, as Redshift's documentation specifies.
    ///
    /// # Errors
    ///
    /// Never: a failure is part of the response.
    pub async fn handle(&self, event: LambdaEvent<Batch>) -> Result<String, Infallible> {
        let (batch, context) = event.into_parts();
        let request_id = context.request_id.as_str();
        let key = match self.keys.signing().await {
            Ok(key) => key,
            Err(reason) => {
                error!(step = "key", request_id, %reason);
                return Ok(failed("the signing key is not available; the function's log says why"));
            }
        };
        let issued = millis(self.clock.now()) / 1000;
        let expires = issued.saturating_add(self.token_seconds);
        let terms = Terms { tenant: &self.tenant, audience: &self.audience, issued, expires };
        match answer(&batch, &key, &terms) {
            Ok((answer, faults)) => {
                let unsigned: usize = faults.values().sum();
                let reasons: Vec<String> =
                    faults.iter().map(|(fault, rows)| format!("{}:{rows}", fault.name())).collect();
                info!(step = "end", request_id, rows = batch.rows().len(), unsigned, reasons = reasons.join(" "));
                Ok(answer)
            }
            Err(problem) => {
                error!(step = "end", request_id, problem);
                Ok(failed(&problem))
            }
        }
    }
}

/// The response to `batch`, and how many rows got no token for which reason. Pure.
///
/// # Errors
///
/// If no row can be signed; the sentence is for the person who ran the query.
pub fn answer(batch: &Batch, key: &Key, terms: &Terms<'_>) -> Result<(String, BTreeMap<Fault, usize>), String> {
    let rows = batch.rows();
    let count = rows.len();
    if let Some(problem) = batch.problem() {
        return Err(problem.to_owned());
    }
    if batch.num_records != u64::try_from(count).ok() {
        return Err(format!("num_records does not match the number of rows in arguments, which is {count}"));
    }
    let mut signer = Signer::new(key, terms).map_err(|error| error.to_string())?;
    let mut faults = BTreeMap::new();
    let mut answer = String::with_capacity(USUAL_TOKEN * count + 64);
    answer.push_str(&format!(r#"{{"success":true,"num_records":{count},"results":["#));
    for row in rows {
        let start = answer.len();
        answer.push('"');
        match row.and_then(|row| signer.sign(&row, &mut answer)) {
            // A token has no character that JSON would escape.
            Ok(()) => answer.push_str("\","),
            Err(fault) => {
                answer.truncate(start);
                answer.push_str("null,");
                *faults.entry(fault).or_default() += 1;
            }
        }
    }
    if count > 0 {
        answer.pop();
    }
    answer.push_str("]}");
    if answer.len() > ANSWER_BYTES {
        return Err(format!("the response to {count} rows is larger than Lambda allows; set a lower MAX_BATCH_ROWS"));
    }
    Ok((answer, faults))
}

fn failed(message: &str) -> String {
    json!({"success": false, "error_msg": message, "num_records": 0, "results": []}).to_string()
}
