//! Signed calls to AWS services, JSON in and out, for single calls that would not justify compiling a whole SDK crate.

use std::time::SystemTime;

use anyhow::{Context, bail};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::Method;
use serde_json::Value;

/// An endpoint and the credentials to call it with.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The URL of the emulator, without a trailing slash.
    pub endpoint: String,
    /// For example `us-east-1`.
    pub region: String,
    /// To sign the calls with.
    pub credentials: Credentials,
    http: reqwest::Client,
}

/// The emulator's administrator. It accepts this key whatever is configured, and does not check signatures made with it.
pub const KEY: &str = "test";

impl Caller {
    /// The credentials of the emulator's administrator, which the stand-ins accept as well.
    pub fn administrator() -> Credentials {
        Credentials::new(KEY, KEY, None, None, "emulator")
    }

    /// Opens no connection yet.
    pub fn new(endpoint: &str, region: &str, credentials: Credentials) -> Caller {
        Caller { endpoint: endpoint.to_owned(), region: region.to_owned(), credentials, http: reqwest::Client::new() }
    }

    /// Calls a service that uses JSON with a target header: `("events", "AWSEvents.PutEvents", "1.1", …)`.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one outside 200 to 299.
    pub async fn json(&self, service: &str, target: &str, version: &str, body: &Value) -> anyhow::Result<Value> {
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [("content-type", content_type.as_str()), ("x-amz-target", target)];
        self.call(service, Method::POST, "/", &headers, body.to_string().into_bytes()).await
    }

    /// Calls a service that uses REST: `("lambda", GET, "/2015-03-31/functions", …)`.
    ///
    /// # Errors
    ///
    /// As for [`Caller::json`].
    pub async fn call(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.endpoint);
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable =
            SignableRequest::new(method.as_str(), &url, headers.iter().copied(), SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = self.http.request(method, &url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        let answer = request.send().await.with_context(|| format!("no answer from {service} at {path}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{service} answered {status} at {path}: {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }
}
