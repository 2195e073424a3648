//! Everything the function depends on: the tables, QuickSight, the clock, and what it wrote to its log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::Case;
use loopback::{Answer, Log, Request, Time, environment, reply, serve};
use report_poller::{ReportPoller, Settings};
use serde_json::{Value, json};

use crate::dynamo::Dynamo;
use crate::freezing::freezing;

/// What the fakes know and have recorded.
pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    /// QuickSight's jobs: status and result's body.
    pub(crate) remote: BTreeMap<String, (&'static str, Value)>,
    /// The most that ran at once.
    pub(crate) high_water: usize,
    /// QuickSight's response to a Start, by job, instead of accepting it.
    pub(crate) refusals: BTreeMap<String, Answer>,
    /// Jobs that QuickSight accepts without responding.
    pub(crate) lost: Vec<String>,
    /// Jobs about which QuickSight returns nonsense.
    pub(crate) broken: Vec<String>,
    /// The answer to the next call of this name, `start`, `describe` or `result`.
    pub(crate) once: Option<(&'static str, Case)>,
    /// The bodies of Start, in order.
    pub(crate) starts: Vec<Value>,
    results: String,
}

pub(crate) struct World {
    state: Arc<Mutex<State>>,
    handler: ReportPoller,
    pub(crate) time_left: Duration,
    pub(crate) time: Time,
    log: Log,
}

impl World {
    pub(crate) async fn new(slots: u32) -> World {
        World::with(slots, false).await
    }

    /// A world in which the function is frozen after each call to QuickSight, and its connections die meanwhile.
    pub(crate) async fn frozen_between_calls(slots: u32) -> World {
        World::with(slots, true).await
    }

    async fn with(slots: u32, freezes: bool) -> World {
        let state = Arc::new(Mutex::new(State {
            dynamo: Dynamo::default(),
            remote: BTreeMap::new(),
            high_water: 0,
            refusals: BTreeMap::new(),
            lost: Vec::new(),
            broken: Vec::new(),
            once: None,
            starts: Vec::new(),
            results: String::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let quicksight = if freezes { freezing(address).await } else { address };
        let (slots, quicksight) = (slots.to_string(), format!("http://{quicksight}"));
        let own = [
            ("AWS_ENDPOINT_URL_QUICKSIGHT", quicksight.as_str()),
            ("TENANT", "acme"),
            ("ACCOUNT_ID", "111122223333"),
            ("JOBS_TABLE", "jobs"),
            ("SLOT_TABLE", "slots"),
            ("SLOTS", &slots),
            ("REPORT_BUCKET", "reports"),
        ];
        let settings = Settings::read(&environment(&format!("http://{address}"), &own)).unwrap();
        let time = Time::at(1_765_307_746);
        World {
            handler: ReportPoller::new(settings, time.clock()),
            state,
            time_left: Duration::from_secs(60),
            time,
            log: Log::of(&["report_poller", "report_queue"]),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, String> {
        let mut context = Context::default();
        context.deadline = self.time.deadline(self.time_left);
        let result = self.handler.handle(LambdaEvent::new(event, context)).await.map_err(|error| error.to_string());
        let shown = format!("{result:?}");
        self.state().results.push_str(&shown);
        result
    }

    pub(crate) async fn sweep(&self) -> Value {
        self.invoke(json!({"sweep": true})).await.unwrap()
    }

    /// EventBridge's event of a file written to the bucket.
    pub(crate) async fn created(&self, bucket: &str, key: &str) -> Value {
        let event = json!({
            "version": "0", "detail-type": "Object Created", "source": "aws.s3", "account": "111122223333",
            "region": "eu-west-1", "resources": [format!("arn:aws:s3:::{bucket}")],
            "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 5}, "reason": "PutObject"},
        });
        self.invoke(event).await.unwrap()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.time.pass(time);
    }

    /// A job in the queue, as the API writes it.
    pub(crate) fn queued(&self, id: &str, created: u64) {
        self.queued_with(id, created, json!({}));
    }

    pub(crate) fn queued_with(&self, id: &str, created: u64, parameters: Value) {
        let request = json!({
            "sheetId": "s1", "format": "PDF", "parameters": parameters, "tags": [{"key": "tenant", "value": "canary-tag"}],
        });
        let text = |text: &str| json!({"S": text});
        let number = |number: u64| json!({"N": number.to_string()});
        let base = 1_765_307_000_000 + created;
        let item = json!({
            "dashboardId": text("d1"), "jobId": text(id), "state": text("QUEUED"), "open": text("queued"),
            "since": number(base), "created": number(base), "updated": number(base), "attempts": number(0),
            "request": text(&request.to_string()), "fingerprint": text("f"), "viewer": text("v"),
        });
        self.state().dynamo.jobs.insert(id.to_owned(), item);
    }

    /// An attribute of a job's item.
    pub(crate) fn job(&self, id: &str, attribute: &str) -> Value {
        self.state().dynamo.job(id, attribute)
    }

    /// The state of a job.
    pub(crate) fn at(&self, id: &str) -> String {
        self.job(id, "state").as_str().unwrap_or_default().to_owned()
    }

    /// The number of Starts sent.
    pub(crate) fn starts(&self) -> usize {
        self.state().starts.len()
    }

    /// The most jobs that ran at once.
    pub(crate) fn high_water(&self) -> usize {
        self.state().high_water
    }

    pub(crate) fn slots_taken(&self) -> usize {
        self.state().dynamo.slots.keys().filter(|name| name.starts_with("slot#")).count()
    }

    /// QuickSight completes a job, with files at these addresses.
    pub(crate) fn complete(&self, id: &str, uris: &[&str]) {
        let results: Vec<Value> = uris.iter().map(|uri| json!({"S3Uri": uri, "ErrorInfo": []})).collect();
        let files =
            json!([{"SheetSelections": [{"SheetId": "s1", "SelectionScope": "ALL_VISUALS"}], "FormatType": "PDF"}]);
        let groups = json!([{"Files": files, "S3Results": results}]);
        let result = json!({"JobStatus": "COMPLETED", "Result": {"AnonymousUsers": [{"FileGroups": groups}]}});
        self.state().remote.insert(id.to_owned(), ("COMPLETED", result));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let said = self.log.text() + &self.state().results;
        for canary in ["canary-tag", "canary-aws", "canary-arn"] {
            assert!(!said.contains(canary), "the secret `{canary}` leaked: {said}");
        }
    }
}

/// An error as QuickSight returns it.
pub(crate) fn refusal(status: u16, kind: &'static str) -> Answer {
    let body = json!({"Message": "it says why", "RequestId": "r"}).to_string().into_bytes();
    Answer::Reply { status, headers: vec![("x-amzn-ErrorType", kind.to_owned())], body }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(answer) = self.dynamo.answer(request) {
            return answer;
        }
        let path = request.target.strip_prefix("/accounts/111122223333/dashboards/d1/snapshot-jobs");
        let path = path.expect("QuickSight is called for the account's dashboard");
        let called = match path {
            "" => "start",
            path if path.ends_with("/result") => "result",
            _ => "describe",
        };
        if let Some((_, case)) = self.once.take_if(|(name, _)| *name == called) {
            if called == "start" {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                if case.takes_effect {
                    self.start(body);
                } else {
                    self.starts.push(body);
                }
            }
            return case.answer;
        }
        match (request.method.as_str(), path) {
            ("POST", "") => self.start(serde_json::from_str(&request.body).unwrap()),
            ("GET", rest) => self.look(rest.trim_start_matches('/')),
            (method, _) => panic!("QuickSight has no {method} {}", request.target),
        }
    }

    fn start(&mut self, body: Value) -> Answer {
        let id = body["SnapshotJobId"].as_str().unwrap().to_owned();
        self.starts.push(body);
        if let Some(refusal) = self.refusals.get(&id) {
            return refusal.clone();
        }
        if self.remote.contains_key(&id) {
            return refusal_exists();
        }
        self.remote.insert(id.clone(), ("QUEUED", Value::Null));
        let running = self.remote.values().filter(|(status, _)| matches!(*status, "QUEUED" | "RUNNING")).count();
        self.high_water = self.high_water.max(running);
        if self.lost.contains(&id) {
            return Answer::HangUp;
        }
        reply(200, json!({"Arn": "arn:aws:quicksight:…", "SnapshotJobId": id, "RequestId": "r"}))
    }

    fn look(&mut self, path: &str) -> Answer {
        let (id, result) = match path.strip_suffix("/result") {
            Some(id) => (id, true),
            None => (path, false),
        };
        if self.broken.iter().any(|broken| broken == id) {
            return refusal(500, "InternalFailureException");
        }
        match self.remote.get(id) {
            None => refusal(404, "ResourceNotFoundException"),
            Some((status, _)) if !result => {
                reply(200, json!({"SnapshotJobId": id, "JobStatus": status, "RequestId": "r"}))
            }
            Some((_, Value::Null)) => refusal(400, "PreconditionNotMetException"),
            Some((_, body)) => reply(200, body),
        }
    }
}

fn refusal_exists() -> Answer {
    refusal(409, "ResourceExistsException")
}
