//! The tenant's API key: read from Secrets Manager, cached for five minutes, read again if Qlik rejects it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use function::{Clock, Failure};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::{Error, Result, Retryable};
use crate::scrub::is_token;

/// A Qlik API key. It has no `Debug` and no `Display`; only the HTTP header and the scrubber look inside.
#[derive(Clone, PartialEq)]
pub(crate) struct ApiKey(Arc<str>);

impl ApiKey {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// The API key as last read.
pub(crate) struct KeyCache {
    client: Client,
    secret_id: String,
    clock: Clock,
    kept: Mutex<Option<(ApiKey, SystemTime)>>,
}

/// Short enough that a rotated key is used soon without a 401.
const KEPT: Duration = Duration::from_secs(5 * 60);

impl KeyCache {
    pub(crate) fn new(client: Client, secret_id: String, clock: Clock) -> KeyCache {
        KeyCache { client, secret_id, clock, kept: Mutex::new(None) }
    }

    /// The cached key, read if there is none or it is five minutes old.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not respond, or the secret is not `{"key":"<API key>"}`. Retryable, because somebody may still
    /// store it.
    pub(crate) async fn get(&self) -> Result<ApiKey> {
        let mut kept = self.kept.lock().await;
        if let Some((key, read)) = kept.as_ref()
            && self.clock.now().duration_since(*read).is_ok_and(|age| age < KEPT)
        {
            return Ok(key.clone());
        }
        self.read(&mut kept).await
    }

    /// The current key, for when Qlik rejected the cached one.
    pub(crate) async fn reread(&self) -> Result<ApiKey> {
        self.read(&mut *self.kept.lock().await).await
    }

    async fn read(&self, kept: &mut Option<(ApiKey, SystemTime)>) -> Result<ApiKey> {
        tracing::info!(step = "secret", "reading the API key");
        *kept = None;
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(|error| {
            // The service's message may contain the ARN, so only its code is kept.
            match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => unavailable(
                    "the secret of API_KEY_SECRET has no value yet; store {\"key\":\"<Qlik API key>\"} in it",
                ),
                _ => unavailable(&format!("Secrets Manager did not return the API key: {}", Failure::of(&error))),
            }
        })?;
        let key = parse(answer.secret_string().unwrap_or_default())?;
        *kept = Some((key.clone(), self.clock.now()));
        Ok(key)
    }
}

fn parse(secret: &str) -> Result<ApiKey> {
    #[derive(Deserialize)]
    struct Wire {
        key: Option<String>,
    }
    // serde's message would quote the secret.
    let wire: Wire = serde_json::from_str(secret).map_err(|_| {
        unavailable("the secret of API_KEY_SECRET is not JSON of the form {\"key\":\"<Qlik API key>\"}")
    })?;
    match wire.key {
        Some(key) if !key.is_empty() && key.chars().all(is_token) => Ok(ApiKey(key.into())),
        Some(_) => Err(unavailable(
            "`key` in the secret of API_KEY_SECRET is empty or has characters that are not allowed in a bearer token; store the key exactly as Qlik showed it",
        )),
        None => Err(unavailable("the secret of API_KEY_SECRET has no `key`; store {\"key\":\"<Qlik API key>\"} in it")),
    }
}

fn unavailable(message: &str) -> Error {
    Error::retryable(Retryable::SecretUnavailable, message)
}
