//! One bounded HTTP exchange with Slack: no redirects, no proxy, limits on time and bytes, nothing sent twice.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};

use crate::error::{Error, Kind, Result};

/// The connection to Slack; the client and its TLS setup are created at the first call.
pub(crate) struct Http {
    client: OnceLock<Client>,
    local: bool,
}

/// The credentials of a call.
pub(crate) enum Caller<'a> {
    /// The app itself, by HTTP Basic.
    App { id: &'a str, secret: &'a str },
    /// The holder of a token.
    Bearer(&'a str),
}

/// Slack's responses here have less than 2 KB.
const MAX_BODY: usize = 64 * 1024;

/// The longest time that one call may take.
const LONGEST_CALL: Duration = Duration::from_secs(8);

impl Http {
    /// `local` allows plain HTTP, for a stand-in on this machine.
    pub(crate) fn new(local: bool) -> Http {
        Http { client: OnceLock::new(), local }
    }

    /// Posts a form and returns the response's body.
    ///
    /// # Errors
    ///
    /// If Slack cannot be reached, does not respond in time, or returns a status other than 200, which all its documented
    /// responses have.
    pub(crate) async fn post(&self, url: &str, caller: Caller<'_>, fields: &[(&str, &str)]) -> Result<Vec<u8>> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client().post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let request = match caller {
            Caller::App { id, secret } => request.basic_auth(id, Some(secret)),
            Caller::Bearer(token) => {
                let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
                    .expect("a token has only the characters of a bearer token");
                bearer.set_sensitive(true);
                request.header(AUTHORIZATION, bearer)
            }
        };
        let response = request.send().await.map_err(lost)?;
        match response.status().as_u16() {
            200 => read(response).await,
            429 => Err(unavailable(&throttled(&response))),
            status => Err(unavailable(&format!("Slack returned status {status}; try again later"))),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::builder()
                .user_agent(concat!("ferrostack-slack-oauth/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                // A code and a refresh token work only once.
                .retry(reqwest::retry::never())
                .no_proxy()
                .https_only(!self.local)
                .timeout(LONGEST_CALL)
                .connect_timeout(Duration::from_secs(3))
                // A function sleeps between two events, so a connection that was open before may be dead afterwards, and a code that
                // was sent over it is lost.
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client with fixed options can be built on any machine that has root certificates")
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(unavailable("Slack's response is longer than any it documents; try again later"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn throttled(response: &Response) -> String {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    match header.and_then(|seconds| seconds.parse::<u32>().ok()) {
        Some(seconds) => format!("Slack has too many requests; try again in {seconds} seconds"),
        None => "Slack has too many requests; try again in a minute".to_owned(),
    }
}

/// The error without its text, which may contain an address.
fn lost(error: reqwest::Error) -> Error {
    unavailable(match () {
        () if error.is_timeout() => "Slack did not respond in time; try again later",
        () if error.is_connect() => "Slack cannot be reached; try again later",
        () => "the connection to Slack broke off; try again later",
    })
}

fn unavailable(message: &str) -> Error {
    Error::new(Kind::SlackUnavailable, message)
}
