//! Uploads the files that a stack reads to the asset bucket, once each: keys are hashes of the contents.
//!
//! A key alone proves nothing, because whoever may write to the bucket can store anything under it. So a stored object counts only if S3
//! has the same SHA-256 checksum for it, which S3 computes itself from what it stores.

use std::collections::BTreeMap;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};
use aws_smithy_types::base64;
use futures_util::{StreamExt, stream};

use crate::assembly::{Asset, StackArtifact};
use crate::aws::sdk_error::from_sdk;
use crate::aws::target::Origin;
use crate::{Error, Progress, Target};

/// How a template is sent to CloudFormation.
pub(crate) enum TemplateSource {
    Inline(String),
    Url(String),
}

/// Uploads at the same time. Each holds its file in memory, at most 50 MB.
const AT_ONCE: usize = 8;

/// Uploads the code of the stacks' functions to the bucket of each one's place, unless it is there.
pub(crate) async fn upload_missing(
    target: &Target,
    stacks: impl IntoIterator<Item = &StackArtifact>,
    progress: &Progress,
) -> Result<(), Error> {
    let mut places: Vec<(Target, BTreeMap<&str, &Asset>)> = Vec::new();
    for stack in stacks.into_iter().filter(|stack| !stack.assets.is_empty()) {
        let place = target.of(stack)?;
        let assets = stack.assets.iter().map(|asset| (asset.key.as_str(), asset));
        let is_place = |other: &Target| (&other.account, &other.region) == (&place.account, &place.region);
        match places.iter_mut().find(|(other, _)| is_place(other)) {
            Some((_, known)) => known.extend(assets),
            None => places.push((place, assets.collect())),
        }
    }
    for (target, assets) in &places {
        upload_all(target, assets, progress).await?;
    }
    Ok(())
}

/// Uploads the assets that are not in the bucket yet, several at a time.
async fn upload_all(target: &Target, assets: &BTreeMap<&str, &Asset>, progress: &Progress) -> Result<(), Error> {
    require_bucket(target).await?;
    progress.begin("uploading the functions' code", assets.len() as u64);
    let uploads = assets.values().map(|asset| upload(target, asset, progress));
    let mut uploads = stream::iter(uploads).buffer_unordered(AT_ONCE);
    let (mut done, mut uploaded) = (0, 0);
    while let Some(result) = uploads.next().await {
        uploaded += usize::from(result?);
        done += 1;
        progress.done(done);
    }
    progress.line(format!("functions' code: {uploaded} uploaded, {} already there", assets.len() - uploaded));
    Ok(())
}

/// Uploads one asset, unless the bucket has it; returns whether it was uploaded.
async fn upload(target: &Target, asset: &Asset, progress: &Progress) -> Result<bool, Error> {
    let hash = asset.key.split('.').next().unwrap_or_default();
    let stored = stored(target, &asset.key, hash).await?;
    if stored == Stored::Same {
        return Ok(false);
    }
    let bytes = std::fs::read(&asset.path)
        .map_err(|error| Error::Refused(format!("cannot read {}: {error}", asset.path.display())))?;
    if cfn::sha256(&bytes) != hash {
        return Err(Error::Refused(format!(
            "{} has changed since it was synthesized; synthesize again",
            asset.path.display()
        )));
    }
    if stored == Stored::Other {
        progress.line(format!(
            "{} in {} is not the code of {}, or has no checksum; it is replaced",
            asset.key, target.bucket.name, asset.name
        ));
    }
    put(target, &asset.key, bytes, "application/zip").await?;
    Ok(true)
}

/// Uploads the template, below `prefix`, if it does not fit into a request.
pub(crate) async fn template_source(target: &Target, template: &str, prefix: &str) -> Result<TemplateSource, Error> {
    if template.len() <= cfn::INLINE_BYTES {
        return Ok(TemplateSource::Inline(template.to_owned()));
    }
    require_bucket(target).await?;
    let hash = cfn::sha256(template);
    let key = format!("{prefix}{hash}.json");
    if stored(target, &key, &hash).await? != Stored::Same {
        put(target, &key, template.as_bytes().to_vec(), "application/json").await?;
    }
    Ok(TemplateSource::Url(target.object_url(&key)))
}

async fn require_bucket(target: &Target) -> Result<(), Error> {
    let bucket = &target.bucket.name;
    let request = target.s3.head_bucket().bucket(bucket).set_expected_bucket_owner(owner(target));
    let Err(error) = target.lanes.storage.call(|| request.clone().send()).await else { return Ok(()) };
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(404) if target.bucket.origin != Origin::Named => Err(Error::Refused(format!(
            "there is no bucket for functions' code in account {}, region {}; run `scripts/deploy --bootstrap` once, or name a bucket with --asset-bucket",
            target.account, target.region
        ))),
        Some(404) => {
            Err(Error::Refused(format!("the bucket {bucket} does not exist; create it, or remove --asset-bucket")))
        }
        Some(301) => Err(Error::Refused(format!(
            "the bucket {bucket} is not in {}; the functions' code must be in the same region as the stack",
            target.region
        ))),
        _ => Err(from_sdk(&format!("looking for the bucket {bucket}"), error)),
    }
}

/// The account that must own the bucket of the platform stack or of `cdk bootstrap`. The name of the latter can be guessed, so without
/// this check the functions' code would be sent to a stranger who created that bucket first.
fn owner(target: &Target) -> Option<String> {
    (target.bucket.origin != Origin::Named).then(|| target.account.clone())
}

/// What the bucket has under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    Nothing,
    /// The expected contents.
    Same,
    /// Other contents, or contents without a checksum.
    Other,
}

/// Compares what is stored with the SHA-256 of the expected contents, in hexadecimal.
async fn stored(target: &Target, key: &str, hash: &str) -> Result<Stored, Error> {
    let request = target.s3.head_object().bucket(&target.bucket.name).key(key).checksum_mode(ChecksumMode::Enabled);
    let request = request.set_expected_bucket_owner(owner(target));
    match target.lanes.storage.call(|| request.clone().send()).await {
        Ok(found) => {
            let checksum = found.checksum_sha256().and_then(|text| base64::decode(text).ok());
            let same = checksum.is_some_and(|bytes| hexadecimal(&bytes) == hash);
            Ok(if same { Stored::Same } else { Stored::Other })
        }
        Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => {
            Ok(Stored::Nothing)
        }
        Err(error) => Err(from_sdk(&format!("looking for {key} in {}", target.bucket.name), error)),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// S3 rejects the object if it does not arrive with the checksum that is computed here.
async fn put(target: &Target, key: &str, bytes: Vec<u8>, content_type: &str) -> Result<(), Error> {
    let bucket = &target.bucket.name;
    let bytes = SdkBody::from(bytes);
    let send = || {
        let body = bytes.try_clone().expect("a body in memory can be sent again");
        let request = target.s3.put_object().bucket(bucket).key(key).content_type(content_type);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Sha256).set_expected_bucket_owner(owner(target));
        request.body(ByteStream::new(body)).send()
    };
    match target.lanes.storage.call(send).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchBucket") => {
            Err(Error::Refused(format!("the bucket {bucket} no longer exists")))
        }
        Err(error) => Err(from_sdk(&format!("uploading {key} to {bucket}"), error)),
    }
}
