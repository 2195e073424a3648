//! One signed call of an AWS service that speaks JSON, for services of which one operation is needed: their SDK crates
//! would take longer to compile than all of this.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use serde::Deserialize;
use serde_json::Value as Json;

/// A service as one function calls it.
#[derive(Debug)]
pub(crate) struct AwsJson {
    service: &'static str,
    config: SdkConfig,
    http: OnceLock<reqwest::Client>,
}

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The service said no, by this code.
    Refused(String),
    /// Nothing that could be read came in time.
    Unanswered,
}

const TIME: Duration = Duration::from_secs(3);

impl AwsJson {
    /// `service` is the name in the endpoint, `athena`. Nothing is connected before the first call.
    pub(crate) fn new(service: &'static str, config: &SdkConfig) -> AwsJson {
        AwsJson { service, config: config.clone(), http: OnceLock::new() }
    }

    /// Calls once; `target` is the operation's `X-Amz-Target`.
    pub(crate) async fn call(&self, target: &str, body: &Json) -> Result<Json, Failure> {
        let request = self.signed(target, body.to_string().into_bytes()).await.ok_or(Failure::Unanswered)?;
        let answer = request.send().await.map_err(|_| Failure::Unanswered)?;
        let success = answer.status().is_success();
        let body = answer.bytes().await.map_err(|_| Failure::Unanswered)?;
        match success {
            true => serde_json::from_slice(&body).map_err(|_| Failure::Unanswered),
            false => Err(Failure::Refused(code(&body))),
        }
    }

    async fn signed(&self, target: &str, body: Vec<u8>) -> Option<reqwest::RequestBuilder> {
        let region = self.config.region()?.as_ref();
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match self.config.endpoint_url() {
            Some(url) => format!("{}/", url.trim_end_matches('/')),
            None => format!("https://{}.{region}.{domain}/", self.service),
        };
        let identity = self.config.credentials_provider()?.provide_credentials().await.ok()?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let signable = SignableRequest::new("POST", &url, headers.iter().copied(), SignableBody::Bytes(&body)).ok()?;
        let (instructions, _) = sign(signable, &params).ok()?.into_parts();
        let mut request = self.client().post(&url).timeout(TIME).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        Some(request)
    }

    fn client(&self) -> &reqwest::Client {
        self.http.get_or_init(|| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                // Plain HTTP only where an endpoint was set, which is for stand-ins.
                .https_only(self.config.endpoint_url().is_none())
                .connect_timeout(Duration::from_millis(1500))
                .build()
                .expect("a client with fixed options can be built wherever there are root certificates")
        })
    }
}

/// The code of `{"__type":"com.amazonaws.athena#InvalidRequestException", …}`.
fn code(body: &[u8]) -> String {
    #[derive(Deserialize, Default)]
    struct Refusal {
        #[serde(rename = "__type", default)]
        kind: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let code = refusal.kind.rsplit('#').next().unwrap_or_default();
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}
