//! A stand-in for QuickSight's dashboard snapshot jobs: the three calls with their shapes, limits and errors, and small
//! real files in the place that the job names, without QuickSight or a dashboard. Every ID is a dashboard; [`Dashboard`] lists those
//! that misbehave.
//!
//! The facts are from <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_StartDashboardSnapshotJob.html> and the two
//! pages next to it. Not implemented: permissions, the rows that row-level security would leave out, registered users.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::signed::Caller;

mod files;
mod request;

/// Dashboards that do not succeed.
#[derive(Debug)]
pub struct Dashboard;

impl Dashboard {
    /// Its jobs end as FAILED.
    pub const FAILS: &'static str = "dashboard-that-fails";
    /// There is no such dashboard: `ResourceNotFoundException`.
    pub const MISSING: &'static str = "dashboard-that-is-missing";
    /// Its jobs start, and the answer to the first start of each is an `InternalFailureException`.
    pub const LOSES_ANSWERS: &'static str = "dashboard-that-loses-answers";
}

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct QuickSightOptions {
    /// How long a job is QUEUED; after that it is RUNNING.
    pub queued: Duration,
    /// How long it is RUNNING; after that it has its end status, and its files exist.
    pub running: Duration,
    /// How many calls per second are answered; [`CALLS_A_SECOND`] is QuickSight's own limit.
    pub calls_a_second: usize,
}

/// A running stand-in. It ends with the runtime it was started on.
#[derive(Debug, Clone)]
pub struct QuickSight {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    world: Arc<World>,
}

/// What it has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that were accepted.
    pub started: usize,
    /// Jobs that have ended.
    pub ended: usize,
    /// The most jobs that were open at one time.
    pub high_water: usize,
    /// Starts that were refused, for any reason.
    pub refused: usize,
}

/// Calls per second of an account, by default.
pub const CALLS_A_SECOND: usize = 10;

/// Jobs of an account that are open at one time, by default.
const MOST_OPEN: usize = 12;
/// A job's ID may be used again after this.
const ID_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

impl QuickSight {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(options: QuickSightOptions) -> std::io::Result<QuickSight> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = Arc::new(World { options, s3: Mutex::default(), data: Mutex::default() });
        let job = "/accounts/{account}/dashboards/{dashboard}/snapshot-jobs/{job}";
        let router = Router::new()
            .route("/accounts/{account}/dashboards/{dashboard}/snapshot-jobs", post(start_job))
            .route(job, get(describe_job))
            .route(&format!("{job}/result"), get(describe_result))
            .fallback(async || {
                problem(StatusCode::NOT_FOUND, "UnknownOperationException", "this stand-in has no such call")
            })
            .layer(DefaultBodyLimit::max(64 * 1024))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(QuickSight { url, world })
    }

    /// Sets the address of the buckets; jobs that end before this fail.
    pub fn writes_to(&self, s3: &Caller) {
        *lock(&self.world.s3) = Some(s3.clone());
    }

    /// What it has seen so far.
    pub fn counts(&self) -> Counts {
        let data = lock(&self.world.data);
        Counts { ended: data.jobs.values().filter(|job| job.end.is_some()).count(), ..data.counts }
    }
}

#[derive(Debug)]
struct World {
    options: QuickSightOptions,
    s3: Mutex<Option<Caller>>,
    data: Mutex<Data>,
}

#[derive(Debug, Default)]
struct Data {
    jobs: BTreeMap<JobKey, Job>,
    calls: Vec<Instant>,
    counts: Counts,
}

/// Account, dashboard, job.
type JobKey = (String, String, String);

#[derive(Debug)]
struct Job {
    configuration: Value,
    tag_keys: Vec<Value>,
    created: SystemTime,
    started: Instant,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    at: Instant,
    time: SystemTime,
    /// What `DescribeDashboardSnapshotJobResult` reports in addition to the times.
    outcome: Result<Value, Value>,
}

