//! Signs in as the AWS CLI does: with keys from the environment, or a profile of any kind.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::SharedCredentialsProvider;

use crate::aws::credentials;
use crate::aws::profile::Profile;
use crate::{Error, Target};

impl Target {
    /// [`Target::connect`] with the credentials and the region of the environment and the AWS CLI's files. As with the AWS CLI, a
    /// profile that is given here counts more than keys in the environment, and one in `AWS_PROFILE` counts less.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if there is no such profile, no region, or there are no credentials; [`Error::Access`] if AWS does not accept
    /// them.
    pub async fn sign_in(
        profile: Option<&str>,
        region: Option<&str>,
        asset_bucket: Option<&str>,
    ) -> Result<Target, Error> {
        let found = Profile::read(profile).await?;
        let config = config(profile, region).await;
        let explain = |error: &credentials::CredentialsError| Error::Refused(sentence(&found, error));
        Target::connect_or(&config, asset_bucket, explain).await
    }
}

async fn config(profile: Option<&str>, region: Option<&str>) -> SdkConfig {
    // The SDK repeats only the first call, which asks who is calling; the deployer repeats all others itself.
    let retries = RetryConfig::standard().with_max_attempts(4);
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(60)).build();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).retry_config(retries.clone()).timeout_config(timeouts.clone());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    let Some(profile) = profile else { return loader.load().await };
    let config = loader.profile_name(profile).load().await;
    let provider = ProviderConfig::without_region().with_region(config.region().cloned());
    let provider = provider.with_retry_config(retries).with_timeout_config(timeouts);
    let provider = ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&provider).build();
    config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

fn sentence(profile: &Profile, error: &credentials::CredentialsError) -> String {
    let advice = profile.advice();
    match &profile.name {
        None if credentials::is_absent(error) => {
            "no AWS credentials were found; name a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
        }
        Some(name) if credentials::is_absent(error) => {
            format!("the AWS profile `{name}` contains no credentials{advice}")
        }
        None => format!("could not get AWS credentials: {}{advice}", credentials::reason(error)),
        Some(name) => format!("could not get credentials from the AWS profile `{name}`: {}{advice}", credentials::reason(error)),
    }
}
