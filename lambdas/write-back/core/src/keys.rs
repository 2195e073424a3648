//! The keys in Secrets Manager: the current one signs; current, previous and pending ones verify.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use function::{Clock, Failure};
use tokio::sync::Mutex;

use crate::key::Key;

/// The keys of one secret, read when needed and cached for a while.
pub struct Keys {
    client: Client,
    secret: String,
    clock: Clock,
    kept: Mutex<Kept>,
}

/// The keys are not available; says why in one sentence, without the secret's name or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(String);

/// The longest time that a key is used without checking whether it is still valid.
const KEPT: Duration = Duration::from_secs(300);

/// How often an unknown key ID may cause the keys to be read again, so that a flood of IDs causes no flood of reads.
const REFRESH: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Kept {
    current: Option<(Arc<Key>, SystemTime)>,
    /// The previous and the pending key, if they exist.
    others: Option<(Vec<Arc<Key>>, SystemTime)>,
    refreshed: Option<SystemTime>,
}

impl Keys {
    /// The keys of the secret with the ARN `secret`; nothing is read yet.
    pub fn new(client: Client, secret: String, clock: Clock) -> Keys {
        Keys { client, secret, clock, kept: Mutex::default() }
    }

    /// The key to sign with: the current one.
    ///
    /// # Errors
    ///
    /// If it is not cached and Secrets Manager does not return it.
    pub async fn signing(&self) -> Result<Arc<Key>, Unavailable> {
        self.current(&mut *self.kept.lock().await).await
    }

    /// The key with the ID `kid`, if it is the current, previous or pending one.
    ///
    /// A key that is not cached is looked up in Secrets Manager, at most once every 10 seconds.
    ///
    /// # Errors
    ///
    /// If Secrets Manager was called and did not respond.
    pub async fn verifying(&self, kid: &str) -> Result<Option<Arc<Key>>, Unavailable> {
        let mut kept = self.kept.lock().await;
        let current = self.current(&mut kept).await?;
        if current.kid() == kid {
            return Ok(Some(current));
        }
        let now = self.clock.now();
        if let Some((others, read)) = &kept.others
            && is_younger(*read, KEPT, now)
            && let Some(key) = others.iter().find(|key| key.kid() == kid)
        {
            return Ok(Some(key.clone()));
        }
        if kept.refreshed.is_some_and(|refreshed| is_younger(refreshed, REFRESH, now)) {
            return Ok(None);
        }
        kept.refreshed = Some(now);
        self.refresh(&mut kept).await?;
        let current = kept.current.iter().map(|(key, _)| key);
        let others = kept.others.iter().flat_map(|(others, _)| others);
        Ok(current.chain(others).find(|key| key.kid() == kid).cloned())
    }

    async fn current(&self, kept: &mut Kept) -> Result<Arc<Key>, Unavailable> {
        if let Some((key, read)) = &kept.current
            && is_younger(*read, KEPT, self.clock.now())
        {
            return Ok(key.clone());
        }
        kept.current = None;
        let key =
            self.read("AWSCURRENT").await?.ok_or_else(|| Unavailable("the signing key has no value yet".into()))?;
        kept.current = Some((key.clone(), self.clock.now()));
        Ok(key)
    }

    async fn refresh(&self, kept: &mut Kept) -> Result<(), Unavailable> {
        // The pending key is read first, so that one that becomes current in between is seen twice rather than missed.
        let (pending, previous) = (self.read("AWSPENDING").await?, self.read("AWSPREVIOUS").await?);
        kept.current = None;
        self.current(kept).await?;
        kept.others = Some((pending.into_iter().chain(previous).collect(), self.clock.now()));
        Ok(())
    }

    /// The key with the label `stage`, or `None` if there is no such version.
    async fn read(&self, stage: &str) -> Result<Option<Arc<Key>>, Unavailable> {
        let read = self.client.get_secret_value().secret_id(&self.secret).version_stage(stage);
        match read.send().await {
            Ok(answer) => match Key::parse(answer.secret_string().unwrap_or_default()) {
                Ok(key) => Ok(Some(Arc::new(key))),
                Err(error) => Err(Unavailable(format!("the signing key ({stage}) cannot be read: {error}"))),
            },
            // The service's message may contain the ARN, so only its code is kept.
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => {
                    let failure = Failure::of(&error);
                    Err(Unavailable(format!("Secrets Manager did not return the signing key: {failure}")))
                }
            },
        }
    }
}

fn is_younger(time: SystemTime, age: Duration, now: SystemTime) -> bool {
    now.duration_since(time).is_ok_and(|passed| passed < age)
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
