//! A stand-in for Qlik Cloud: the reload part of its REST interface, with the shapes, statuses and limits of the real one, but without
//! Qlik. Every GUID is an app; [`App`] lists those that misbehave.
//!
//! The facts are from <https://qlik.dev/apis/rest/reloads/> and <https://qlik.dev/apis/rest/apps/>. Not implemented: paging beyond the first
//! page, and the per-user permissions beyond one app that answers 403.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

mod filter;

/// Apps that do not succeed.
#[derive(Debug)]
pub struct App;

impl App {
    /// Its reload ends as FAILED.
    pub const FAILS: &'static str = "00000000-0000-4000-8000-00000000fa11";
    /// Its reload ends as CANCELED.
    pub const IS_CANCELED: &'static str = "00000000-0000-4000-8000-00000000ca9c";
    /// Its reload ends as EXCEEDED_LIMIT.
    pub const EXCEEDS_LIMIT: &'static str = "00000000-0000-4000-8000-00000000e8ce";
    /// Its reload stays QUEUED.
    pub const STAYS_QUEUED: &'static str = "00000000-0000-4000-8000-00000000cede";
    /// There is no such app: 404.
    pub const MISSING: &'static str = "00000000-0000-4000-8000-000000000404";
    /// The key's user may not see it: 403.
    pub const FORBIDDEN: &'static str = "00000000-0000-4000-8000-000000000403";
}

/// How the stand-in behaves. There is no `Debug`, which would show the key.
#[derive(Clone)]
pub struct QlikOptions {
    /// The one API key that is accepted.
    pub api_key: String,
    /// How long a reload is QUEUED; after that it is RELOADING.
    pub queued: Duration,
    /// How long it is RELOADING; after that it has its end status.
    pub reloading: Duration,
}

/// A running stand-in. It ends with the runtime it was started on.
#[derive(Debug, Clone)]
pub struct Qlik {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    state: Arc<Mutex<Data>>,
}

/// One request that was answered. Its headers are not kept: they carry the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// `GET`, `POST`
    pub method: String,
    /// Path and query.
    pub path: String,
    /// What was answered.
    pub status: u16,
}

/// A reload that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The reload's ID.
    pub id: String,
    /// The app's ID.
    pub app_id: String,
    /// Its status now.
    pub status: &'static str,
}

/// `POST /reloads` per minute. The real limit is metered over five minutes, so it lets bursts through that this does not.
const POSTS_A_MINUTE: usize = 50;
const MINUTE: Duration = Duration::from_secs(60);

impl Qlik {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(options: QlikOptions) -> std::io::Result<Qlik> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let data = Data { options, url: url.clone(), reloads: Vec::new(), posts: Vec::new(), log: Vec::new() };
        let state = Arc::new(Mutex::new(data));
        let router = Router::new()
            .route("/api/v1/apps/{app}", get(read_app))
            .route("/api/v1/reloads", post(start_reload).get(list_reloads))
            .route("/api/v1/reloads/{id}", get(read_reload))
            .route("/api/v1/reloads/{id}/actions/cancel", post(cancel_reload))
            .fallback(async || problem(StatusCode::NOT_FOUND, "no such resource"))
            .layer(middleware::from_fn_with_state(Arc::clone(&state), admit_and_log))
            .layer(DefaultBodyLimit::max(64 * 1024))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Qlik { url, state })
    }

    /// Every request so far, in order.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.state).log.clone()
    }

    /// The reloads of an app, oldest first.
    pub fn reloads_of(&self, app_id: &str) -> Vec<Started> {
        let data = lock(&self.state);
        let of_app = data.reloads.iter().filter(|reload| reload.app_id == app_id);
        of_app
            .map(|reload| Started {
                id: reload.id.clone(),
                app_id: reload.app_id.clone(),
                status: reload.status(&data.options),
            })
            .collect()
    }
}

struct Data {
    options: QlikOptions,
    url: String,
    reloads: Vec<Reload>,
    posts: Vec<Instant>,
    log: Vec<Logged>,
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Data").field("reloads", &self.reloads.len()).finish_non_exhaustive()
    }
}

struct Reload {
    id: String,
    app_id: String,
    partial: bool,
    weight: Option<i64>,
    created: SystemTime,
    started: Instant,
    canceled: bool,
}

