//! One operation of an AWS service that speaks JSON, for services that need no more: their SDK crates would take longer to
//! compile than everything here. HTTP client, signature, timeouts and retries are the SDK's, as configured.

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use serde_json::Value as Json;

/// An operation as a function calls it.
#[derive(Debug)]
pub(crate) struct AwsJson(Operation<Json, Json, ErrorMetadata>);

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The service refused the call with this code.
    Refused(String),
    /// No readable response arrived in time.
    Unanswered,
}

impl AwsJson {
    /// `service` is the name in the endpoint, such as `athena`; `target` is the operation's `X-Amz-Target`. No connection is
    /// opened before the first call.
    pub(crate) fn new(service: &'static str, target: &'static str, config: &SdkConfig) -> AwsJson {
        let region = config.region().map_or("", Region::as_ref);
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match config.endpoint_url() {
            Some(url) => url.to_owned(),
            None => format!("https://{service}.{region}.{domain}"),
        };
        let mut operation = Operation::builder()
            .service_name(service)
            .operation_name(target)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&url)
            .standard_retry(config.retry_config().unwrap_or(&RetryConfig::standard()))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .runtime_plugin(signed(service, config))
            .serializer(move |body: Json| request(target, &body))
            .deserializer(answer);
        if let Some(client) = config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(timeouts) = config.timeout_config() {
            operation = operation.timeout_config(timeouts.clone());
        }
        AwsJson(operation.build())
    }

    /// Calls the operation.
    pub(crate) async fn call(&self, body: Json) -> Result<Json, Failure> {
        self.0.invoke(body).await.map_err(|error| match error {
            SdkError::ServiceError(refusal) => Failure::Refused(refusal.err().code().unwrap_or_default().to_owned()),
            _ => Failure::Unanswered,
        })
    }
}

/// Signs with the configuration's credentials, for its region.
fn signed(service: &'static str, config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signature");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: config.region().cloned().map(SigningRegion::from),
        name: Some(SigningName::from_static(service)),
        ..SigV4OperationSigningConfig::default()
    });
    let mut components = RuntimeComponentsBuilder::new("signature")
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_auth_scheme(SigV4AuthScheme::new());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn request(target: &'static str, body: &Json) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-amz-json-1.1");
    request.headers_mut().insert("x-amz-target", target);
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Json, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    match (response.status().is_success(), serde_json::from_slice::<Json>(body)) {
        (true, Ok(answer)) => Ok(answer),
        (true, Err(error)) => Err(OrchestratorError::response(error.into())),
        (false, said) => Err(OrchestratorError::operation(refusal(&said.unwrap_or_default()))),
    }
}

/// The code of `{"__type":"com.amazonaws.athena#InvalidRequestException", …}`; messages may contain names of keys and accounts.
fn refusal(said: &Json) -> ErrorMetadata {
    let code = said["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    ErrorMetadata::builder().code(code).build()
}
