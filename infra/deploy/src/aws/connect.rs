//! Finds out who is calling, in which region, and where functions' code is stored.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_s3::Client as S3;

use crate::Error;
use crate::aws::credentials::{self, CredentialsError};
use crate::aws::json::AwsJson;
use crate::aws::lanes::{Lanes, Rates};
use crate::aws::sdk_error::from_sdk;
use crate::aws::target::{AssetBucket, Origin, Target};
use crate::aws::{partition, platform, run_name};

impl Target {
    /// Finds out who is calling, and where functions' code goes: to `asset_bucket` if it is given, else to the bucket of the platform
    /// stack if that is deployed, else to the one of `cdk bootstrap`. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if there is no region or there are no credentials, [`Error::Access`] if AWS does not accept them.
    pub async fn connect(config: &SdkConfig, asset_bucket: Option<&str>) -> Result<Target, Error> {
        let explain = |error: &CredentialsError| {
            Error::Refused(format!("could not get AWS credentials: {}", credentials::reason(error)))
        };
        Target::connect_or(config, asset_bucket, None, explain).await
    }

    /// [`Target::connect`] to the expected account; `explain` turns missing credentials into an error.
    pub(super) async fn connect_or(
        config: &SdkConfig,
        asset_bucket: Option<&str>,
        expected: Option<Expected<'_>>,
        explain: impl Fn(&CredentialsError) -> Error,
    ) -> Result<Target, Error> {
        let region = region(config)?;
        let identity = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
        let identity = identity.map_err(|error| match credentials::cause_of(&error) {
            Some(cause) => explain(cause),
            None => from_sdk(&format!("asking who is calling in {region}"), error).into_refusal(),
        })?;
        let account = identity.account().unwrap_or_default().to_owned();
        if let Some(Expected { account: wanted, signer }) = expected.filter(|expected| expected.account != account) {
            return Err(Error::Refused(format!(
                "nothing was changed: the environment is account {wanted} in {region}, and {signer} account {account}; use a different --profile"
            )));
        }
        let dns_suffix = partition::dns_suffix(&region).await;
        let mut target = with_clients(config, account, region, dns_suffix);
        if let Some(name) = asset_bucket {
            target.bucket = AssetBucket { name: name.to_owned(), origin: Origin::Named };
        } else if let Some(name) = platform::asset_bucket(&target).await.map_err(Error::into_refusal)? {
            target.bucket = AssetBucket { name, origin: Origin::Platform };
        }
        Ok(target)
    }
}

/// The account that the caller has to be in.
pub(super) struct Expected<'a> {
    pub(super) account: &'a str,
    /// Who signs in, up to the account: `the AWS profile `ci` signs in to`.
    pub(super) signer: String,
}

fn region(config: &SdkConfig) -> Result<String, Error> {
    let Some(region) = config.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
        return Err(Error::Refused(
            "no AWS region is set; give --region, set AWS_REGION, or use a profile with a region".to_owned(),
        ));
    };
    if !is_region(&region) {
        return Err(Error::Refused(format!(
            "`{region}` is not an AWS region; set --region, AWS_REGION or the region of the profile to a name such as eu-west-1"
        )));
    }
    Ok(region)
}

/// Whether a region could have this name. The list of regions changes from year to year, and the name is part of every service's
/// address.
fn is_region(name: &str) -> bool {
    let mut parts = name.rsplit('-');
    let number = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<_> = parts.collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    number && words.len() >= 2 && words.iter().all(is_word)
}

/// The target with the bucket of `cdk bootstrap`.
fn with_clients(config: &SdkConfig, account: String, region: String, dns_suffix: String) -> Target {
    let endpoint = config.endpoint_url().map(str::to_owned);
    // Our lanes repeat what was throttled or lost.
    let once = RetryConfig::disabled();
    let cloudformation = aws_sdk_cloudformation::config::Builder::from(config).retry_config(once.clone());
    let mut s3 = aws_sdk_s3::config::Builder::from(config).retry_config(once);
    if endpoint.is_some() {
        // Not every machine resolves `bucket.localhost`.
        s3.set_force_path_style(Some(true));
    }
    let bootstrap = format!("cdk-hnb659fds-assets-{account}-{region}");
    Target {
        cloudformation: CloudFormation::from_conf(cloudformation.build()),
        s3: S3::from_conf(s3.build()),
        json: Arc::new(AwsJson::new(config, &dns_suffix)),
        bucket: AssetBucket { name: bootstrap, origin: Origin::Bootstrap },
        account,
        region,
        lanes: Arc::new(Lanes::new(Rates::default())),
        open_plans: Arc::default(),
        config: config.clone(),
        endpoint,
        dns_suffix,
        seed: run_name::new(),
        elsewhere: Arc::default(),
    }
}
