//! The way to a connector: its function, and the bucket it spills to.

use std::time::Duration;

use anyhow::{Context, bail};
use athena_federation::SpillLocation;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::config::SharedCredentialsProvider;
use serde_json::Value as Json;

use crate::emulator::REGION;
use crate::signed::Caller;

/// A deployed connector.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its function, by name or ARN.
    pub function: String,
    /// How long is waited before a throttled request is sent again; 5 and 20 seconds. Athena goes on for longer.
    pub pauses: [Duration; 2],
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
}

/// The `errorType` upon which Athena waits and asks again.
const THROTTLED: &str = "FederationThrottleException";

const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];

impl Connector {
    /// A function in the account or emulator that `config` reaches.
    pub fn new(config: &SdkConfig, function: &str) -> Connector {
        let lambda = aws_sdk_lambda::config::Builder::from(config)
            // An answer begins when the split is read, which may take minutes.
            .stalled_stream_protection(aws_sdk_lambda::config::StalledStreamProtectionConfig::disabled());
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
        Connector {
            function: function.to_owned(),
            pauses: PAUSES,
            lambda: aws_sdk_lambda::Client::from_conf(lambda.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
        }
    }

    /// The function of this ARN with the ordinary credentials, or without one the connector of a tenant in the emulator.
    ///
    /// # Errors
    ///
    /// When nothing says where it is, or the tenant has none.
    pub(super) async fn find(
        function: Option<&str>,
        region: Option<&str>,
        endpoint: Option<&str>,
        tenant: &str,
    ) -> anyhow::Result<Connector> {
        if let Some(function) = function {
            let of_arn = function.split(':').nth(3).filter(|it| !it.is_empty());
            let region = region.or(of_arn).map(|it| Region::new(it.to_owned()));
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(region) = region {
                loader = loader.region(region);
            }
            if let Some(endpoint) = endpoint {
                loader = loader.endpoint_url(endpoint);
            }
            return Ok(Connector::new(&loader.load().await, function));
        }
        let variable = std::env::var("AWS_ENDPOINT_URL").ok().filter(|it| !it.is_empty());
        let Some(endpoint) = endpoint.map(str::to_owned).or(variable) else {
            bail!(
                "nothing says where the connector is: give --endpoint with the URL of the emulator that scripts/local prints, or --function with the ARN of one in an account"
            )
        };
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.unwrap_or(REGION).to_owned()))
            .endpoint_url(&endpoint)
            .credentials_provider(SharedCredentialsProvider::new(Caller::administrator()))
            .build();
        let stack = format!("{tenant}-slack-connector");
        let described = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(&stack).send().await;
        let described = described.with_context(|| format!("the emulator at {endpoint} knows no stack {stack}"))?;
        let mut outputs = described.stacks().iter().flat_map(|it| it.outputs());
        let function = outputs.find(|it| it.output_key() == Some("ConnectorFunction")).and_then(|it| it.output_value());
        let function = function.with_context(|| format!("the stack {stack} has no output ConnectorFunction"))?;
        Ok(Connector::new(&config, function))
    }

    /// Sends one request and reads its answer; one that is throttled is sent again after a while.
    ///
    /// # Errors
    ///
    /// When the function cannot be called, or says why it has no answer, which is quoted.
    pub(super) async fn invoke(&self, request: &Json) -> anyhow::Result<Json> {
        let mut pauses = self.pauses.iter();
        loop {
            let sent = self.lambda.invoke().function_name(&self.function).payload(Blob::new(request.to_string()));
            let answer = sent.send().await.with_context(|| format!("cannot call the function {}", self.function))?;
            let bytes = answer.payload().map(Blob::as_ref).unwrap_or_default();
            let payload: Json = serde_json::from_slice(bytes).context("the function's answer is no JSON")?;
            if answer.function_error().is_none() && payload["errorType"].is_null() {
                return Ok(payload);
            }
            let kind = payload["errorType"].as_str().unwrap_or("an error without a type");
            let message = payload["errorMessage"].as_str().unwrap_or("no message");
            match pauses.next() {
                Some(pause) if kind.ends_with(THROTTLED) => {
                    eprintln!("throttled, so asking again in {} seconds: {message}", pause.as_secs());
                    tokio::time::sleep(*pause).await;
                }
                _ => bail!(
                    "the connector refused the {}: {message} ({kind})",
                    request["@type"].as_str().unwrap_or_default()
                ),
            }
        }
    }

    /// A spilled block, as it lies in the bucket.
    pub(super) async fn fetch(&self, place: &SpillLocation) -> anyhow::Result<Vec<u8>> {
        let object = self.s3.get_object().bucket(&place.bucket).key(&place.key).send().await;
        let object = object.with_context(|| format!("cannot read the spilled block in {}", place.bucket))?;
        Ok(object.body.collect().await.context("the spilled block broke off")?.to_vec())
    }
}
