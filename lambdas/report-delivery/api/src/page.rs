//! Page tokens: where a list continues, in a form that nobody else can forge.
//!
//! A token is `base64url(JSON || MAC)`. The MAC is keyed BLAKE2b-256 over the JSON, which names the tenant, the caller's kind, the
//! query, the last key and the expiry. Any change to any of them gives the same 400.

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Update};
use function::Clock;
use report_queue::JobKey;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// The content of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) tenant: String,
    pub(crate) viewer: String,
    /// The dashboard of the list, if it is limited to one.
    pub(crate) query: Option<String>,
    pub(crate) dashboard: String,
    pub(crate) job: String,
    /// Seconds since 1970.
    pub(crate) expires: u64,
}

impl Place {
    pub(crate) fn key(self) -> JobKey {
        JobKey { dashboard: self.dashboard, job: self.job }
    }
}

/// How long a list can be continued; seconds.
pub(crate) const LIFE_SECONDS: u64 = 60 * 60;

/// Two IDs of 512 characters, the names of tenant and query, and the MAC.
const MAX_TOKEN: usize = 4096;

const MAC: usize = 32;

/// The key of the tokens as last read.
pub(crate) struct PageKey {
    client: Client,
    secret_id: String,
    clock: Clock,
    kept: Mutex<Option<(String, SystemTime)>>,
}

const KEPT: Duration = Duration::from_secs(5 * 60);

impl PageKey {
    pub(crate) fn new(client: Client, secret_id: String, clock: Clock) -> PageKey {
        PageKey { client, secret_id, clock, kept: Mutex::new(None) }
    }

    /// The token of a position.
    ///
    /// # Errors
    ///
    /// If the key cannot be read.
    pub(crate) async fn seal(&self, place: &Place) -> Result<String> {
        let mut bytes = serde_json::to_vec(place).expect("text can always be written as JSON");
        let mac = mac(&self.key().await?, &bytes);
        bytes.extend(mac);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a token that was signed with this key, whatever its content.
    ///
    /// # Errors
    ///
    /// If it is not such a token, or if the key cannot be read.
    pub(crate) async fn open(&self, token: &str) -> Result<Place> {
        if token.len() > MAX_TOKEN {
            return Err(unknown());
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
        let at = bytes.len().checked_sub(MAC).ok_or_else(unknown)?;
        let (text, found) = bytes.split_at(at);
        let right = mac(&self.key().await?, text);
        if bool::from(right.ct_eq(found)) {
            serde_json::from_slice(text).map_err(|_| unknown())
        } else {
            Err(unknown())
        }
    }

    async fn key(&self) -> Result<String> {
        let mut kept = self.kept.lock().await;
        if let Some((key, read)) = kept.as_ref()
            && self.clock.now().duration_since(*read).is_ok_and(|age| age < KEPT)
        {
            return Ok(key.clone());
        }
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        // The service's message may contain the ARN, so only its code is kept.
        let answer = answer.map_err(|error| {
            let cause = error.code().unwrap_or("no answer");
            Error::unavailable(format!("the secret of PAGE_KEY_SECRET cannot be read: {cause}"))
        })?;
        let key = answer.secret_string.unwrap_or_default();
        if !(32..=64).contains(&key.len()) {
            return Err(Error::unavailable("the secret of PAGE_KEY_SECRET must be 32 to 64 characters long"));
        }
        *kept = Some((key.clone(), self.clock.now()));
        Ok(key)
    }
}

/// One message for everything that can be wrong with a token.
pub(crate) fn unknown() -> Error {
    Error::invalid("`nextToken` was not returned by this list within the last hour; remove it to start again")
}

fn mac(key: &str, text: &[u8]) -> [u8; MAC] {
    let mac = Blake2bMac::<U32>::new_with_salt_and_personal(Some(key.as_bytes()), &[], b"report-page-v1");
    let mut mac = mac.expect("the key has 1 to 64 bytes");
    mac.update(text);
    mac.finalize_fixed().into()
}