impl Job {
    fn status(&self, options: &QuickSightOptions) -> &'static str {
        match &self.end {
            Some(End { outcome: Ok(_), .. }) => "COMPLETED",
            Some(End { outcome: Err(_), .. }) => "FAILED",
            None if self.started.elapsed() < options.queued => "QUEUED",
            None => "RUNNING",
        }
    }

    fn last_updated(&self) -> SystemTime {
        self.end.as_ref().map_or(self.created, |end| end.time)
    }
}

type Shared = State<Arc<World>>;

async fn start_job(State(world): Shared, Path((account, dashboard)): Path<(String, String)>, body: Bytes) -> Response {
    let refuse = |status, kind, message: &str| {
        lock(&world.data).counts.refused += 1;
        problem(status, kind, message)
    };
    if let Some(response) = world.refuses() {
        lock(&world.data).counts.refused += 1;
        return response;
    }
    let request = match request::parse(&account, &dashboard, &body) {
        Ok(request) => request,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, "InvalidParameterValueException", &message),
    };
    if dashboard == Dashboard::MISSING {
        return refuse(StatusCode::NOT_FOUND, "ResourceNotFoundException", "there is no such dashboard");
    }
    let key = (account, dashboard, request.job);
    {
        let mut data = lock(&world.data);
        if data.jobs.get(&key).is_some_and(|job| job.end.as_ref().is_none_or(|end| end.at.elapsed() < ID_KEPT)) {
            data.counts.refused += 1;
            return problem(StatusCode::CONFLICT, "ResourceExistsException", "there is a job with this ID");
        }
        let open = data.jobs.values().filter(|job| job.end.is_none()).count();
        if open >= MOST_OPEN {
            data.counts.refused += 1;
            return problem(StatusCode::CONFLICT, "LimitExceededException", "12 snapshot jobs are running");
        }
        data.counts.started += 1;
        data.counts.high_water = data.counts.high_water.max(open + 1);
        let (created, started) = (SystemTime::now(), Instant::now());
        let job = Job { configuration: request.configuration, tag_keys: request.tag_keys, created, started, end: None };
        data.jobs.insert(key.clone(), job);
    }
    let loses_answer = key.1 == Dashboard::LOSES_ANSWERS;
    let answer = json!({"Arn": arn(&key), "SnapshotJobId": key.2, "RequestId": REQUEST_ID});
    tokio::spawn(async move { world.run(key).await });
    if loses_answer {
        problem(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailureException", "the answer was lost")
    } else {
        Json(answer).into_response()
    }
}

async fn describe_job(State(world): Shared, Path(key): Path<JobKey>) -> Response {
    if let Some(response) = world.refuses() {
        return response;
    }
    let data = lock(&world.data);
    let Some(job) = data.jobs.get(&key) else { return no_job() };
    Json(json!({
        "AwsAccountId": key.0,
        "DashboardId": key.1,
        "SnapshotJobId": key.2,
        "UserConfiguration": {"AnonymousUsers": [{"RowLevelPermissionTagKeys": job.tag_keys}]},
        "SnapshotConfiguration": job.configuration,
        "Arn": arn(&key),
        "JobStatus": job.status(&world.options),
        "CreatedTime": seconds(job.created),
        "LastUpdatedTime": seconds(job.last_updated()),
        "RequestId": REQUEST_ID,
    }))
    .into_response()
}

async fn describe_result(State(world): Shared, Path(key): Path<JobKey>) -> Response {
    if let Some(response) = world.refuses() {
        return response;
    }
    let data = lock(&world.data);
    let Some(job) = data.jobs.get(&key) else { return no_job() };
    let Some(end) = &job.end else {
        let message = "the snapshot job has not reached a terminal state";
        return problem(StatusCode::BAD_REQUEST, "PreconditionNotMetException", message);
    };
    let (name, outcome) = match &end.outcome {
        Ok(result) => ("Result", result),
        Err(error) => ("ErrorInfo", error),
    };
    Json(json!({
        "Arn": arn(&key),
        "JobStatus": job.status(&world.options),
        "CreatedTime": seconds(job.created),
        "LastUpdatedTime": seconds(job.last_updated()),
        name: outcome,
        "RequestId": REQUEST_ID,
    }))
    .into_response()
}

