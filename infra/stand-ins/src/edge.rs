//! The web server for a page behind CloudFront: the emulator's distribution, on a port of this machine.
//!
//! A browser that looks up `<id>.cloudfront.net` finds AWS. This forwards its requests to the emulator under the distribution's name,
//! so that its cache behavior, its headers and its right to read the bucket apply. It changes two things, because the services are on
//! this machine: `config.json` names them here, and the page's content security policy allows connections to them instead of to AWS's
//! own names.

use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use serde_json::{Map, Value, json};

/// A running edge. It ends with the runtime it was started on, and has nothing to serve before [`Edge::serve`].
#[derive(Debug, Clone)]
pub struct Edge {
    /// The page's origin, `http://127.0.0.1:<port>`.
    pub url: String,
    behind: Arc<OnceLock<Behind>>,
}

/// The addresses that the page needs.
#[derive(Debug, Clone)]
pub struct Behind {
    /// The emulator, without a trailing slash.
    pub emulator: String,
    /// The distribution's domain name.
    pub distribution: String,
    /// The REST API.
    pub api: String,
    /// The WebSocket API, `ws://…`.
    pub socket: String,
}

impl Edge {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> std::io::Result<Edge> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let edge = Edge { url: format!("http://{}", listener.local_addr()?), behind: Arc::default() };
        let router = Router::new().fallback(answer).with_state((Client::new(), Arc::clone(&edge.behind)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(edge)
    }

    /// Serves this from now on; further calls have no effect.
    pub fn serve(&self, behind: Behind) {
        let _ = self.behind.set(behind);
    }
}

type Shared = (Client, Arc<OnceLock<Behind>>);

async fn answer(State((http, behind)): State<Shared>, request: Request) -> Response {
    let Some(behind) = behind.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the stack is not deployed yet").into_response();
    };
    match behind.answer(&http, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the emulator did not answer: {error:#}")).into_response(),
    }
}

impl Behind {
    async fn answer(&self, http: &Client, request: Request) -> anyhow::Result<Response> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let mut headers = request.headers().clone();
        headers.insert(HOST, HeaderValue::from_str(&self.distribution)?);
        let ask = http.request(request.method().clone(), format!("{}{path}", self.emulator));
        let answer = ask.headers(headers).send().await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            let value = match *name {
                CONNECTION | CONTENT_LENGTH | TRANSFER_ENCODING => continue,
                CONTENT_SECURITY_POLICY => HeaderValue::from_str(&self.policy(value.to_str()?))?,
                _ => value.clone(),
            };
            response = response.header(name, value);
        }
        let is_good = answer.status().is_success();
        let is_page = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let body = answer.bytes().await?;
        let body = if is_good && path == "/config.json" {
            self.config(&body)?.into()
        } else if is_page {
            // The page repeats the policy, narrower, in an element of its own; a browser obeys both.
            self.policy(std::str::from_utf8(&body).context("the page is not UTF-8")?).into()
        } else {
            Body::from(body)
        };
        Ok(response.body(body)?)
    }

    /// A text with a policy that allows connections to this machine too.
    fn policy(&self, text: &str) -> String {
        let socket = origin(&self.socket);
        let here = format!("connect-src 'self' {} {socket}", self.emulator);
        text.replacen("connect-src 'self'", &here, 1)
    }

    fn config(&self, published: &[u8]) -> anyhow::Result<String> {
        let mut config: Map<String, Value> = serde_json::from_slice(published).context("config.json is not JSON")?;
        config.insert("api".to_owned(), json!(self.api));
        config.insert("socket".to_owned(), json!(self.socket));
        config.insert("cognito".to_owned(), json!(format!("{}/", self.emulator)));
        Ok(Value::Object(config).to_string())
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |at| &url[..host + at])
}