impl Reload {
    fn status(&self, options: &QlikOptions) -> &'static str {
        let age = self.started.elapsed();
        match self.app_id.as_str() {
            _ if self.canceled => "CANCELED",
            App::STAYS_QUEUED => "QUEUED",
            _ if age < options.queued => "QUEUED",
            _ if age < options.queued + options.reloading => "RELOADING",
            App::FAILS => "FAILED",
            App::IS_CANCELED => "CANCELED",
            App::EXCEEDS_LIMIT => "EXCEEDED_LIMIT",
            _ => "SUCCEEDED",
        }
    }

    fn to_json(&self, status: &str, url: &str, options: &QlikOptions) -> Value {
        let mut reload = json!({
            "id": self.id,
            "appId": self.app_id,
            "tenantId": "xqFQ0k66vSR8f9G7J-standIn",
            "userId": "o9b8nbbTuvdOQBY6-standIn",
            "type": "external",
            "status": status,
            "partial": self.partial,
            "creationTime": time(self.created),
            "links": {"self": {"href": format!("{url}/api/v1/reloads/{}", self.id)}},
        });
        if let Some(weight) = self.weight {
            reload["weight"] = json!(weight);
        }
        if status != "QUEUED" {
            reload["startTime"] = json!(time(self.created + options.queued));
        }
        if !matches!(status, "QUEUED" | "RELOADING") {
            reload["endTime"] = json!(time(self.created + options.queued + options.reloading));
            reload["engineTime"] = json!(time(self.created + options.queued));
        }
        if status == "FAILED" {
            reload["errorCode"] = json!("EngineReloadFailed");
            reload["errorMessage"] = json!("the stand-in was asked for a reload that fails");
        }
        reload
    }
}

type Shared = State<Arc<Mutex<Data>>>;

/// Admits only the holder of the key, and records every answer.
async fn admit_and_log(State(state): Shared, request: Request, next: Next) -> Response {
    let expected = format!("Bearer {}", lock(&state).options.api_key);
    let given = request.headers().get("authorization").map(|value| value.as_bytes());
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let response = if given == Some(expected.as_bytes()) {
        next.run(request).await
    } else {
        problem(StatusCode::UNAUTHORIZED, "the API key is missing or not valid")
    };
    lock(&state).log.push(Logged { method, path, status: response.status().as_u16() });
    response
}