impl World {
    /// Throttles calls of all three kinds together.
    fn refuses(&self) -> Option<Response> {
        let mut data = lock(&self.data);
        data.calls.retain(|at| at.elapsed() < Duration::from_secs(1));
        if data.calls.len() >= self.options.calls_a_second {
            return Some(problem(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "too many calls per second"));
        }
        data.calls.push(Instant::now());
        None
    }

    /// Runs the job: waits, creates the files, puts them into the bucket, ends.
    async fn run(&self, key: JobKey) {
        tokio::time::sleep(self.options.queued + self.options.running).await;
        let configuration = lock(&self.data).jobs.get(&key).map(|job| job.configuration.clone()).unwrap_or_default();
        let s3 = lock(&self.s3).clone();
        let outcome = match (key.1.as_str(), s3) {
            (Dashboard::FAILS, _) => Err(error("the stand-in was asked for a job that fails")),
            (_, None) => Err(error("the stand-in does not know where the buckets are")),
            (_, Some(s3)) => deliver(&s3, &key, &configuration).await.map_err(|cause| error(&cause.to_string())),
        };
        if let Some(job) = lock(&self.data).jobs.get_mut(&key) {
            job.end = Some(End { at: Instant::now(), time: SystemTime::now(), outcome });
        }
    }
}

/// Puts a file for each file group and destination, and returns where.
async fn deliver(s3: &Caller, key: &JobKey, configuration: &Value) -> anyhow::Result<Value> {
    let mut groups = Vec::new();
    for (index, group) in request::list(&configuration["FileGroups"]).iter().enumerate() {
        let file = &group["Files"][0];
        let (extension, kind, bytes) =
            files::make(file["FormatType"].as_str().unwrap_or_default(), &key.1, configuration)?;
        let mut results = Vec::new();
        for destination in request::list(&configuration["DestinationConfiguration"]["S3Destinations"]) {
            let bucket = &destination["BucketConfiguration"];
            let (name, prefix) = (bucket["BucketName"].as_str(), bucket["BucketPrefix"].as_str());
            let prefix = prefix.unwrap_or_default().trim_end_matches('/');
            let path = format!("/{}/{prefix}/{}_{index}.{extension}", name.unwrap_or_default(), key.2);
            s3.call("s3", reqwest::Method::PUT, &path, &[("content-type", kind)], bytes.clone()).await?;
            let uri = format!("s3:/{path}");
            results.push(json!({"S3DestinationConfiguration": destination, "S3Uri": uri, "ErrorInfo": []}));
        }
        groups.push(json!({"Files": group["Files"], "S3Results": results}));
    }
    Ok(json!({"AnonymousUsers": [{"FileGroups": groups}]}))
}

fn error(message: &str) -> Value {
    json!({"ErrorMessage": message, "ErrorType": "STAND_IN_ERROR"})
}

fn arn((account, dashboard, job): &JobKey) -> String {
    format!("arn:aws:quicksight:{}:{account}:dashboard/{dashboard}/snapshot-job/{job}", crate::emulator::REGION)
}

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

fn no_job() -> Response {
    problem(StatusCode::NOT_FOUND, "ResourceNotFoundException", "there is no such snapshot job")
}

/// An error as QuickSight shapes it.
fn problem(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = Json(json!({"Message": message, "RequestId": REQUEST_ID}));
    (status, [("x-amzn-errortype", kind)], body).into_response()
}

fn seconds(time: SystemTime) -> f64 {
    let millis = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    millis as f64 / 1000.0
}

/// A handler that panicked does not make the data wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
