//! Everything the function depends on: Slack, Secrets Manager, DynamoDB, the clock, and what it wrote to its log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::Case;
use loopback::{Answer, Environment, Log, Request, Time, dynamo, environment, reply, serve};
use serde_json::{Value, json};
use slack_oauth::{Error, InstallationApi, Settings};

pub(crate) const START_KEY: &str = "canaryStartKey7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f3a7f";
pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";
pub(crate) const OLD_TOKEN: &str = "xoxp-canary-old";
pub(crate) const NEW_TOKEN: &str = "xoxp-canary-new";
pub(crate) const CODE: &str = "canary-code-1234.5678";
pub(crate) const ENTERPRISE: &str = "E12345678";
/// 2024-05-01T10:00:00Z
pub(crate) const NOW: u64 = 1_714_557_600;

/// Secrets by the last part of their ARN.
pub(crate) const TOKEN: &str = "token";

const CANARIES: [&str; 8] =
    [START_KEY, CLIENT_SECRET, "xoxp-canary", "xoxe-canary", "xoxe.xoxp-canary", CODE, "canary-arn", "canary-aws"];

/// One secret: its versions, and which of them has which label.
#[derive(Default, Clone)]
pub(crate) struct Secret {
    versions: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

/// Faults of a service.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Denies,
    /// Does the work, then closes the connection.
    LosesAnswer,
}

/// What the fakes know and have recorded.
pub(crate) struct State {
    /// Slack's next responses; the last one repeats.
    pub(crate) script: VecDeque<Answer>,
    /// The calls to Slack, in order.
    pub(crate) calls: Vec<Request>,
    /// What another run stores as the current token during the call to Slack.
    pub(crate) meanwhile: Option<Value>,
    /// What another run stores as the current token just before a lease is granted.
    pub(crate) before_lease: Option<Value>,
    /// The table: items in DynamoDB's JSON.
    pub(crate) table: BTreeMap<String, Value>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// The next fault of an operation.
    pub(crate) faults: BTreeMap<&'static str, Fault>,
    /// The answer to the next call of an operation.
    pub(crate) cases: BTreeMap<&'static str, Case>,
    /// An operation that is not answered this often.
    pub(crate) repeated: Option<(&'static str, u32)>,
    results: Vec<String>,
    /// What may be in a response and nowhere else.
    pub(crate) private: Vec<String>,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) handler: InstallationApi,
    time: Time,
    log: Log,
}

