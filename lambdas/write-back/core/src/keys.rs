//! The keys as Secrets Manager has them: the current one signs; current, previous and pending verify.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use function::Clock;
use tokio::sync::Mutex;

use crate::key::Key;

/// The keys of one secret, read when needed and kept for a while.
pub struct Keys {
    client: Client,
    secret: String,
    clock: Clock,
    kept: Mutex<Kept>,
}

/// The keys cannot be had; says why in one sentence, without the secret's name or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(String);

/// The longest that a key is used without asking whether it still is one.
const KEPT: Duration = Duration::from_secs(300);

/// How often an unknown key id may make the keys be read anew: a flood of them is no flood of reads.
const REFRESH: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Kept {
    current: Option<(Arc<Key>, SystemTime)>,
    /// The previous key and the pending one, as far as there are any.
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
    /// When it is not at hand and Secrets Manager does not give it.
    pub async fn signing(&self) -> Result<Arc<Key>, Unavailable> {
        self.current(&mut *self.kept.lock().await).await
    }

    /// The key with the id `kid`, when it is the current, the previous or the pending one.
    ///
    /// One that is not at hand is looked for in Secrets Manager, at most once in 10 seconds.
    ///
    /// # Errors
    ///
    /// When Secrets Manager was asked and gave no answer.
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
        // The pending key first: one that becomes current in between is then seen twice and not missed.
        let (pending, previous) = (self.read("AWSPENDING").await?, self.read("AWSPREVIOUS").await?);
        kept.current = None;
        self.current(kept).await?;
        kept.others = Some((pending.into_iter().chain(previous).collect(), self.clock.now()));
        Ok(())
    }

    /// The key that `stage` is attached to, or `None` when there is no such version.
    async fn read(&self, stage: &str) -> Result<Option<Arc<Key>>, Unavailable> {
        let read = self.client.get_secret_value().secret_id(&self.secret).version_stage(stage);
        match read.send().await {
            Ok(answer) => match Key::parse(answer.secret_string().unwrap_or_default()) {
                Ok(key) => Ok(Some(Arc::new(key))),
                Err(error) => Err(Unavailable(format!("the signing key ({stage}) cannot be read: {error}"))),
            },
            // The service's message may carry the ARN, so only its code is kept.
            Err(error) => match error.code() {
                Some("ResourceNotFoundException") => Ok(None),
                Some(code) => Err(Unavailable(format!("Secrets Manager did not give the signing key: {code}"))),
                None => Err(Unavailable("Secrets Manager did not answer".into())),
            },
        }
    }
}

fn is_younger(time: SystemTime, age: Duration, now: SystemTime) -> bool {
    now.duration_since(time).is_ok_and(|passed| passed < age)
}

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
