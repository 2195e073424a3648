//! One bounded HTTP exchange with Qlik: no redirects, no proxy, limits on time and bytes.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, redirect};

use crate::scrub::{one_line, scrub};
use crate::secret::ApiKey;
use crate::skim::Skimmed;

/// The connection to Qlik; the client and its TLS setup are created at the first call.
pub(crate) struct Http {
    client: OnceLock<Client>,
    local: bool,
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header of that name.
    pub(crate) retry_after: Option<String>,
    /// The body without its long texts if the status is 2xx, otherwise its beginning; `Err` if it was too long, too slow or cut off.
    pub(crate) body: Result<Vec<u8>, Broken>,
}

/// Why there is no response.
pub(crate) enum Lost {
    /// No connection: Qlik has not seen the request.
    Unsent(String),
    /// The request was sent; Qlik may have acted on it.
    Unanswered(Broken),
}

/// How an exchange failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    TimedOut,
    Cut,
    TooLong,
}

/// The longest time that a call that reads may take.
const READ_TIME_OUT: Duration = Duration::from_secs(10);

/// The longest time that any other call may take: without an answer, nobody knows whether it was carried out.
const TIME_OUT: Duration = Duration::from_secs(30);

/// The most of a response that is kept, without its long texts: more than a hundred reloads need.
const MAX_BODY: usize = 1024 * 1024;

/// The most of a response that is read. A reload includes its script log, which has no documented limit.
const MAX_RECEIVED: usize = 64 * 1024 * 1024;

/// Enough of an error's body to find its code and text.
const MAX_ERROR_BODY: usize = 4 * 1024;

impl Http {
    /// `local` allows plain HTTP, for a stand-in on this machine.
    pub(crate) fn new(local: bool) -> Http {
        Http { client: OnceLock::new(), local }
    }

    /// Sends one request within a call's timeout and `time`.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        key: &ApiKey,
        body: Option<Vec<u8>>,
        time: Duration,
    ) -> Result<Answer, Lost> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .expect("an API key has only the characters of a bearer token");
        bearer.set_sensitive(true);
        let longest = if method == Method::GET { READ_TIME_OUT } else { TIME_OUT };
        let request = self
            .client()
            .request(method, url)
            .timeout(longest.min(time))
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, "application/json");
        let request = match body {
            Some(body) => request.body(body),
            None => request,
        };
        let response = request.send().await.map_err(lost)?;
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: header.map(str::to_owned),
            body: if response.status().is_success() {
                read(response).await
            } else {
                Ok(read_beginning(response).await)
            },
        })
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::builder()
                .user_agent(concat!("ferrostack-qlik-reload/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .https_only(!self.local)
                .connect_timeout(Duration::from_secs(3))
                // A function sleeps between two events, so a connection that was open before may be dead afterwards.
                .pool_idle_timeout(Duration::from_secs(20))
                .build()
                .expect("a client with fixed options can be built on any machine that has root certificates")
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Broken> {
    let mut body = Skimmed::default();
    let mut received = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        received += chunk.len();
        body.extend(&chunk);
        if received > MAX_RECEIVED || body.len() > MAX_BODY {
            return Err(Broken::TooLong);
        }
    }
    Ok(body.into_bytes())
}

async fn read_beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR_BODY {
            break;
        }
    }
    body.truncate(MAX_ERROR_BODY);
    body
}

fn lost(error: reqwest::Error) -> Lost {
    if !error.is_connect() {
        return Lost::Unanswered(broken(&error));
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Lost::Unsent(one_line(&scrub(&cause.to_string(), None), 200))
}

fn broken(error: &reqwest::Error) -> Broken {
    if error.is_timeout() { Broken::TimedOut } else { Broken::Cut }
}
