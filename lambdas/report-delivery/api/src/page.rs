//! Page tokens: where a list continues, in a form that nobody else can read or forge.
//!
//! A token is `base64url(nonce || ciphertext || tag)` of JSON that names the tenant, the caller's kind, the query, the last key and the
//! expiry. It is encrypted, because the last key may be the ID of another caller's job. Any change gives the same 400.

use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use blake2::Blake2bMac;
use blake2::digest::FixedOutput;
use blake2::digest::consts::U32;
use function::{Clock, Failure};
use report_queue::JobKey;
use serde::{Deserialize, Serialize};
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

/// Two IDs of 512 characters, the names of tenant and query, the nonce and the tag.
const MAX_TOKEN: usize = 4096;

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
        let mut sealed = serde_json::to_vec(place).expect("text can always be written as JSON");
        let nonce = self.cipher().await?.seal_in_place_append_tag(Aad::empty(), &mut sealed);
        let nonce = nonce.map_err(|_| Error::unavailable("the page token could not be made"))?;
        let mut token = nonce.as_ref().to_vec();
        token.extend(sealed);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(token))
    }

    /// The position in a token that was made with this key, whatever its content.
    ///
    /// # Errors
    ///
    /// If it is not such a token, or if the key cannot be read.
    pub(crate) async fn open(&self, token: &str) -> Result<Place> {
        if token.len() > MAX_TOKEN {
            return Err(unknown());
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(unknown)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unknown())?;
        let mut sealed = sealed.to_vec();
        let text = self.cipher().await?.open_in_place(nonce, Aad::empty(), &mut sealed).map_err(|_| unknown())?;
        serde_json::from_slice(text).map_err(|_| unknown())
    }

    async fn cipher(&self) -> Result<RandomizedNonceKey> {
        let key = derived(&self.key().await?);
        Ok(RandomizedNonceKey::new(&AES_256_GCM, &key).expect("the key has 32 bytes"))
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
            Error::unavailable(format!("the secret of PAGE_KEY_SECRET cannot be read: {}", Failure::of(&error)))
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

/// The key of the tokens, which are not the only use that a secret may have.
fn derived(secret: &str) -> [u8; 32] {
    let hash = Blake2bMac::<U32>::new_with_salt_and_personal(Some(secret.as_bytes()), &[], b"report-page-v2");
    hash.expect("the secret has 1 to 64 bytes").finalize_fixed().into()
}