impl World {
    /// A tenant that already has a token, and whose Slack returns a new one.
    pub(crate) async fn new() -> World {
        let state = Arc::new(Mutex::new(State {
            script: [reply(200, granted())].into(),
            calls: Vec::new(),
            meanwhile: None,
            before_lease: None,
            table: BTreeMap::new(),
            secrets: BTreeMap::new(),
            faults: BTreeMap::new(),
            cases: BTreeMap::new(),
            repeated: None,
            results: Vec::new(),
            private: Vec::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
        let settings = Settings::read(&variables(&format!("http://{address}"))).unwrap();
        let time = Time::at(NOW);
        let handler = InstallationApi::new(settings, time.clock());
        let world = World { state, handler, time, log: Log::of(&["slack_oauth"]) };
        world.put_secret("start-key", START_KEY);
        world.put_secret("client-secret", &json!({ "client_secret": CLIENT_SECRET }).to_string());
        world.put_secret(TOKEN, &json!({ "token": OLD_TOKEN }).to_string());
        world
    }

    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, Error> {
        let result = self.handler.handle(LambdaEvent::new(event, Context::default())).await;
        self.state().results.push(format!("{result:?}"));
        result
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sets Slack's responses; the last one repeats.
    pub(crate) fn slack<const N: usize>(&self, answers: [Answer; N]) -> &World {
        self.state().script = answers.into();
        self
    }

    pub(crate) fn put_secret(&self, name: &str, text: &str) {
        self.state().secrets.entry(name.to_owned()).or_default().put("by-hand", text);
    }

    /// The token's secret as its readers see it; null if it has no value.
    pub(crate) fn stored(&self) -> Value {
        let state = self.state();
        let current = state.secrets.get(TOKEN).and_then(Secret::current);
        current.map_or(Value::Null, |(_, text)| serde_json::from_str(text).unwrap())
    }

    /// The paths of the calls to Slack.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.iter().map(|call| call.target.clone()).collect()
    }

    /// The form of a call to Slack.
    pub(crate) fn form(&self, call: usize) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.state().calls[call].body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.time.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> u64 {
        self.time.seconds()
    }

    /// Puts another run's lease into the table.
    pub(crate) fn hold_lease(&self, seconds: u64) {
        let expires = self.now() + seconds;
        let item =
            json!({ "id": {"S": "lease#token"}, "writer": {"S": "other"}, "expires": {"N": expires.to_string()} });
        self.state().table.insert("lease#token".to_owned(), item);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.state.lock().unwrap();
        let log = self.log.text();
        let table: String = state.table.iter().map(|(id, item)| format!("{id} {item}")).collect();
        let private = state.private.iter().map(String::as_str);
        for (place, text) in [("log", &log), ("table", &table)] {
            for canary in CANARIES.into_iter().chain(private.clone()) {
                assert!(!text.contains(canary), "`{canary}` leaked into the {place}: {text}");
            }
        }
        let results = state.results.join("\n");
        for canary in CANARIES {
            assert!(!results.contains(canary), "`{canary}` leaked into a response: {results}");
        }
    }
}

/// Slack's response for a correct installation.
pub(crate) fn granted() -> Value {
    json!({
        "ok": true, "app_id": "A0118NQPZZC", "team": null, "is_enterprise_install": true,
        "authed_user": {"id": "U065VRX1T0", "scope": "admin.analytics:read", "access_token": NEW_TOKEN, "token_type": "user"},
        "enterprise": {"id": ENTERPRISE, "name": "Acme & Söhne"},
    })
}

pub(crate) fn variables(url: &str) -> Environment {
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-arn-{name}");
    let [client_secret, token, start_key] = ["client-secret", TOKEN, "start-key"].map(arn);
    let own = [
        ("TENANT", "acme"),
        ("CLIENT_ID", "123.456"),
        ("CLIENT_SECRET_SECRET", &client_secret),
        ("SLACK_TOKEN_SECRET", &token),
        ("START_KEY_SECRET", &start_key),
        ("STATE_TABLE", "states"),
        ("ENTERPRISE_ID", ENTERPRISE),
        ("REDIRECT_URL", "https://a1.execute-api.eu-west-1.amazonaws.com/callback"),
        ("ADMINS", r#"["Ada@example.com", "bob@example.com"]"#),
        ("SLACK_ENDPOINT_URL", url),
    ];
    environment(url, &own)
}

impl Secret {
    pub(crate) fn current(&self) -> Option<(&str, &str)> {
        self.labelled("AWSCURRENT")
    }

    fn labelled(&self, label: &str) -> Option<(&str, &str)> {
        let version = self.labels.get(label)?;
        Some((version, &self.versions[version]))
    }

    pub(crate) fn put(&mut self, version: &str, text: &str) {
        self.versions.insert(version.to_owned(), text.to_owned());
        self.labels.insert("AWSCURRENT".to_owned(), version.to_owned());
    }

    /// The answer to `GetSecretValue`.
    pub(crate) fn get(&self, body: &Value) -> Answer {
        match self.labelled(body["VersionStage"].as_str().unwrap_or("AWSCURRENT")) {
            Some((version, text)) => {
                reply(200, json!({"ARN": "canary-arn", "VersionId": version, "SecretString": text}))
            }
            None => refusal("ResourceNotFoundException"),
        }
    }

    /// The answer to `PutSecretValue`.
    pub(crate) fn put_version(&mut self, body: &Value) -> Answer {
        let version = body["ClientRequestToken"].as_str().unwrap();
        let text = body["SecretString"].as_str().unwrap();
        assert!((32..=64).contains(&version.len()), "{version}");
        if self.versions.get(version).is_some_and(|existing| existing != text) {
            return refusal("ResourceExistsException");
        }
        self.versions.insert(version.to_owned(), text.to_owned());
        for label in body["VersionStages"].as_array().unwrap() {
            self.labels.insert(label.as_str().unwrap().to_owned(), version.to_owned());
        }
        reply(200, json!({"ARN": "canary-arn", "VersionId": version}))
    }

    /// The answer to `UpdateSecretVersionStage`.
    pub(crate) fn move_label(&mut self, body: &Value) -> Answer {
        let label = body["VersionStage"].as_str().unwrap();
        if self.labels.get(label).map(String::as_str) != body["RemoveFromVersionId"].as_str() {
            return refusal("InvalidParameterException");
        }
        if !self.versions.contains_key(body["MoveToVersionId"].as_str().unwrap()) {
            return refusal("ResourceNotFoundException");
        }
        self.labels.insert(label.to_owned(), body["MoveToVersionId"].as_str().unwrap().to_owned());
        reply(200, json!({"ARN": "canary-arn"}))
    }
}

/// The call that proves that a token can be stored.
pub(crate) const PROOF: &str = "PutSecretValue without a token";

impl State {
    fn answer(&mut self, request: Request) -> Answer {
        let target = request.header("x-amz-target").to_owned();
        let Some(operation) = target.rsplit('.').next().filter(|name| !name.is_empty()) else {
            return self.slack(request);
        };
        if let Some((unanswered, left @ 1..)) = &mut self.repeated
            && *unanswered == operation
        {
            *left -= 1;
            return Answer::HangUp;
        }
        let fault = self.faults.get(operation).copied();
        if fault != Some(Fault::Denies) {
            self.faults.remove(operation);
        }
        if fault == Some(Fault::Denies) {
            return reply(
                400,
                json!({"__type": "AccessDeniedException", "message": "canary-arn", "Message": "canary-arn"}),
            );
        }
        let is_proof = operation == "PutSecretValue" && request.body.contains(r#""SecretString":"{}""#);
        let case = self.cases.remove(if is_proof { PROOF } else { operation });
        if let Some(case) = &case
            && !case.takes_effect
        {
            return case.answer.clone();
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let answer = match operation {
            "GetSecretValue" => self.secret(&body).get(&body),
            "PutSecretValue" => self.secret(&body).put_version(&body),
            "UpdateSecretVersionStage" => self.secret(&body).move_label(&body),
            "PutItem" | "DeleteItem" => self.table(operation, &body),
            other => panic!("no service here has {other}"),
        };
        match case {
            Some(case) => case.answer,
            None if fault.is_some() => Answer::HangUp,
            None => answer,
        }
    }

    fn slack(&mut self, request: Request) -> Answer {
        assert_eq!(request.method, "POST", "Slack is only called with POST");
        self.calls.push(request);
        if let Some(text) = self.meanwhile.take() {
            self.secrets.get_mut(TOKEN).unwrap().put("meanwhile", &text.to_string());
        }
        match self.script.len() {
            0 => reply(418, "this call is not in the script"),
            1 => self.script[0].clone(),
            _ => self.script.pop_front().unwrap(),
        }
    }

    fn secret(&mut self, body: &Value) -> &mut Secret {
        let arn = body["SecretId"].as_str().unwrap();
        self.secrets.entry(arn.rsplit("canary-arn-").next().unwrap().to_owned()).or_default()
    }

    fn table(&mut self, operation: &str, body: &Value) -> Answer {
        let id = body["Item"]["id"]["S"].as_str().or(body["Key"]["id"]["S"].as_str()).unwrap().to_owned();
        if id == "lease#token"
            && let Some(token) = self.before_lease.take()
        {
            self.secrets.get_mut(TOKEN).unwrap().put("before-lease", &token.to_string());
        }
        let old = self.table.get(&id).cloned();
        assert!(body["ConditionExpression"].is_string(), "every write has a condition");
        if !dynamo::holds(body, old.as_ref()) {
            return dynamo::refused(body, old.as_ref());
        }
        match operation {
            "PutItem" => self.table.insert(id, body["Item"].clone()),
            _ => self.table.remove(&id),
        };
        if body["ReturnValues"] == "ALL_OLD" { reply(200, json!({"Attributes": old})) } else { reply(200, json!({})) }
    }
}

fn refusal(code: &str) -> Answer {
    reply(400, json!({"__type": code, "message": format!("canary-arn {OLD_TOKEN}"), "Message": "canary-arn"}))
}
