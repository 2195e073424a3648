//! The four steps.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use function::{Invalid, aws, required};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use tracing::{error, info};
use write_back::{Key, Row, Signer, Terms, Token, generate};

/// The function's settings.
pub struct Settings {
    signing_keys_secret: String,
    secrets_manager: SdkConfig,
}

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns: `SIGNING_KEYS_SECRET`, the ARN of the one secret
    /// that is rotated.
    ///
    /// # Errors
    ///
    /// If it is missing.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        Ok(Settings {
            signing_keys_secret: required(variable, "SIGNING_KEYS_SECRET")?,
            secrets_manager: aws::service(variable, "SECRETS_MANAGER")?,
        })
    }
}

/// The function, for the life of its process.
pub struct KeyRotator {
    client: Client,
    secret: String,
}

/// What Secrets Manager sends.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    step: Step,
    secret_id: String,
    /// Also the ID of the new version.
    client_request_token: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

/// Why a step failed, in one sentence without the secret's name or value; Secrets Manager retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

/// The stage of the new version.
enum Version {
    Pending,
    Current,
}

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

impl KeyRotator {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings) -> KeyRotator {
        KeyRotator { client: Client::new(&settings.secrets_manager), secret: settings.signing_keys_secret }
    }

    /// Performs one step.
    ///
    /// # Errors
    ///
    /// If the event is not about this function's secret or a version in rotation, if Secrets Manager does not respond, or if
    /// the new key does not work.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<(), Error> {
        let (event, context) = event.into_parts();
        let request_id = context.request_id.as_str();
        let result = self.step(event).await;
        match &result {
            Ok(step) => info!(step = "end", request_id, rotation = ?step),
            Err(reason) => error!(step = "end", request_id, %reason),
        }
        result.map(drop)
    }

    async fn step(&self, event: serde_json::Value) -> Result<Step, Error> {
        let event: Event = serde_json::from_value(event).map_err(|_| {
            Error::new("the event is not from a rotation; must have Step, SecretId and ClientRequestToken")
        })?;
        if event.secret_id != self.secret {
            return Err(Error::new("the event is about a different secret than SIGNING_KEYS_SECRET"));
        }
        let token = &event.client_request_token;
        match (self.version(token).await?, event.step) {
            // A step that is repeated after the rotation is done.
            (Version::Current, _) | (_, Step::Set) => {}
            (Version::Pending, Step::Create) => self.create(token).await?,
            (Version::Pending, Step::Test) => self.test(token).await?,
            (Version::Pending, Step::Finish) => self.finish(token).await?,
        }
        Ok(event.step)
    }

    /// The version's stage; this function does not touch other versions.
    async fn version(&self, token: &str) -> Result<Version, Error> {
        let stages = self.stages().await?;
        let staged = |stage: &str| stages.iter().any(|(version, held)| version == token && held == stage);
        if staged(CURRENT) {
            return Ok(Version::Current);
        }
        if staged(PENDING) {
            Ok(Version::Pending)
        } else {
            Err(Error::new("the version of ClientRequestToken is not in rotation"))
        }
    }

    /// Each version with each of its stages.
    async fn stages(&self) -> Result<Vec<(String, String)>, Error> {
        let secret =
            self.client.describe_secret().secret_id(&self.secret).send().await.map_err(|error| refused(&error))?;
        let versions = secret.version_ids_to_stages.unwrap_or_default();
        let stages = versions
            .into_iter()
            .flat_map(|(version, stages)| stages.into_iter().map(move |stage| (version.clone(), stage)));
        Ok(stages.collect())
    }

    async fn create(&self, token: &str) -> Result<(), Error> {
        if self.pending(token).await?.is_some() {
            return Ok(());
        }
        // The version's ID is a UUID, so its first 12 digits are an ID that no key in use has.
        let kid: String = token.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        if kid.is_empty() {
            return Err(Error::new("ClientRequestToken has no letter or digit"));
        }
        let value = generate(&kid).map_err(|error| Error(format!("the system returned no random bytes: {error}")))?;
        let put = self.client.put_secret_value().secret_id(&self.secret).client_request_token(token);
        let put = put.secret_string(value.as_str()).version_stages(PENDING).send().await;
        match put {
            Ok(_) => Ok(()),
            // Another run of this step was faster; its key is just as good.
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    async fn test(&self, token: &str) -> Result<(), Error> {
        let key = self.pending(token).await?.ok_or_else(|| Error::new("there is no pending key to test"))?;
        if works(&key) { Ok(()) } else { Err(Error::new("the pending key does not verify what it signs")) }
    }

    async fn finish(&self, token: &str) -> Result<(), Error> {
        let stages = self.stages().await?;
        let current = stages.into_iter().find(|(_, stage)| stage == CURRENT).map(|(version, _)| version);
        // Another run of this step was faster.
        if current.as_deref() == Some(token) {
            return Ok(());
        }
        let moved = self.client.update_secret_version_stage().secret_id(&self.secret).version_stage(CURRENT);
        let moved = moved.move_to_version_id(token).set_remove_from_version_id(current).send().await;
        match moved {
            Ok(_) => Ok(()),
            // The answer was lost, and the SDK's second attempt found the work of the first.
            Err(error) => match self.version(token).await? {
                Version::Current => Ok(()),
                Version::Pending => Err(refused(&error)),
            },
        }
    }

    async fn pending(&self, token: &str) -> Result<Option<Key>, Error> {
        let get = self.client.get_secret_value().secret_id(&self.secret).version_id(token).version_stage(PENDING);
        match get.send().await {
            Ok(answer) => match Key::parse(answer.secret_string().unwrap_or_default()) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(Error(format!("the pending key cannot be read: {error}"))),
            },
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }
}

/// Whether `key` verifies what it signs.
fn works(key: &Key) -> bool {
    let terms = Terms { tenant: "probe", audience: "probe", issued: 1, expires: 1 };
    let probe = Some("probe");
    let row = Row { action: Some("generate"), customer: probe, skill: probe, cost: Some("1"), quote_id: None };
    let mut token = String::new();
    let signed = Signer::new(key, &terms).is_ok_and(|mut signer| signer.sign(&row, &mut token).is_ok());
    signed && Token::decode(&token).and_then(|token| token.accept(key, "probe", "probe", 1)).is_ok()
}

/// The service's message may contain the ARN, so only its code is kept.
fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Error {
    match error.code() {
        Some(code) => Error(format!("Secrets Manager returned {code}")),
        None => Error::new("Secrets Manager did not respond"),
    }
}

impl Error {
    fn new(message: &str) -> Error {
        Error(message.to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Diagnostic {
        Diagnostic { error_type: "RotationFailed".to_owned(), error_message: error.0 }
    }
}
