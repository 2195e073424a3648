//! The three secrets: the start key and the app's client secret are read, the token is read and replaced.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use function::{Clock, Failure};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::digest::{Purpose, Random, hash};
use crate::error::{Error, Kind, Result};
use crate::token::{Token, is_bearer};

/// The secrets of the stack.
pub(crate) struct Vault {
    pub(crate) client: Client,
    pub(crate) start_key: String,
    pub(crate) client_secret: String,
    pub(crate) token: String,
    pub(crate) clock: Clock,
    pub(crate) kept: Mutex<Option<(StartKey, SystemTime)>>,
}

/// The key of start links. It has no `Debug` and no `Display`.
#[derive(Clone)]
pub(crate) struct StartKey(Arc<str>);

/// The app's client secret. It has no `Debug` and no `Display`.
pub(crate) struct ClientSecret(String);

/// The content of the token's secret.
pub(crate) struct Content {
    /// The version that it was read from; `None` if the secret has no value yet.
    version: Option<String>,
    /// `None` if there is no token or it was revoked.
    pub(crate) token: Option<Token>,
}

/// Limits the cost of junk links at Secrets Manager.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// How often a token is written, and the pause before the next attempt.
const WRITES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

const VERSION: Purpose = Purpose(b"token-version-v1");
const PROOF: Purpose = Purpose(b"token-proof-v1");

const CURRENT: &str = "AWSCURRENT";

/// The label of a new version before it becomes the current one.
const PENDING: &str = "AWSPENDING";

/// The value of a secret whose token was revoked.
const EMPTY: &str = "{}";

impl StartKey {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl ClientSecret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Vault {
    /// The key of start links, cached for five minutes.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not respond, or the secret is not 16 to 64 characters long.
    pub(crate) async fn start_key(&self) -> Result<StartKey> {
        let mut kept = self.kept.lock().await;
        if let Some((key, read)) = kept.as_ref()
            && self.clock.now().duration_since(*read).is_ok_and(|age| age < KEPT)
        {
            return Ok(key.clone());
        }
        let (_, text) = self
            .read(&self.start_key, "START_KEY_SECRET", CURRENT)
            .await?
            .ok_or_else(|| no_value("START_KEY_SECRET"))?;
        // This rejects above all an empty key, which BLAKE2b accepts silently and with which anybody could sign.
        if !(16..=64).contains(&text.len()) {
            return Err(unavailable("the secret of START_KEY_SECRET is not 16 to 64 characters long"));
        }
        let key = StartKey(text.into());
        *kept = Some((key.clone(), self.clock.now()));
        Ok(key)
    }

    /// The app's current client secret.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not respond, or the secret is not `{"client_secret":"…"}`.
    pub(crate) async fn client_secret(&self) -> Result<ClientSecret> {
        #[derive(Deserialize)]
        struct Wire {
            client_secret: String,
        }
        let name = "CLIENT_SECRET_SECRET";
        let (_, text) = self.read(&self.client_secret, name, CURRENT).await?.ok_or_else(|| no_value(name))?;
        // serde's message would quote the secret.
        let wire: Option<Wire> = serde_json::from_str(&text).ok();
        let secret = wire.map(|wire| wire.client_secret).filter(|secret| is_bearer(secret));
        secret.map(ClientSecret).ok_or_else(|| {
            unavailable("the secret of CLIENT_SECRET_SECRET is not {\"client_secret\":\"…\"}; store the app's client secret in it")
        })
    }

    /// The current content of the token's secret.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not respond.
    pub(crate) async fn content(&self) -> Result<Content> {
        Ok(match self.read(&self.token, "SLACK_TOKEN_SECRET", CURRENT).await? {
            Some((version, text)) => Content { token: Token::parse(&text), version: Some(version) },
            None => Content { version: None, token: None },
        })
    }

    /// Makes a token current that an earlier run wrote as the successor of `current` but could not make current; `None` if there is
    /// none. Slack accepts the refresh token of `current` no longer then.
    ///
    /// # Errors
    ///
    /// As for [`Vault::replace`].
    pub(crate) async fn recover(&self, current: &Content) -> Result<Option<Content>> {
        let Some(previous) = &current.version else { return Ok(None) };
        let Some((version, text)) = self.read(&self.token, "SLACK_TOKEN_SECRET", PENDING).await? else {
            return Ok(None);
        };
        let token = Token::parse(&text);
        if token.is_none() || !version.starts_with(&successor(previous)) {
            return Ok(None);
        }
        self.make_current(&version, previous).await?;
        Ok(Some(Content { version: Some(version), token }))
    }

