//! The tenant's Slack token: read from Secrets Manager, cached for a minute, read again if Slack rejects it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use athena_federation::{Error, Kind};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use function::Clock;
use serde::Deserialize;
use tokio::sync::Mutex;

/// A Slack token. It has no `Debug` and no `Display`; only the HTTP header looks inside.
#[derive(Clone, PartialEq)]
pub(crate) struct Token(Arc<str>);

impl Token {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// The token as last read.
pub(crate) struct TokenCache {
    client: Client,
    secret_id: String,
    clock: Clock,
    kept: Mutex<Option<(Token, SystemTime)>>,
}

/// A rotating token lives for hours; a new one is used soon.
const KEPT: Duration = Duration::from_secs(60);

impl TokenCache {
    pub(crate) fn new(client: Client, secret_id: String, clock: Clock) -> TokenCache {
        TokenCache { client, secret_id, clock, kept: Mutex::new(None) }
    }

    /// The cached token, read if there is none or it is a minute old.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not respond, or the secret is not `{"token":"xoxp-…", …}`.
    pub(crate) async fn get(&self) -> Result<Token, Error> {
        let mut kept = self.kept.lock().await;
        if let Some((token, read)) = kept.as_ref()
            && self.clock.now().duration_since(*read).is_ok_and(|age| age < KEPT)
        {
            return Ok(token.clone());
        }
        self.read(&mut kept).await
    }

    /// A different token than the one that Slack rejected, if there is one by now.
    pub(crate) async fn newer_than(&self, refused: &Token) -> Result<Option<Token>, Error> {
        let token = self.read(&mut *self.kept.lock().await).await?;
        Ok((token != *refused).then_some(token))
    }

    async fn read(&self, kept: &mut Option<(Token, SystemTime)>) -> Result<Token, Error> {
        tracing::info!(step = "secret", "reading the Slack token");
        *kept = None;
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(|error| {
            // The service's message may contain the ARN, so only its code is kept.
            match error.code() {
                Some("ResourceNotFoundException") => not_connected(),
                Some(code) => {
                    Error::new(Kind::Unavailable, format!("Secrets Manager did not return the Slack token: {code}"))
                }
                None => Error::new(Kind::Unavailable, "Secrets Manager did not respond; run the query again"),
            }
        })?;
        let token = parse(answer.secret_string().unwrap_or_default())?;
        *kept = Some((token.clone(), self.clock.now()));
        Ok(token)
    }
}

fn parse(secret: &str) -> Result<Token, Error> {
    #[derive(Deserialize)]
    struct Wire {
        token: Option<String>,
    }
    if secret.is_empty() {
        return Err(not_connected());
    }
    // serde's message would quote the secret.
    let wire: Option<Wire> = serde_json::from_str(secret).ok();
    let Some(wire) = wire else { return Err(unusable()) };
    match wire.token {
        Some(token) if !token.is_empty() && token.chars().all(is_token) => Ok(Token(token.into())),
        Some(_) => Err(unusable()),
        // This is the state after a revocation.
        None => Err(not_connected()),
    }
}

/// Whether there is no token, because the app was never installed or was revoked.
pub(crate) fn is_not_connected(error: &Error) -> bool {
    *error == not_connected()
}

fn not_connected() -> Error {
    Error::new(
        Kind::NotConfigured,
        "Slack is not connected: there is no token; ask an administrator to install the Slack app with a start link",
    )
}

fn unusable() -> Error {
    Error::new(
        Kind::NotConfigured,
        "the secret of the Slack token is not JSON with a usable `token`; ask an administrator to install the Slack app again",
    )
}

/// The characters of a bearer token, RFC 6750 section 2.1.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
}
