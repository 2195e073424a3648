//! The two AWS clients, from the variables Lambda sets: no profile, no provider chain, nothing read from disk.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;

use crate::error::Result;
use crate::settings::required;

/// What both clients share, and where each service is.
pub(crate) struct AwsSettings {
    shared: SdkConfig,
    dynamodb: Option<String>,
    secrets_manager: Option<String>,
}

/// Reads `AWS_REGION`, the credentials, and `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL`.
///
/// One operation takes at most 4.5 seconds, tries included: less than the 5 seconds a run keeps back to write its claim.
pub(crate) fn settings(variable: &impl Fn(&str) -> Option<String>) -> Result<AwsSettings> {
    let credentials = Credentials::new(
        required(variable, "AWS_ACCESS_KEY_ID")?,
        required(variable, "AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1500))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_millis(4500));
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_millis(500));
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required(variable, "AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts.build())
        .retry_config(retries)
        .build();
    let endpoint = |name: &str| {
        let own = variable(name).filter(|url| !url.is_empty());
        own.or_else(|| variable("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()))
    };
    Ok(AwsSettings {
        shared,
        dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
        secrets_manager: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    })
}

pub(crate) fn dynamodb(settings: &AwsSettings) -> aws_sdk_dynamodb::Client {
    let mut config = aws_sdk_dynamodb::config::Builder::from(&settings.shared);
    config.set_endpoint_url(settings.dynamodb.clone());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

pub(crate) fn secrets_manager(settings: &AwsSettings) -> aws_sdk_secretsmanager::Client {
    let mut config = aws_sdk_secretsmanager::config::Builder::from(&settings.shared);
    config.set_endpoint_url(settings.secrets_manager.clone());
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}
