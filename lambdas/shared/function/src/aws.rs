//! What the AWS clients share, from the variables that Lambda sets: no profile, no provider chain, nothing read from disk.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use url::Url;

use crate::environment::{Invalid, is_this_machine, optional, required};

/// The configuration of a client of one service, `aws_sdk_dynamodb::Client::new(&service(&variable, "DYNAMODB")?)`.
///
/// Reads `AWS_REGION`, the credentials, and `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL`; `service` is the name in that
/// variable, as <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html> lists it.
///
/// Over TLS it trusts only Amazon's own roots, or those in the file named by `SSL_CERT_FILE` if that is set.
///
/// One operation takes at most 4.5 seconds, including up to three attempts of 2 seconds; [`with_time`] allows more. A client that
/// must not retry says so in its own configuration. An endpoint on this machine, a stand-in, may take ten times as long, because on a
/// busy machine it may be slow without being down.
///
/// # Errors
///
/// If the region or the credentials are missing.
pub fn service(variable: &impl Fn(&str) -> Option<String>, service: &str) -> Result<SdkConfig, Invalid> {
    let credentials = Credentials::new(
        required(variable, "AWS_ACCESS_KEY_ID")?,
        required(variable, "AWS_SECRET_ACCESS_KEY")?,
        optional(variable, "AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let own = optional(variable, &format!("AWS_ENDPOINT_URL_{service}"));
    let endpoint = own.or_else(|| optional(variable, "AWS_ENDPOINT_URL"));
    let timeouts = timeouts(endpoint.as_deref(), Duration::from_secs(2), Duration::from_millis(4500));
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_millis(500));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required(variable, "AWS_REGION")?))
        .http_client(http_client(optional(variable, "SSL_CERT_FILE").is_some(), None))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        .retry_config(retries);
    config.set_endpoint_url(endpoint);
    Ok(config.build())
}

/// The same for a slow service: one attempt may take up to `longest`, and so may all attempts together.
pub fn with_time(config: SdkConfig, longest: Duration) -> SdkConfig {
    with_times(config, longest, longest)
}

/// The same with a time limit for one attempt, and one for all attempts together.
pub fn with_times(config: SdkConfig, attempt: Duration, operation: Duration) -> SdkConfig {
    let timeouts = timeouts(config.endpoint_url(), attempt, operation);
    config.into_builder().timeout_config(timeouts).build()
}

/// The same for a client whose calls must not be carried out twice: each call has a connection of its own.
///
/// While a function is frozen, the other end may close a connection that is kept for the next call. The next call then fails without
/// an answer, and nobody knows whether it was carried out.
pub fn without_idle_connections(variable: &impl Fn(&str) -> Option<String>, config: SdkConfig) -> SdkConfig {
    let client = http_client(optional(variable, "SSL_CERT_FILE").is_some(), Some(0));
    config.into_builder().http_client(client).build()
}

fn timeouts(endpoint: Option<&str>, one_try: Duration, operation: Duration) -> TimeoutConfig {
    let is_near = endpoint.and_then(|url| Url::parse(url).ok()).is_some_and(|url| is_this_machine(&url));
    let patience = if is_near { 10 } else { 1 };
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1500) * patience)
        .operation_attempt_timeout(one_try * patience)
        .operation_timeout(operation * patience)
        .build()
}

/// Reading the system's more than one hundred roots takes longer than everything else a function does before its first call.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

fn http_client(system_roots: bool, idle_connections: Option<usize>) -> SharedHttpClient {
    let roots =
        if system_roots { TrustStore::default() } else { TrustStore::empty().with_pem_certificate(AMAZON_ROOTS) };
    let tls =
        TlsContext::builder().with_trust_store(roots).build().expect("a TLS context with only a trust store is valid");
    let mut builder = Builder::new();
    builder.set_pool_max_idle_per_host(idle_connections);
    builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls).build_https()
}

#[cfg(test)]
mod tests {
    use base64::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_stand_in_on_this_machine_gets_ten_times_as_long_as_aws() {
        let operation = |url: &str| {
            let variable = |name: &str| match name {
                "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
                "AWS_ENDPOINT_URL" => Some(url.to_owned()),
                _ => None,
            };
            let config = service(&variable, "S3").unwrap();
            config.timeout_config().and_then(TimeoutConfig::operation_timeout)
        };
        for url in ["", "https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", "http://127.0.0.1.example.com", "127.0.0.1"] {
            assert_eq!(operation(url), Some(Duration::from_millis(4500)), "{url}");
        }
        assert_eq!(operation("http://127.0.0.1:4566"), Some(Duration::from_secs(45)));
    }

    #[test]
    fn the_roots_are_the_ones_that_amazon_publishes() {
        let text = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        let bodies = text.split("-----BEGIN CERTIFICATE-----").skip(1);
        let fingerprints = bodies.map(|certificate| {
            let body = certificate.split("-----END CERTIFICATE-----").next().unwrap().replace('\n', "");
            hex::encode(Sha256::digest(BASE64_STANDARD.decode(body).unwrap()))
        });
        // https://www.amazontrust.com/repository/
        let published = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        assert_eq!(fingerprints.collect::<Vec<_>>(), published);
    }
}
