//! Signs in as the AWS CLI does: with keys from the environment, or a profile of any kind.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::SharedCredentialsProvider;
use cfn::Environment;

use crate::aws::connect::Expected;
use crate::aws::credentials::{self, CredentialsError};
use crate::aws::profile::Profile;
use crate::{Error, Target};

impl Target {
    /// [`Target::connect`] to the environment, with the credentials of the process's variables and the AWS CLI's files. As with the AWS
    /// CLI, a profile that is given here counts more than keys in variables, and one in `AWS_PROFILE` counts less. The region is that of
    /// the environment, or if it has none, `region`, or the AWS CLI's. If the environment has a role, the credentials are used to assume it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the profile does not exist, if no region is set or it contradicts the environment, or if the credentials are
    /// missing or belong to a different account; [`Error::Access`] if AWS does not accept them.
    pub async fn sign_in(
        profile: Option<&str>,
        region: Option<&str>,
        asset_bucket: Option<&str>,
        environment: &Environment,
    ) -> Result<Target, Error> {
        if let (Some(given), Some(fixed)) = (region, &environment.region)
            && given != fixed
        {
            let place = environment.uri();
            return Err(Error::Refused(format!(
                "--region is {given}, but the environment is {place}; remove --region"
            )));
        }
        let found = Profile::read(profile).await?;
        let mut config = config(profile, environment.region.as_deref().or(region)).await;
        let mut signer = found.name.as_ref().map(|name| format!("the AWS profile `{name}` signs in to"));
        if let Some(role) = &environment.role {
            config = assuming(role, &config).await;
            signer = Some(format!("the role {role} is in"));
        }
        let signer = signer.unwrap_or_else(|| "these credentials are for".to_owned());
        let expected = environment.account.as_deref().map(|account| Expected { account, signer });
        let explain = |error: &CredentialsError| {
            // The role's provider wraps the caller's own, which may be what failed.
            Error::Refused(match (&environment.role, credentials::inner(error)) {
                (Some(role), None) => format!("could not assume the role {role}: {}", credentials::reason(error)),
                (_, inner) => sentence(&found, inner.unwrap_or(error)),
            })
        };
        Target::connect_or(&config, asset_bucket, expected, explain).await
    }
}

/// The same with the credentials of a role, which are renewed as long as those of `config` are valid.
async fn assuming(role: &str, config: &SdkConfig) -> SdkConfig {
    let provider = AssumeRoleProvider::builder(role).session_name(SESSION).configure(config).build().await;
    config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// The name of sessions in which a role is assumed, as CloudTrail shows it.
const SESSION: &str = "ferrostack";

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

fn sentence(profile: &Profile, error: &CredentialsError) -> String {
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
