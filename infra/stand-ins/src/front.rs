//! Replaces the proxy that terminates TLS in front of AWS: forwards each request to the emulator, marked as encrypted.
//!
//! The emulator speaks plain HTTP, so a bucket or queue whose policy demands `aws:SecureTransport` would refuse every function
//! and every presigned link. Behind this it accepts them, because of the header that a proxy which terminates TLS sets.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// A running front. It ends with the runtime it was started on.
#[derive(Debug, Clone)]
pub struct Front {
    /// `http://127.0.0.1:<port>`
    pub url: String,
}

/// More than any upload of a function or the deployer here.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl Front {
    /// Starts it on a free port of the loopback interface, in front of `behind`, a URL without a trailing slash.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(behind: &str) -> std::io::Result<Front> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(std::io::Error::other)?;
        let router = Router::new()
            .fallback(forward)
            .layer(DefaultBodyLimit::disable())
            .with_state(Behind { http, url: behind.to_owned() });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Front { url })
    }
}

#[derive(Clone)]
struct Behind {
    http: reqwest::Client,
    url: String,
}

async fn forward(State(behind): State<Behind>, request: Request) -> Response {
    match behind.forward(request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the emulator did not answer: {error}")).into_response(),
    }
}

impl Behind {
    /// The `Host` header stays as the caller sent it, because the signature covers it.
    async fn forward(&self, request: Request) -> Result<Response, axum::BoxError> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST_BODY).await?;
        // For a HEAD, the length of the body that is not sent is part of the answer.
        let keeps_length = head.method == Method::HEAD;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = head.headers;
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
        let request = self.http.request(head.method, format!("{}{path}", self.url)).headers(headers).body(body);
        let answer = request.send().await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            let is_of_the_connection = [CONNECTION, TRANSFER_ENCODING].contains(name);
            if !is_of_the_connection && (name != CONTENT_LENGTH || keeps_length) {
                response = response.header(name, value);
            }
        }
        let body: Bytes = answer.bytes().await?;
        Ok(response.body(Body::from(body))?)
    }
}
