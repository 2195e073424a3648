//! Everything the function depends on: Qlik, Secrets Manager, DynamoDB, the clock, and what it wrote to its log.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::Case;
use loopback::dynamo::{holds, refused};
use loopback::{Answer, Log, Request, Time, reply, serve};
use qlik_reload::{Error, ReloadHandler, Settings};
use serde_json::{Value, json};

pub(crate) const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";
pub(crate) const OTHER_APP: &str = "00000000-f0ad-4c64-ac59-6db967126015";
pub(crate) const RELOAD: &str = "5be59decca62aa00097268a4";
pub(crate) const OTHER_RELOAD: &str = "aaaaaaaaca62aa00097268a4";
pub(crate) const KEY: &str = "canary-api-key-7f3a";
pub(crate) const NEW_KEY: &str = "canary-api-key-after-rotation-91bc";
pub(crate) const VALUE: &str = "canary-variable-value";

/// The calls to Qlik that a script can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    App,
    Post,
    Reload,
    List,
}

/// What the fakes know and have recorded.
pub(crate) struct State {
    script: BTreeMap<Route, VecDeque<Answer>>,
    /// The calls to Qlik, in order.
    pub(crate) calls: Vec<(Route, Request)>,
    /// The claims table: items in DynamoDB's JSON.
    pub(crate) table: BTreeMap<String, Value>,
    /// Faults of DynamoDB, one per call.
    pub(crate) table_faults: VecDeque<TableFault>,
    /// The secret's values; the last one repeats.
    pub(crate) secrets: VecDeque<Result<String, &'static str>>,
    pub(crate) secret_reads: usize,
    /// The answer to the next call of an operation of AWS, whatever the service would answer.
    pub(crate) once: Option<(&'static str, Case)>,
    results: Vec<String>,
}

pub(crate) enum TableFault {
    Works,
    Denies,
    /// Does the work, then closes the connection.
    LosesAnswer,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) address: SocketAddr,
    pub(crate) handler: ReloadHandler,
    /// The time left before the function's timeout at each invocation.
    pub(crate) time_left: Duration,
    pub(crate) request_id: &'static str,
    time: Time,
    log: Log,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(&[]).await
    }

    /// With additional environment variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        let state = Arc::new(Mutex::new(State {
            script: BTreeMap::from([(Route::App, VecDeque::from([reply(200, r#"{"attributes":{}}"#)]))]),
            calls: Vec::new(),
            table: BTreeMap::new(),
            table_faults: VecDeque::new(),
            secrets: VecDeque::from([Ok(json!({"key": KEY}).to_string())]),
            secret_reads: 0,
            once: None,
            results: Vec::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
        let mut environment = environment(address);
        environment.extend(variables.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        let settings = Settings::read(&|name: &str| environment.get(name).cloned()).unwrap();
        let time = Time::at(1_714_557_600); // 2024-05-01T10:00:00Z
        World {
            handler: ReloadHandler::new(settings, time.clock()),
            state,
            address,
            time_left: Duration::from_secs(60),
            request_id: "request-1",
            time,
            log: Log::of(&["qlik_reload"]),
        }
    }

    /// Sets the answers to one of Qlik's calls; the last one repeats.
    pub(crate) fn qlik<const N: usize>(&self, route: Route, answers: [Answer; N]) -> &World {
        self.state().answer_with(route, answers.into());
        self
    }

    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, Error> {
        let mut context = Context::default();
        context.request_id = self.request_id.to_owned();
        context.deadline = self.time.deadline(self.time_left);
        let result = self.handler.handle(LambdaEvent::new(event, context)).await;
        self.state().results.push(format!("{result:?}"));
        result
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The number of calls to Qlik on `route`.
    pub(crate) fn count(&self, route: Route) -> usize {
        self.state().calls.iter().filter(|(called, _)| *called == route).count()
    }

    /// The total number of calls to Qlik.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// The number of runs.
    pub(crate) fn runs(&self) -> usize {
        self.state().results.len()
    }

    pub(crate) fn secret_reads(&self) -> usize {
        self.state().secret_reads
    }

    /// The number of claims of deliveries.
    pub(crate) fn claims(&self) -> usize {
        self.state().deliveries().count()
    }

    pub(crate) fn request(&self, route: Route) -> Request {
        self.state().calls.iter().find(|(called, _)| *called == route).expect("the call was made").1.clone()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.time.pass(time);
    }

    pub(crate) fn slept(&self) -> Duration {
        self.time.slept()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// An attribute of the only claim.
    pub(crate) fn claim(&self, attribute: &str) -> String {
        let state = self.state();
        let item = state.deliveries().next().expect("there is a claim");
        let value = item[attribute].as_object().map(|typed| typed.values().next().unwrap().clone());
        value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.state.lock().unwrap();
        let outputs = [self.log(), state.results.join("\n"), state.table.values().map(Value::to_string).collect()];
        for output in outputs {
            for canary in [KEY, NEW_KEY, VALUE, "canary-arn", "canary-aws"] {
                assert!(!output.contains(canary), "the secret `{canary}` leaked: {output}");
            }
        }
    }
}

/// The environment of a function whose every endpoint is `address`.
pub(crate) fn environment(address: SocketAddr) -> BTreeMap<String, String> {
    let url = format!("http://{address}");
    let pairs = [
        ("QLIK_TENANT_URL", "https://acme.eu.qlikcloud.com"),
        ("QLIK_ENDPOINT_URL", &url),
        ("API_KEY_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-arn"),
        ("CLAIMS_TABLE", "claims"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "canary-aws-secret"),
        ("AWS_SESSION_TOKEN", "canary-aws-session"),
        // Port 9 discards everything: the service's own variable must take precedence over the general one.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &url),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &url),
    ];
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

pub(crate) fn event() -> Value {
    json!({"appId": APP})
}

/// A reload as Qlik reports it, started at the world's first moment.
pub(crate) fn reload(status: &str) -> Value {
    json!({
        "id": RELOAD, "appId": APP, "tenantId": "t", "userId": "u", "type": "external", "status": status, "partial": false,
        "creationTime": "2024-05-01T10:00:00Z",
        "links": {"self": {"href": format!("https://acme.eu.qlikcloud.com/api/v1/reloads/{RELOAD}")}},
    })
}

pub(crate) fn page<const N: usize>(reloads: [Value; N]) -> Answer {
    reply(200, json!({"data": reloads.to_vec(), "links": {}}))
}

/// An error as Qlik reports it, quoting the key that it was sent.
pub(crate) fn refusal(status: u16) -> Answer {
    refusal_quoting(status, KEY)
}

/// An error that quotes `text`.
pub(crate) fn refusal_quoting(status: u16, text: &str) -> Answer {
    let detail = format!("Bearer {KEY} got {text}");
    reply(
        status,
        json!({"errors": [{"code": format!("HTTP-{status}"), "title": text, "detail": detail}], "traceId": "trace"}),
    )
}

impl State {
    /// The claims of deliveries; those of reloads are left out.
    fn deliveries(&self) -> impl Iterator<Item = &Value> {
        self.table.iter().filter(|(id, _)| !id.starts_with("reload#")).map(|(_, item)| item)
    }

    /// Sets the answers to one of Qlik's calls; the last one repeats.
    pub(crate) fn answer_with(&mut self, route: Route, answers: Vec<Answer>) {
        self.script.insert(route, answers.into());
    }

    /// Gives a reload to another delivery.
    pub(crate) fn belongs_to_another(&mut self, reload: &str) {
        let id = format!("reload#{reload}");
        let item = json!({"id": {"S": id}, "owner": {"S": "delivery#other"}, "expires": {"N": "2000000000"}});
        self.table.insert(id, item);
    }

    fn answer(&mut self, request: Request) -> Answer {
        let operation = request.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let is_asked = |call: &str| match call {
            "the claim of the delivery" => operation == "PutItem" && !request.body.contains("reload#"),
            "the claim of the reload" => operation == "PutItem" && request.body.contains("reload#"),
            "the record of the end" => operation == "PutItem" && request.body.contains("COMPLETED"),
            call => operation == call,
        };
        let case = self.once.take_if(|(call, _)| is_asked(call)).map(|(_, case)| case);
        if let Some(case) = case.as_ref().filter(|case| !case.takes_effect) {
            return case.answer.clone();
        }
        let answer = match operation.as_str() {
            "GetSecretValue" => self.secret(),
            "PutItem" | "DeleteItem" => self.table(&operation, &request.body),
            _ => self.qlik(request),
        };
        case.map_or(answer, |case| case.answer)
    }

    fn qlik(&mut self, request: Request) -> Answer {
        let route = match (request.method.as_str(), request.target.strip_prefix("/api/v1").unwrap_or_default()) {
            ("GET", target) if target.starts_with("/apps/") => Route::App,
            ("GET", target) if target.starts_with("/reloads?") => Route::List,
            ("GET", target) if target.starts_with("/reloads/") => Route::Reload,
            ("POST", "/reloads") => Route::Post,
            _ => panic!("Qlik has no {} {}", request.method, request.target),
        };
        self.calls.push((route, request));
        match self.script.get_mut(&route) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers.front().unwrap().clone(),
            None => reply(418, "this call is not in the script"),
        }
    }

    fn secret(&mut self) -> Answer {
        self.secret_reads += 1;
        let secret = if self.secrets.len() > 1 { self.secrets.pop_front() } else { self.secrets.front().cloned() };
        match secret.unwrap() {
            Ok(text) => reply(200, json!({"ARN": "canary-arn", "Name": "n", "SecretString": text})),
            Err(code) => {
                reply(400, json!({"__type": code, "message": format!("canary-arn {KEY}"), "Message": "canary-arn"}))
            }
        }
    }

    fn table(&mut self, operation: &str, body: &str) -> Answer {
        let fault = self.table_faults.pop_front().unwrap_or(TableFault::Works);
        if let TableFault::Denies = fault {
            return reply(
                400,
                json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "canary-arn"}),
            );
        }
        let request: Value = serde_json::from_str(body).unwrap();
        let id = request["Item"]["id"]["S"].as_str().or(request["Key"]["id"]["S"].as_str()).unwrap().to_owned();
        let old = self.table.get(&id).cloned();
        assert!(request["ConditionExpression"].is_string(), "every write has a condition");
        if !holds(&request, old.as_ref()) {
            return refused(&request, old.as_ref());
        }
        match operation {
            "PutItem" => self.table.insert(id, request["Item"].clone()),
            _ => self.table.remove(&id),
        };
        match fault {
            TableFault::LosesAnswer => Answer::HangUp,
            _ => reply(200, json!({})),
        }
    }
}
