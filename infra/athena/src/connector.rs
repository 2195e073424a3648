//! The way to a connector: its function, and the bucket it spills to.

use std::time::Duration;

use anyhow::{Context, bail};
use athena_federation::SpillLocation;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value as Json;

/// A deployed connector.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its function, by name or ARN.
    pub function: String,
    /// How long to wait before a throttled request is sent again; 5 and 20 seconds. Athena keeps trying for longer.
    pub pauses: [Duration; 2],
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
}

/// The `errorType` upon which Athena waits and asks again.
const THROTTLED: &str = "FederationThrottleException";

/// The output that names the function, in the stack of every connector.
const OUTPUT: &str = "ConnectorFunction";

/// The region of the emulator that scripts/local starts.
const EMULATOR_REGION: &str = "us-east-1";

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

    /// A function in an AWS account, by its ARN, with the usual credentials of the AWS SDKs. The region is that of the ARN unless
    /// one is given; `endpoint` replaces AWS's own.
    pub async fn in_account(function: &str, region: Option<&str>, endpoint: Option<&str>) -> Connector {
        let of_arn = function.split(':').nth(3).filter(|region| !region.is_empty());
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = region.or(of_arn) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Connector::new(&loader.load().await, function)
    }

    /// The connector of a tenant in the emulator at `endpoint`: the function that one of its stacks has as the output
    /// `ConnectorFunction`.
    ///
    /// # Errors
    ///
    /// If there is no endpoint, the emulator does not answer, or the tenant has no connector or several.
    pub async fn in_emulator(tenant: &str, region: Option<&str>, endpoint: Option<&str>) -> anyhow::Result<Connector> {
        let variable = std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
        let Some(endpoint) = endpoint.map(str::to_owned).or(variable) else {
            bail!(
                "it is not known where the connector is: set --endpoint to the URL of the emulator that scripts/local prints, or --function to the ARN of a connector in an AWS account"
            )
        };
        let credentials = Credentials::new("test", "test", None, None, "emulator");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.unwrap_or(EMULATOR_REGION).to_owned()))
            .endpoint_url(&endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let mut pages = aws_sdk_cloudformation::Client::new(&config).describe_stacks().into_paginator().send();
        let mut functions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("cannot list the stacks in the emulator at {endpoint}"))?;
            for stack in page.stacks().iter().filter(|stack| is_of(stack, tenant)) {
                let output = stack.outputs().iter().find(|output| output.output_key() == Some(OUTPUT));
                functions.extend(output.and_then(|output| output.output_value()).map(str::to_owned));
            }
        }
        match functions.as_slice() {
            [function] => Ok(Connector::new(&config, function)),
            [] => bail!(
                "tenant {tenant} has no connector in the emulator at {endpoint}: no stack has the output {OUTPUT}"
            ),
            several => bail!("tenant {tenant} has several connectors; set --function to one of {}", several.join(", ")),
        }
    }

    /// Sends one request and reads its answer; one that is throttled is sent again after a while.
    ///
    /// # Errors
    ///
    /// If the function cannot be called or answers with an error, which is quoted.
    pub(crate) async fn invoke(&self, request: &Json) -> anyhow::Result<Json> {
        let mut pauses = self.pauses.iter();
        loop {
            let sent = self.lambda.invoke().function_name(&self.function).payload(Blob::new(request.to_string()));
            let answer = sent.send().await.with_context(|| format!("cannot call the function {}", self.function))?;
            let bytes = answer.payload().map(Blob::as_ref).unwrap_or_default();
            let payload: Json = serde_json::from_slice(bytes).context("the function's answer is not JSON")?;
            if answer.function_error().is_none() && payload["errorType"].is_null() {
                return Ok(payload);
            }
            let kind = payload["errorType"].as_str().unwrap_or("an error without a type");
            let message = payload["errorMessage"].as_str().unwrap_or("no message");
            match pauses.next() {
                Some(pause) if kind.ends_with(THROTTLED) => {
                    eprintln!("throttled, trying again in {} seconds: {message}", pause.as_secs());
                    tokio::time::sleep(*pause).await;
                }
                _ => bail!(
                    "the connector refused the {}: {message} ({kind})",
                    request["@type"].as_str().unwrap_or_default()
                ),
            }
        }
    }

    /// A spilled block, as it is stored in the bucket.
    pub(crate) async fn fetch(&self, place: &SpillLocation) -> anyhow::Result<Vec<u8>> {
        let object = self.s3.get_object().bucket(&place.bucket).key(&place.key).send().await;
        let object = object.with_context(|| format!("cannot read the spilled block in {}", place.bucket))?;
        Ok(object.body.collect().await.context("the spilled block is incomplete")?.to_vec())
    }
}

/// Whether a stack belongs to this tenant, by its tag.
fn is_of(stack: &aws_sdk_cloudformation::types::Stack, tenant: &str) -> bool {
    stack.tags().iter().any(|tag| tag.key() == Some("ferrostack:tenant") && tag.value() == Some(tenant))
}