async fn read_app(State(state): Shared, Path(app): Path<String>) -> Response {
    match app_problem(&app) {
        Some(response) => response,
        None => Json(json!({
            "attributes": {
                "id": app,
                "name": "an app of the stand-in",
                "description": "",
                "lastReloadTime": lock(&state).reloads.iter().rfind(|reload| reload.app_id == app).map(|reload| time(reload.created)),
                "ownerId": "o9b8nbbTuvdOQBY6-standIn",
                "publishTime": "",
                "hasSectionAccess": false,
            },
            "privileges": ["read", "reload", "update"],
            "create": [{"resource": "sheet", "canCreate": true}],
        }))
        .into_response(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewReload {
    app_id: String,
    #[serde(default)]
    partial: bool,
    weight: Option<i64>,
    #[serde(default)]
    variables: HashMap<String, String>,
}

async fn start_reload(State(state): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if !headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return problem(StatusCode::BAD_REQUEST, "the content type must be application/json");
    }
    let new: NewReload = match serde_json::from_slice(&body) {
        Ok(new) => new,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    if new.variables.len() > 20 || new.variables.values().any(|value| value.chars().count() > 256) {
        return problem(StatusCode::BAD_REQUEST, "there may be 20 variables of 256 characters");
    }
    if let Some(response) = app_problem(&new.app_id) {
        return response;
    }
    let mut data = lock(&state);
    if let Some(wait) = data.too_many_posts() {
        let seconds = wait.as_secs().max(1).to_string();
        let response = problem(StatusCode::TOO_MANY_REQUESTS, "too many reloads were requested");
        return ([("retry-after", seconds)], response).into_response();
    }
    data.posts.push(Instant::now());
    let reload = Reload {
        id: format!("{:024x}", 0x5be5_9dec_ca62_aa00_u64 + data.reloads.len() as u64),
        app_id: new.app_id,
        partial: new.partial,
        weight: new.weight,
        created: SystemTime::now(),
        started: Instant::now(),
        canceled: false,
    };
    let answer = reload.to_json("QUEUED", &data.url, &data.options);
    data.reloads.push(reload);
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn read_reload(State(state): Shared, Path(id): Path<String>) -> Response {
    let data = lock(&state);
    match data.reloads.iter().find(|reload| reload.id == id) {
        Some(reload) => Json(data.json(reload)).into_response(),
        None => problem(StatusCode::NOT_FOUND, "there is no such reload"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    app_id: Option<String>,
    filter: Option<String>,
    limit: Option<usize>,
    sort: Option<String>,
    partial: Option<bool>,
}

async fn list_reloads(State(state): Shared, Query(listing): Query<Listing>) -> Response {
    let limit = listing.limit.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return problem(StatusCode::BAD_REQUEST, "limit must be 1 to 100");
    }
    let Some(wanted) = filter::parse(listing.filter.as_deref().unwrap_or_default()) else {
        return problem(StatusCode::BAD_REQUEST, "the filter is not `status|partial|type eq …`, joined by and, or");
    };
    let data = lock(&state);
    let of_app = data.reloads.iter().filter(|reload| listing.app_id.as_ref().is_none_or(|app| *app == reload.app_id));
    let of_kind = of_app.filter(|reload| listing.partial.is_none_or(|partial| partial == reload.partial));
    let mut found: Vec<_> = of_kind.map(|reload| data.json(reload)).filter(|reload| wanted.matches(reload)).collect();
    match listing.sort.as_deref() {
        None | Some("-creationTime") => found.reverse(),
        Some("+creationTime" | " creationTime" | "creationTime") => {}
        Some(_) => return problem(StatusCode::BAD_REQUEST, "this stand-in sorts by creationTime only"),
    }
    found.truncate(limit);
    Json(json!({"data": found, "links": {"self": {"href": format!("{}/api/v1/reloads", data.url)}}})).into_response()
}

async fn cancel_reload(State(state): Shared, Path(id): Path<String>) -> Response {
    let mut data = lock(&state);
    let options = data.options.clone();
    match data.reloads.iter_mut().find(|reload| reload.id == id) {
        None => problem(StatusCode::NOT_FOUND, "there is no such reload"),
        Some(reload) if matches!(reload.status(&options), "QUEUED" | "RELOADING") => {
            reload.canceled = true;
            (StatusCode::ACCEPTED, Json(json!({"status": "CANCELING"}))).into_response()
        }
        Some(_) => problem(StatusCode::CONFLICT, "the reload has ended"),
    }
}

impl Data {
    fn json(&self, reload: &Reload) -> Value {
        reload.to_json(reload.status(&self.options), &self.url, &self.options)
    }

    /// How long to wait if the limit is used up.
    fn too_many_posts(&mut self) -> Option<Duration> {
        self.posts.retain(|at| at.elapsed() < MINUTE);
        let oldest = self.posts.first().filter(|_| self.posts.len() >= POSTS_A_MINUTE)?;
        Some(MINUTE - oldest.elapsed())
    }
}

fn app_problem(app: &str) -> Option<Response> {
    match app {
        App::MISSING => Some(problem(StatusCode::NOT_FOUND, "there is no such app")),
        App::FORBIDDEN => Some(problem(StatusCode::FORBIDDEN, "the user may not see this app")),
        _ => None,
    }
}

/// An error as Qlik's gateway shapes it. Its services have codes of their own, `RELOADS-001` to `RELOADS-013`, whose meaning is not published.
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let code = format!("HTTP-{}", status.as_u16());
    let body = json!({"errors": [{"code": code, "title": title, "detail": detail}], "traceId": "00000000000000000000000000000000"});
    (status, Json(body)).into_response()
}

/// `2024-05-01T10:00:00Z`, cut to the second.
fn time(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    DateTime::from_secs(seconds.try_into().unwrap_or(i64::MAX))
        .fmt(Format::DateTime)
        .expect("the time of a clock is within the range of dates")
}

/// A handler that panicked does not make the data wrong.
fn lock(state: &Mutex<Data>) -> MutexGuard<'_, Data> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
