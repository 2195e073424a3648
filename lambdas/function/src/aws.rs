//! What the AWS clients share, from the variables Lambda sets: no profile, no provider chain, nothing read from disk.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::environment::{Invalid, optional, required};

/// The configuration of a client of one service, `aws_sdk_dynamodb::Client::new(&service(&variable, "DYNAMODB")?)`.
///
/// Reads `AWS_REGION`, the credentials, and `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL`; `service` is the name in that
/// variable, as <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html> lists it.
///
/// One operation takes at most 4.5 seconds, at most three tries of 2 seconds included. A client that must not retry, or may
/// take longer, says so in its own configuration.
///
/// # Errors
///
/// When the region or the credentials are missing.
pub fn service(variable: &impl Fn(&str) -> Option<String>, service: &str) -> Result<SdkConfig, Invalid> {
    let credentials = Credentials::new(
        required(variable, "AWS_ACCESS_KEY_ID")?,
        required(variable, "AWS_SECRET_ACCESS_KEY")?,
        optional(variable, "AWS_SESSION_TOKEN"),
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
    let own = optional(variable, &format!("AWS_ENDPOINT_URL_{service}"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required(variable, "AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts.build())
        .retry_config(retries);
    config.set_endpoint_url(own.or_else(|| optional(variable, "AWS_ENDPOINT_URL")));
    Ok(config.build())
}
