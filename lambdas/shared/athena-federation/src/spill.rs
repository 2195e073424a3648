//! Stores blocks that do not fit into a response, encrypted, in S3.

use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use function::{Failure as CallFailure, Outcome};
use serde_json::json;

use crate::aws_json::{AwsJson, Failure};
use crate::block::decode;
use crate::error::{Error, Kind};
use crate::request::{EncryptionKey, SpillLocation};

/// Where blocks are stored, and where their keys come from.
#[derive(Debug)]
pub struct Spill {
    s3: aws_sdk_s3::Client,
    bucket: String,
    prefix: String,
    keys: DataKeys,
}

/// The source of the keys that encrypt spilled blocks.
#[derive(Debug)]
pub enum DataKeys {
    /// This process: 32 random bytes from the system per split.
    Local,
    /// KMS: one data key per response, so that each use appears in that key's trail.
    Kms {
        /// The KMS key's ARN.
        key_id: String,
        /// How to reach KMS.
        config: Box<SdkConfig>,
    },
}

/// How often a block is stored before the read fails. The SDK repeats a call that was throttled; this is for what it does not repeat,
/// above all S3's answer that another conditional write of the same object is under way.
const TRIES: u32 = 5;

/// The default folder of blocks, the same as the SDK's.
const PREFIX: &str = "athena-federation-spill";

impl Spill {
    /// Spills to `bucket` below `prefix`; an empty prefix is `athena-federation-spill`.
    ///
    /// The bucket should have a lifecycle of one day: nothing else deletes blocks.
    pub fn new(s3: &SdkConfig, bucket: impl Into<String>, prefix: &str, keys: DataKeys) -> Spill {
        let prefix = prefix.trim_matches('/');
        Spill {
            s3: client_for_large_objects(s3),
            bucket: bucket.into(),
            prefix: if prefix.is_empty() { PREFIX.to_owned() } else { prefix.to_owned() },
            keys,
        }
    }

    /// A new location and key for each of `count` splits.
    pub(crate) async fn places(
        &self,
        query_id: &str,
        count: usize,
    ) -> Result<Vec<(SpillLocation, EncryptionKey)>, Error> {
        let folder = if self.prefix.split('/').any(|part| part == query_id) {
            self.prefix.clone()
        } else {
            format!("{}/{query_id}", self.prefix)
        };
        let shared = match &self.keys {
            DataKeys::Local => None,
            DataKeys::Kms { key_id, config } if count > 0 => Some(data_key(key_id, config).await?),
            DataKeys::Kms { .. } => None,
        };
        let place = |_| {
            let key = match &shared {
                Some(key) => key.clone(),
                None => STANDARD.encode(random::<32>()?),
            };
            // Random 96-bit nonces under one key collide only after billions; a KMS key serves the splits of one response.
            let nonce = STANDARD.encode(random::<12>()?);
            let key_of_split = format!("{folder}/{}", uuid::Uuid::new_v4());
            Ok((SpillLocation::directory(&self.bucket, key_of_split), EncryptionKey { key, nonce }))
        };
        (0..count).map(place).collect()
    }

    /// Rejects a location that this function did not issue.
    pub(crate) fn check(&self, location: &SpillLocation) -> Result<(), Error> {
        let own = location.bucket == self.bucket
            && location.key.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('/'))
            && !location.key.split('/').any(|part| part == "..");
        if own {
            Ok(())
        } else {
            Err(Error::invalid("the split's spill location is outside this function's spill bucket and prefix"))
        }
    }

    /// Stores a block, encrypted if there is a key.
    ///
    /// An encrypted block is written at most once: S3 rejects a second object with its name, so that a repeated read cannot encrypt
    /// different rows with the same key and nonce. The object that the first read stored then answers both.
    ///
    /// `owner` is the account that must own the bucket.
    pub(crate) async fn put(
        &self,
        location: &SpillLocation,
        mut block: Vec<u8>,
        key: Option<&EncryptionKey>,
        owner: Option<&str>,
    ) -> Result<(), Error> {
        if let Some(key) = key {
            seal(&mut block, key)?;
        }
        let body = SdkBody::from(block);
        let mut tried = 1;
        loop {
            let put = self
                .s3
                .put_object()
                .bucket(&location.bucket)
                .key(&location.key)
                .set_expected_bucket_owner(owner.map(str::to_owned))
                .set_if_none_match(key.map(|_| "*".to_owned()))
                .body(ByteStream::new(body.try_clone().expect("a body in memory can be sent again")));
            let Err(error) = put.send().await else { return Ok(()) };
            if key.is_some() && error.code() == Some("PreconditionFailed") {
                tracing::warn!(step = "spill", "the block was stored by an earlier attempt of the same read");
                return Ok(());
            }
            // The service's message may contain names of buckets and accounts, so only its code is kept.
            let failure = CallFailure::of(&error);
            if failure.outcome != Outcome::NotDone || tried == TRIES {
                return Err(Error::new(
                    Kind::SpillFailed,
                    format!("the rows could not be stored in the spill bucket: {failure}"),
                ));
            }
            tracing::warn!(step = "spill", reason = %failure, "storing the block again");
            tokio::time::sleep(Duration::from_millis((100 << tried) + fastrand::u64(..100))).await;
            tried += 1;
        }
    }
}

/// A client of S3 for objects of megabytes, which a timeout for small calls would cut off: one attempt has 20 seconds, all attempts
/// together have 60.
pub fn client_for_large_objects(config: &SdkConfig) -> aws_sdk_s3::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1500))
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(60));
    let config = aws_sdk_s3::config::Builder::from(config)
        .timeout_config(timeouts.build())
        .force_path_style(config.endpoint_url().is_some());
    aws_sdk_s3::Client::from_conf(config.build())
}

/// AES-GCM in place, without additional data, followed by the 16-byte tag, as Athena's reader expects.
fn seal(block: &mut Vec<u8>, key: &EncryptionKey) -> Result<(), Error> {
    let (bytes, nonce) = key.bytes()?;
    let failed = |_| Error::new(Kind::SpillFailed, "the rows could not be encrypted");
    let key = LessSafeKey::new(UnboundKey::new(algorithm(&bytes), &bytes).map_err(failed)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), block).map_err(failed)
}

/// The cipher for a split's key of 16 or 32 bytes.
pub(crate) fn algorithm(key: &[u8]) -> &'static Algorithm {
    if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM }
}

async fn data_key(key_id: &str, config: &SdkConfig) -> Result<String, Error> {
    let failed = |what: &str| Error::new(Kind::SpillFailed, format!("KMS returned no key for the rows: {what}"));
    let kms = AwsJson::new("kms", "TrentService.GenerateDataKey", config);
    // 256 bits instead of the SDK's 128: Athena decrypts by the length of the key, as it must for local keys.
    let answer = kms.call(json!({"KeyId": key_id, "KeySpec": "AES_256"})).await.map_err(|failure| match failure {
        Failure::Refused(code) => failed(&code),
        Failure::Unanswered => failed("no answer"),
    })?;
    let key = answer["Plaintext"].as_str().unwrap_or_default();
    match decode(key) {
        Ok(bytes) if bytes.len() == 32 => Ok(key.to_owned()),
        _ => Err(failed("a response without a key")),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::new(Kind::SpillFailed, "the system returned no random numbers"))?;
    Ok(bytes)
}