    /// Proves that a successor of the content that was read can be stored, without changing what is current.
    ///
    /// A refresh token works once. If its successor could not be stored, no token would be left, so a run writes an empty version first.
    /// It has the same name for the same content, so there is one at most.
    ///
    /// # Errors
    ///
    /// If Secrets Manager does not accept it.
    pub(crate) async fn prove_writable(&self, read: &Content) -> Result<()> {
        let version = hex::encode(&hash(PROOF, read.version.as_deref().unwrap_or_default().as_bytes())[..16]);
        self.put(&version, EMPTY, PENDING).await
    }

    /// Replaces the content that was read with a token, or with none, unless it has changed in the meantime.
    ///
    /// A new version is first written next to the current one. Then it becomes the current one, provided that the version that was
    /// read is still current: Secrets Manager only moves a label away from the version that has it.
    ///
    /// # Errors
    ///
    /// [`Kind::Overtaken`] if another version has become the current one; also if Secrets Manager does not respond.
    pub(crate) async fn replace(&self, read: &Content, token: Option<&Token>) -> Result<()> {
        let value = token.map_or_else(|| EMPTY.to_owned(), Token::json);
        // The name of the version; a write that is repeated creates the same version. It says which version it replaces.
        let replaced = read.version.as_deref().map(successor).unwrap_or_default();
        let version = format!("{replaced}{}", &Random::new().hash(VERSION)[..32]);
        let stage = if read.version.is_some() { PENDING } else { CURRENT };
        self.put(&version, &value, stage).await?;
        match &read.version {
            Some(previous) => self.make_current(&version, previous).await,
            None => Ok(()),
        }
    }

    /// Writes a version. This is repeated whatever the answer is, because the token is nowhere else.
    async fn put(&self, version: &str, value: &str, stage: &str) -> Result<()> {
        let mut tried = 1;
        loop {
            let put = self.client.put_secret_value().secret_id(&self.token).client_request_token(version);
            let Err(error) = put.secret_string(value).version_stages(stage).send().await else { return Ok(()) };
            let failure = Failure::of(&error);
            if tried == WRITES {
                return Err(not_written(&failure));
            }
            tracing::warn!(step = "store", reason = %failure, "storing the token again");
            self.clock.sleep(PAUSE).await;
            tried += 1;
        }
    }

    /// Moves the label of the current version from `previous` to `version`.
    async fn make_current(&self, version: &str, previous: &str) -> Result<()> {
        let update = self.client.update_secret_version_stage().secret_id(&self.token).version_stage(CURRENT);
        let moved = update.remove_from_version_id(previous).move_to_version_id(version).send().await;
        let Err(error) = moved else { return Ok(()) };
        // After a lost answer, the SDK's second attempt finds that the first one moved the label.
        match self.read(&self.token, "SLACK_TOKEN_SECRET", CURRENT).await {
            Ok(Some((current, _))) if current == version => Ok(()),
            Ok(Some((current, _))) if current != previous => {
                Err(Error::new(Kind::Overtaken, "the token was changed by another run in the meantime"))
            }
            _ => Err(not_written(&Failure::of(&error))),
        }
    }

    /// The version and text of a secret's value with the label `stage`, or `None` if it has none; `name` is the variable with its ARN.
    async fn read(&self, secret: &str, name: &str, stage: &str) -> Result<Option<(String, String)>> {
        match self.client.get_secret_value().secret_id(secret).version_stage(stage).send().await {
            Ok(answer) => Ok(Some((answer.version_id.unwrap_or_default(), answer.secret_string.unwrap_or_default()))),
            // The service's message may contain the ARN, so only its code is kept.
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => {
                    let failure = Failure::of(&error);
                    Err(unavailable(&format!("Secrets Manager did not return the secret of {name}: {failure}")))
                }
            },
        }
    }
}

fn no_value(name: &str) -> Error {
    unavailable(&format!("the secret of {name} has no value yet; store one"))
}

fn not_written(failure: &Failure) -> Error {
    unavailable(&format!("Secrets Manager did not accept the token: {failure}"))
}

/// How the name of a version begins that replaces `version`.
fn successor(version: &str) -> String {
    hex::encode(&hash(VERSION, version.as_bytes())[..16])
}

fn unavailable(message: &str) -> Error {
    Error::new(Kind::SecretUnavailable, message)
}
