//! A stand-in for Slack: the consent page and token calls of OAuth version 2, and `admin.analytics.getFile` for members, with the
//! shapes, error codes and limits of the real ones, without a Slack behind it. The members are invented, the same in each run.
//!
//! The facts are from <https://docs.slack.dev/authentication/installing-with-oauth>,
//! <https://docs.slack.dev/authentication/using-token-rotation> and
//! <https://docs.slack.dev/reference/methods/admin.analytics.getFile>. Not implemented: signing in (whoever opens the consent page is
//! the owner of the organization), bot tokens, installations on a workspace, analytics of channels.

mod form;
pub mod members;
mod oauth;
mod state;
mod tokens;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use time::{Date, OffsetDateTime};

use self::form::field;
use self::state::{Data, Shared, lock, no};
pub use self::state::{Fault, Logged, SlackOptions};
use self::tokens::Tokens;

/// A running stand-in. It ends with the runtime it was started on.
#[derive(Clone)]
pub struct Slack {
    /// `http://localhost:<port>`: to a browser, a different site from `127.0.0.1`, as Slack is to an API.
    pub url: String,
    state: Arc<Mutex<Data>>,
}

/// Members of the organization, unless set.
const MEMBERS: usize = 200;

impl Slack {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(options: SlackOptions) -> std::io::Result<Slack> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let state = Arc::new(Mutex::new(Data {
            options,
            tokens: Tokens::default(),
            members: MEMBERS,
            faults: BTreeMap::new(),
            served: BTreeMap::new(),
            calls: VecDeque::new(),
            asked: Vec::new(),
            log: Vec::new(),
        }));
        let router = Router::new()
            .route("/oauth/v2/authorize", get(oauth::ask).post(oauth::answer))
            .route("/api/oauth.v2.access", post(oauth::access))
            .route("/api/auth.revoke", post(oauth::revoke))
            .route("/api/admin.analytics.getFile", get(file))
            .fallback(async || no("unknown_method"))
            .layer(middleware::from_fn_with_state(Arc::clone(&state), note))
            .layer(DefaultBodyLimit::max(64 * 1024))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Slack { url, state })
    }

    /// Registers the one address that consents may lead back to, as the app's settings do.
    pub fn register(&self, redirect_url: &str) {
        lock(&self.state).tokens.redirect_url = Some(redirect_url.to_owned());
    }

    /// Turns token rotation on or off: tokens issued from now on expire after `life`, twelve hours at Slack; earlier ones expire now.
    pub fn rotate(&self, life: Option<Duration>) {
        lock(&self.state).tokens.rotate(life);
    }

    /// Sets the number of members of the organization.
    pub fn set_members(&self, members: usize) {
        lock(&self.state).members = members;
    }

    /// Makes the next reads of a day's file fail, each with one of `faults`.
    pub fn fail(&self, day: Date, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state).faults.entry(day).or_default().extend(faults);
    }

    /// Removes one fault that has not been used; `false` if there is none.
    pub fn heal(&self, day: Date) -> bool {
        lock(&self.state).next_fault(day).is_some()
    }

    /// The records of each day's file as it was served last, by date.
    pub fn served(&self) -> BTreeMap<String, usize> {
        lock(&self.state).served.clone()
    }

    /// Every request so far, in order.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.state).log.clone()
    }

    /// The most requests for a file of member analytics in any minute so far, refused ones included.
    pub fn most_files_in_a_minute(&self) -> usize {
        lock(&self.state).most_in_a_minute()
    }

    /// The number of access tokens that are valid now.
    pub fn good_tokens(&self) -> usize {
        lock(&self.state).tokens.good()
    }
}

async fn note(State(state): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let date = field(request.uri().query().unwrap_or_default(), "date");
    let response = next.run(request).await;
    let what = date.filter(|_| path.ends_with("getFile")).unwrap_or(path);
    lock(&state).log.push(Logged { what, status: response.status().as_u16() });
    response
}

/// `admin.analytics.getFile`.
async fn file(State(state): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let today = OffsetDateTime::from(SystemTime::now()).date();
    // Half a second for a large organization; other requests continue meanwhile.
    let file = tokio::task::spawn_blocking(move || {
        let day = lock(&state).admit(&headers, &query.unwrap_or_default(), today)?;
        let members = lock(&state).members;
        let file = members::file(day, members);
        let mut data = lock(&state);
        match data.next_fault(day) {
            None => {}
            Some(Fault::Truncated) => return Ok(file[..file.len() / 2].to_vec()),
            Some(fault) => return Err(fault),
        }
        data.served.insert(members::text(day), members::count(day, members));
        Ok(file)
    });
    match file.await {
        Ok(Ok(file)) => ([("content-type", "application/gzip")], file).into_response(),
        Ok(Err(Fault::Limited(seconds))) => limited(seconds),
        Ok(Err(Fault::Code(code))) => no(code),
        Ok(Err(Fault::Truncated | Fault::Down)) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(_) => no("fatal_error"),
    }
}

fn limited(seconds: u64) -> Response {
    let headers = [("retry-after", seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, headers, Json(json!({"ok": false, "error": "ratelimited"}))).into_response()
}
