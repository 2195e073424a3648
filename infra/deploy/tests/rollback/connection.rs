//! A connection to the model.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use ferrostack_deploy::Target;

pub(crate) async fn connect(endpoint: &str) -> Target {
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .build();
    Target::connect(&config, Some("assets")).await.unwrap()
}
