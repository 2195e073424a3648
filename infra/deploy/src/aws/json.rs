//! Signed calls to AWS services that speak JSON, for services of which only one or two operations are needed: their SDK crates would take
//! longer to compile than the whole deployer.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::config::http::{HttpRequest, HttpResponse};
use aws_sdk_cloudformation::config::{Credentials, ProvideCredentials};
use aws_sdk_cloudformation::error::{BoxError, ErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector;
use serde_json::Value;
use tokio::sync::Mutex;

/// An AWS service.
pub(crate) struct Service {
    /// Its name in addresses and signatures.
    pub(crate) name: &'static str,
    /// What precedes the operation's name.
    prefix: &'static str,
    /// The version of its JSON protocol.
    version: &'static str,
}

pub(crate) const DYNAMODB: Service = Service { name: "dynamodb", prefix: "DynamoDB_20120810", version: "1.0" };
pub(crate) const QUEUES: Service = Service { name: "sqs", prefix: "AmazonSQS", version: "1.0" };
pub(crate) const LOGS: Service = Service { name: "logs", prefix: "Logs_20140328", version: "1.1" };
pub(crate) const CLOUD_CONTROL: Service =
    Service { name: "cloudcontrolapi", prefix: "CloudApiService", version: "1.0" };
pub(crate) const TAGGING: Service =
    Service { name: "tagging", prefix: "ResourceGroupsTaggingAPI_20170126", version: "1.1" };
pub(crate) const USER_POOLS: Service =
    Service { name: "cognito-idp", prefix: "AWSCognitoIdentityProviderService", version: "1.1" };

/// Why a call failed, as an SDK crate would report it.
pub(crate) type CallError = SdkError<ErrorMetadata, HttpResponse>;

/// The longest time that one call may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Makes such calls with the credentials and the region of the SDK's clients.
#[derive(Debug)]
pub(crate) struct AwsJson {
    config: SdkConfig,
    dns_suffix: String,
    connector: OnceLock<Connector>,
    /// The credentials of the last call: getting new ones may start a program or call another service.
    credentials: Mutex<Option<Credentials>>,
}

impl AwsJson {
    /// Does not connect before the first call.
    pub(crate) fn new(config: &SdkConfig, dns_suffix: &str) -> AwsJson {
        AwsJson {
            config: config.clone(),
            dns_suffix: dns_suffix.to_owned(),
            connector: OnceLock::new(),
            credentials: Mutex::default(),
        }
    }

    /// Calls once; a lane repeats it.
    pub(crate) async fn call(&self, service: &Service, operation: &str, body: &Value) -> Result<Value, CallError> {
        let content_type = format!("application/x-amz-json-{}", service.version);
        let operation = format!("{}.{operation}", service.prefix);
        let headers = [("content-type", content_type.as_str()), ("x-amz-target", operation.as_str())];
        let request = self.signed("POST", service.name, "", &headers, &body.to_string()).await;
        self.answer(request).await
    }

    /// Reads a document of a service that speaks REST; a lane repeats it.
    pub(crate) async fn get(&self, service: &str, path: &str) -> Result<Value, CallError> {
        let request = self.signed("GET", service, path, &[("accept", "application/json")], "").await;
        self.answer(request).await
    }

    async fn answer(&self, request: Result<HttpRequest, BoxError>) -> Result<Value, CallError> {
        let request = request.map_err(SdkError::construction_failure)?;
        let answer = async {
            let mut response = self.connector().call(request).await.map_err(SdkError::dispatch_failure)?;
            match ByteStream::new(response.take_body()).collect().await {
                Ok(body) => Ok((response, body.into_bytes())),
                Err(error) => Err(SdkError::response_error(error, response)),
            }
        };
        let (response, body) = tokio::time::timeout(TIMEOUT, answer).await.map_err(SdkError::timeout_error)??;
        match serde_json::from_slice(&body) {
            Ok(answer) if response.status().is_success() => Ok(answer),
            Err(error) if response.status().is_success() => Err(SdkError::response_error(error, response)),
            said => Err(SdkError::service_error(metadata(&said.unwrap_or_default()), response)),
        }
    }

    async fn signed(
        &self,
        method: &str,
        service: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<HttpRequest, BoxError> {
        let region = self.config.region().ok_or("no region")?.as_ref();
        let url = match self.config.endpoint_url() {
            Some(url) => format!("{}/{path}", url.trim_end_matches('/')),
            None => format!("https://{service}.{region}.{}/{path}", self.dns_suffix),
        };
        let identity = self.credentials().await?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new(method, &url, headers.iter().copied(), bytes)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();

        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method)?;
        request.set_uri(url.as_str())?;
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request.headers_mut().try_insert(name.to_owned(), value.to_owned())?;
        }
        Ok(request)
    }

    async fn credentials(&self) -> Result<Credentials, BoxError> {
        let mut kept = self.credentials.lock().await;
        let soon = SystemTime::now() + TIMEOUT;
        if let Some(good) = kept.as_ref().filter(|kept| kept.expiry().is_none_or(|end| end > soon)) {
            return Ok(good.clone());
        }
        let provider = self.config.credentials_provider().ok_or("no credentials")?;
        Ok(kept.insert(provider.provide_credentials().await?).clone())
    }

    /// Created when it is first needed, because that reads all root certificates.
    fn connector(&self) -> &Connector {
        self.connector.get_or_init(|| {
            let connector = Connector::builder().proxy_config(ProxyConfig::from_env());
            connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
        })
    }
}

/// Code and message of `{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": …}`.
fn metadata(said: &Value) -> ErrorMetadata {
    let code = said["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    let message = said["message"].as_str().or(said["Message"].as_str()).unwrap_or_default();
    ErrorMetadata::builder().code(code).message(message).build()
}
