//! The account and region that is deployed to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::config::ProvideCredentials;
use aws_sdk_s3::Client as S3;

use crate::Error;
use crate::assembly::read::PLATFORM_STACK;
use crate::aws::json::AwsJson;
use crate::aws::lanes::{Lanes, Rates};
use crate::cloudformation::events;
use crate::error::from_sdk;
use crate::fleet::journal::fresh_run;

/// An account in a region, with working credentials.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) cloudformation: CloudFormation,
    pub(crate) s3: S3,
    pub(crate) json: Arc<AwsJson>,
    pub(crate) bucket: AssetBucket,
    /// Twelve digits.
    pub account: String,
    /// For example `eu-west-1`.
    pub region: String,
    pub(crate) lanes: Arc<Lanes>,
    /// Change sets that are only looked at, as long as they exist: name and stack.
    pub(crate) open_plans: Arc<Mutex<BTreeMap<String, String>>>,
    config: SdkConfig,
    endpoint: Option<String>,
    seed: String,
}

/// Where function code and large templates are stored before CloudFormation reads them.
#[derive(Debug, Clone)]
pub(crate) struct AssetBucket {
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// Who made the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The platform stack of this account and region.
    Platform,
    /// `cdk bootstrap`; the templates find it without being told.
    Bootstrap,
    /// Somebody, and the operator named it.
    Named,
}

impl Target {
    /// Finds out who is calling, and where functions' code goes: to `asset_bucket` if it is given, else to the bucket of the platform
    /// stack if that is deployed, else to the one of `cdk bootstrap`. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when there is no region, when there are no credentials, or when AWS does not accept them there.
    pub async fn connect(config: &SdkConfig, asset_bucket: Option<&str>) -> Result<Target, Error> {
        let Some(region) = config.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
            return Err(Error::Refused(
                "no AWS region is set; set AWS_REGION, or a profile with a region in AWS_PROFILE".to_owned(),
            ));
        };
        if !is_region(&region) {
            return Err(Error::Refused(format!(
                "`{region}` is not an AWS region; set AWS_REGION, or the region of the profile, to a name such as eu-west-1"
            )));
        }
        let no_credentials = |why: &str| {
            Error::Refused(format!(
                "no AWS credentials were found ({why}); set AWS_PROFILE or AWS_ACCESS_KEY_ID, or sign in with `aws sso login`"
            ))
        };
        match config.credentials_provider() {
            None => return Err(no_credentials("no provider is configured")),
            // The provider's own error is not shown: a failing credential process may print what it read.
            Some(provider) => {
                provider.provide_credentials().await.map_err(|_| no_credentials("every known place was tried"))?
            }
        };
        let identity = aws_sdk_sts::Client::new(config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| from_sdk(&format!("asking who is calling in {region}"), error).into_refusal())?;
        let account = identity.account().unwrap_or_default().to_owned();
        let endpoint = config.endpoint_url().map(str::to_owned);
        // Our lanes repeat what was throttled or lost.
        let once = RetryConfig::disabled();
        let cloudformation = aws_sdk_cloudformation::config::Builder::from(config).retry_config(once.clone());
        let mut s3 = aws_sdk_s3::config::Builder::from(config).retry_config(once);
        if endpoint.is_some() {
            // `bucket.localhost` is not a name every machine resolves.
            s3.set_force_path_style(Some(true));
        }
        let bootstrap = format!("cdk-hnb659fds-assets-{account}-{region}");
        let mut target = Target {
            cloudformation: CloudFormation::from_conf(cloudformation.build()),
            s3: S3::from_conf(s3.build()),
            json: Arc::new(AwsJson::new(config)),
            bucket: AssetBucket { name: bootstrap, origin: Origin::Bootstrap },
            account,
            region,
            lanes: Arc::new(Lanes::new(Rates::default())),
            open_plans: Arc::default(),
            config: config.clone(),
            endpoint,
            seed: fresh_run(),
        };
        if let Some(name) = asset_bucket {
            target.bucket = AssetBucket { name: name.to_owned(), origin: Origin::Named };
        } else if let Some(name) = platform_bucket(&target).await.map_err(Error::into_refusal)? {
            target.bucket = AssetBucket { name, origin: Origin::Platform };
        }
        Ok(target)
    }

    /// Calls AWS at these rates instead of the default ones.
    #[must_use]
    pub fn at_rates(mut self, rates: Rates) -> Target {
        self.lanes = Arc::new(Lanes::new(rates));
        self
    }

    /// The same target with tokens that are made from `seed`: equal seeds, equal tokens.
    pub(crate) fn seeded(&self, seed: &str) -> Target {
        Target { seed: seed.to_owned(), ..self.clone() }
    }

    /// For clients of further services.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A token for one write: CloudFormation takes a repeated request with the same token for the same request.
    pub(crate) fn token(&self, of: &str) -> String {
        let digest = cfn::sha256(format!("{}/{of}", self.seed));
        format!("ferrostack-{}", &digest[..24])
    }

    /// Where CloudFormation reads an object of the asset bucket.
    pub(crate) fn object_url(&self, key: &str) -> String {
        let bucket = &self.bucket.name;
        match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => {
                let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://{bucket}.s3.{}.{suffix}/{key}", self.region)
            }
        }
    }
}

/// Whether a region could have this name. Which ones there are changes from year to year; the name is part of the address of every service.
fn is_region(name: &str) -> bool {
    let mut parts = name.rsplit('-');
    let number = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()));
    let words: Vec<_> = parts.collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase());
    number && words.len() >= 2 && words.iter().all(is_word)
}

/// The name of the bucket for functions' code, if the platform is deployed.
async fn platform_bucket(target: &Target) -> Result<Option<String>, Error> {
    platform_output(target, "AssetBucket").await
}

/// The name of the table of the account's QuickSight slots, if the platform is deployed.
pub(crate) async fn slot_table(target: &Target) -> Result<Option<String>, Error> {
    platform_output(target, "SlotTable").await
}

async fn platform_output(target: &Target, output: &str) -> Result<Option<String>, Error> {
    let platform = events::describe(target, PLATFORM_STACK).await?;
    Ok(platform.and_then(|stack| events::outputs(&stack).remove(output)))
}
