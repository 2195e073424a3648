//! Everything the function depends on: the tables, the bucket, the secret, the clock, and what it wrote to its log.

use std::sync::{Arc, Mutex, MutexGuard};

use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Log, Request, Time, environment, reply, serve};
use report_api::{ReportApi, Settings};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::dynamo::Dynamo;

/// What the fakes know and have recorded.
pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    /// The bucket's keys.
    pub(crate) objects: Vec<String>,
    pub(crate) secret_reads: usize,
    pub(crate) secret: &'static str,
    answers: String,
    /// What was returned and must not be in the log.
    given: Vec<String>,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) handler: ReportApi,
    pub(crate) time: Time,
    log: Log,
}

pub(crate) const BASE: &str = "/qs-anonymous-snapshot";

impl World {
    pub(crate) async fn new() -> World {
        World::with(&[]).await
    }

    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        let state = Arc::new(Mutex::new(State {
            dynamo: Dynamo::default(),
            objects: Vec::new(),
            secret_reads: 0,
            secret: "canary-page-key-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            answers: String::new(),
            given: Vec::new(),
        }));
        World::sharing(state, variables).await
    }

    /// Another function with the same tables and bucket.
    pub(crate) async fn sharing(state: Arc<Mutex<State>>, variables: &[(&str, &str)]) -> World {
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let own = [
            ("TENANT", "acme"),
            ("ACCOUNT_ID", "111122223333"),
            ("JOBS_TABLE", "jobs"),
            ("REPORT_BUCKET", "reports"),
            ("PAGE_KEY_SECRET", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:canary-arn"),
            ("ROW_LEVEL_TAGS", r#"[{"key":"tenant","value":"canary-tag"}]"#),
            ("DASHBOARDS", "all"),
        ];
        let variable = environment(&format!("http://{address}"), own.iter().chain(variables));
        let time = Time::at(1_765_307_746);
        let handler = ReportApi::new(Settings::read(&variable).unwrap(), time.clock());
        World { state, handler, time, log: Log::of(&["report_api", "report_queue"]) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) async fn invoke(&self, event: &str) -> Result<Value, String> {
        let event: Box<RawValue> = serde_json::from_str(event).unwrap();
        let result = self.handler.handle(LambdaEvent::new(event, Context::default())).await;
        let result = result.map_err(|error| error.to_string());
        let shown = format!("{result:?}\n");
        self.state().answers.push_str(&shown);
        result
    }

    /// The status and body of a response.
    pub(crate) async fn call(&self, event: Value) -> (u64, Value) {
        let answer = self.invoke(&event.to_string()).await.expect("a REST request always gets a response");
        assert_eq!(answer["headers"]["Content-Type"], "application/json");
        assert_eq!(answer["headers"]["Cache-Control"], "no-store");
        assert_eq!(answer["headers"].get("Access-Control-Allow-Origin"), None);
        let body: Value = match answer["body"].as_str().unwrap() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap(),
        };
        for secret in ["presignedUrl", "NextToken"] {
            self.state().given.extend(body[secret].as_str().map(str::to_owned));
        }
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    pub(crate) async fn submit(&self, body: &Value) -> (u64, Value) {
        self.call(post(body, json!({}))).await
    }

    /// The message of a refusal.
    pub(crate) async fn refused(&self, event: Value) -> (u64, String) {
        let (status, body) = self.call(event).await;
        assert!(status >= 400, "{body}");
        assert_eq!(body["error"], body["message"]);
        (status, body["error"].as_str().unwrap().to_owned())
    }

    /// A PDF job in the queue.
    pub(crate) async fn job(&self) -> String {
        let (status, body) = self.submit(&pdf()).await;
        assert_eq!(status, 202, "{body}");
        body["SnapshotJobId"].as_str().unwrap().to_owned()
    }

    /// Completes a job as the poller does, with these files in the bucket.
    pub(crate) fn complete(&self, id: &str, names: &[&str]) {
        let keys: Vec<String> = names.iter().map(|name| format!("t/acme/d1/{id}/{name}")).collect();
        let files: Vec<Value> = keys.iter().map(|key| json!({"format": "PDF", "key": key})).collect();
        self.end(id, "COMPLETED", &[("files", json!(files).to_string())]);
        self.state().objects.extend(keys);
    }

    pub(crate) fn end(&self, id: &str, state: &str, more: &[(&str, String)]) {
        let mut world = self.state();
        let item = world.dynamo.jobs.get_mut(id).unwrap();
        item["state"] = json!({"S": state});
        item.as_object_mut().unwrap().remove("open");
        for (name, text) in more {
            item[*name] = json!({"S": text});
        }
    }

    /// The number of calls to AWS.
    pub(crate) fn calls(&self) -> usize {
        let state = self.state();
        state.dynamo.calls.len() + state.secret_reads
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.state();
        let log = self.log.text();
        for canary in ["canary", "X-Amz-Signature"] {
            assert!(!log.contains(canary), "the secret `{canary}` leaked: {log}");
        }
        for given in &state.given {
            assert!(!log.contains(given.as_str()), "it was logged: {given}");
        }
        for canary in ["canary-tag", "canary-claim", "canary-aws-secret", "canary-page", "canary-arn", "canary@"] {
            assert!(!state.answers.contains(canary), "the secret `{canary}` leaked: {}", state.answers);
        }
    }
}

pub(crate) fn pdf() -> Value {
    json!({"dashboardId": "d1", "sheetId": "s1", "format": "PDF", "parameters": null})
}

pub(crate) fn post(body: impl ToString, headers: Value) -> Value {
    let mut event = request("POST", "", json!(null), json!(null));
    event["body"] = json!(body.to_string());
    event["headers"] = headers;
    event
}

pub(crate) fn list(query: Value) -> Value {
    request("GET", "", json!(null), query)
}

/// A request about a job: `GET describe_job`, `GET download_output`, `DELETE` ….
pub(crate) fn about(what: &str, dashboard: &str, job: &str) -> Value {
    let (method, resource) = match what.split_once(' ') {
        Some((method, resource)) => (method, format!("/{resource}/{{dashboardId}}/{{jobId}}")),
        None => (what, "/{dashboardId}/{jobId}".to_owned()),
    };
    request(method, &resource, json!({"dashboardId": dashboard, "jobId": job}), json!(null))
}

pub(crate) fn request(method: &str, resource: &str, parameters: Value, query: Value) -> Value {
    json!({
        "resource": format!("{BASE}{resource}"), "path": format!("/dev{BASE}{resource}"), "httpMethod": method,
        "headers": null, "multiValueHeaders": null, "queryStringParameters": query, "pathParameters": parameters,
        "requestContext": {"stage": "dev", "identity": {"apiKeyId": "k"}, "authorizer": null},
        "body": null, "isBase64Encoded": false,
    })
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(answer) = self.dynamo.answer(request) {
            return answer;
        }
        if request.header("x-amz-target") == "secretsmanager.GetSecretValue" {
            self.secret_reads += 1;
            return reply(200, json!({"ARN": "canary-arn", "SecretString": self.secret}));
        }
        let path = request.target.strip_prefix("/reports").expect("it is the report bucket");
        let (key, query) = path.split_once('?').unwrap_or((path, ""));
        let key = key.trim_start_matches('/').to_owned();
        match request.method.as_str() {
            "HEAD" if self.objects.contains(&key) => reply(200, ""),
            "HEAD" => reply(404, ""),
            "GET" if query.starts_with("versions") => self.versions(query),
            "POST" if query.starts_with("delete") => {
                self.objects.retain(|key| !request.body.contains(&format!("<Key>{key}</Key>")));
                reply(200, "<DeleteResult/>")
            }
            _ => panic!("the bucket has no {} {}", request.method, request.target),
        }
    }

    fn versions(&self, query: &str) -> Answer {
        let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap().replace("%2F", "/");
        let found = self.objects.iter().filter(|key| key.starts_with(&prefix));
        let version = |key: &String| format!("<Version><Key>{key}</Key><VersionId>v1</VersionId></Version>");
        let versions: String = found.map(version).collect();
        reply(200, format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{versions}</ListVersionsResult>"))
    }
}
