//! Days of refreshes, with faults at every call, in virtual time: one seed is one history.
//!
//! A refresh token works once. Whatever happens after Slack has answered with a new one, it is the current one in the end.
//!
//! A planted bug is a call that reaches a service, or an answer that reaches the function, as a wrong line would have sent or read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, Time, dynamo, finds, histories, reply, seeds, serve};
use serde_json::{Value, json};
use slack_oauth::{InstallationApi, Settings};
use tokio::sync::Notify;

use crate::world::{CLIENT_SECRET, NOW, Secret, TOKEN, variables};

/// Hours of a schedule that ticks every hour, and those after them without faults.
const TICKS: u64 = 8;
const HEALTHY_TICKS: u64 = 3;

/// A token's life in seconds. It is due after a third of it, so that there are many refreshes.
const LIFE: u64 = 21_600;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bug {
    RightIsNotProven,
    TokenIsWrittenOnce,
    PendingIsNotRead,
    TokenIsNotStored,
    LabelIsBelieved,
    LeaseNeverEnds,
    NoAnswerMeansStored,
}

use Bug::*;

/// The bugs that are planted together: two if one alone is caught by a second guard.
const PLANTED: &[(&str, &[Bug])] = &[
    ("Slack is called before it is known that a token can be stored", &[RightIsNotProven]),
    ("a token is written once, whatever the answer", &[TokenIsWrittenOnce]),
    ("a token that could not be made current is not looked for", &[PendingIsNotRead]),
    ("a renewed token is not stored", &[TokenIsNotStored]),
    ("a label without an answer counts as moved, and nobody looks", &[LabelIsBelieved, PendingIsNotRead]),
    ("the lease of a dead run never ends", &[LeaseNeverEnds]),
    ("a write without an answer counts as done", &[NoAnswerMeansStored]),
];

struct Service {
    bugs: &'static [Bug],
    rng: Rng,
    time: Time,
    /// The number of the newest refresh token, the only one that Slack accepts.
    newest: u64,
    /// Refresh tokens that were sent a second time.
    reused: u32,
    token: Secret,
    table: BTreeMap<String, Value>,
    is_healthy: bool,
    /// Whether the right to write the secret is missing at this tick.
    is_denied: bool,
    kill: Arc<Notify>,
}

/// What happens to one call.
#[derive(Clone, Copy)]
enum Fate {
    Works,
    /// The answer is lost, before or after the effect.
    Lost(bool),
    Refused,
    /// The run ends here, before or after the effect.
    Killed(bool),
}

impl Service {
    fn fate(&mut self) -> Fate {
        if self.is_healthy || self.rng.u32(..100) >= 10 {
            return Fate::Works;
        }
        let takes_effect = self.rng.bool();
        match self.rng.u32(..3) {
            0 => Fate::Lost(takes_effect),
            1 => Fate::Refused,
            _ => Fate::Killed(takes_effect),
        }
    }

    fn answer(&mut self, request: Request) -> Answer {
        let target = request.header("x-amz-target").to_owned();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let fate = match (self.fate(), operation) {
            // Nothing can be done about a token that no run has seen, or that could be stored nowhere.
            (Fate::Lost(_), "") => Fate::Lost(false),
            (Fate::Killed(_), "") => Fate::Killed(false),
            (Fate::Killed(false), "PutSecretValue") => Fate::Lost(self.rng.bool()),
            // The SDK repeats these, which takes real time and shows nothing else.
            (Fate::Lost(_), "GetSecretValue" | "PutItem" | "DeleteItem") => Fate::Refused,
            (fate, _) => fate,
        };
        let is_proof = request.body.contains(r#""SecretString":"{}""#);
        let has = |bug| self.bugs.contains(&bug);
        let fate = match (fate, operation) {
            (Fate::Works, "PutSecretValue") if is_proof && has(RightIsNotProven) => return reply(200, "{}"),
            (_, "PutSecretValue") if self.is_denied => Fate::Refused,
            (_, "PutSecretValue") if !is_proof && has(TokenIsNotStored) => return reply(200, "{}"),
            (Fate::Lost(false) | Fate::Refused, "PutSecretValue") if !is_proof && has(TokenIsWrittenOnce) => {
                Fate::Killed(false)
            }
            (Fate::Lost(false), "PutSecretValue") if has(NoAnswerMeansStored) => return reply(200, "{}"),
            (Fate::Lost(false), "UpdateSecretVersionStage") if has(LabelIsBelieved) => return reply(200, "{}"),
            (_, "GetSecretValue") if has(PendingIsNotRead) && request.body.contains("AWSPENDING") => {
                return reply(400, json!({"__type": "ResourceNotFoundException", "message": "no"}));
            }
            (fate, _) => fate,
        };
        match fate {
            Fate::Works => self.carry_out(operation, &request),
            Fate::Refused if operation.is_empty() => reply(200, json!({"ok": false, "error": "ratelimited"})),
            Fate::Refused => reply(400, json!({"__type": "AccessDeniedException", "message": "no"})),
            Fate::Lost(takes_effect) | Fate::Killed(takes_effect) => {
                if takes_effect {
                    self.carry_out(operation, &request);
                }
                if let Fate::Killed(_) = fate {
                    self.kill.notify_one();
                    return Answer::Silence;
                }
                Answer::HangUp
            }
        }
    }

    fn carry_out(&mut self, operation: &str, request: &Request) -> Answer {
        if operation.is_empty() {
            return self.slack(request);
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        match operation {
            "GetSecretValue" if body["SecretId"].as_str().unwrap().ends_with(TOKEN) => self.token.get(&body),
            "GetSecretValue" => {
                reply(200, json!({"SecretString": json!({"client_secret": CLIENT_SECRET}).to_string()}))
            }
            "PutSecretValue" => self.token.put_version(&body),
            "UpdateSecretVersionStage" => self.token.move_label(&body),
            _ => self.write(operation, &body),
        }
    }

    fn slack(&mut self, request: &Request) -> Answer {
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
        if form["refresh_token"] != format!("xoxe-canary-{}", self.newest) {
            self.reused += 1;
            return reply(200, json!({"ok": false, "error": "invalid_refresh_token"}));
        }
        self.newest += 1;
        let number = self.newest;
        reply(
            200,
            json!({"ok": true, "access_token": format!("xoxe.xoxp-canary-{number}"), "refresh_token": format!("xoxe-canary-{number}"), "expires_in": LIFE, "token_type": "user"}),
        )
    }

    fn write(&mut self, operation: &str, body: &Value) -> Answer {
        let id = body["Item"]["id"]["S"].as_str().or(body["Key"]["id"]["S"].as_str()).unwrap().to_owned();
        let old = self.table.get(&id).cloned();
        if !dynamo::holds(body, old.as_ref())
            || (self.bugs.contains(&LeaseNeverEnds) && operation == "PutItem" && old.is_some())
        {
            return dynamo::refused(body, old.as_ref());
        }
        match operation {
            "PutItem" => self.table.insert(id, body["Item"].clone()),
            _ => self.table.remove(&id),
        };
        reply(200, "{}")
    }
}

/// How a history ended.
#[derive(Debug, PartialEq)]
struct History {
    token: Value,
    /// The number of the newest refresh token.
    newest: u64,
    reused: u32,
}

impl History {
    /// What is wrong with it.
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        if self.token["refresh_token"] != format!("xoxe-canary-{}", self.newest) {
            violations.push("the token that Slack issued last is lost".to_owned());
        }
        if self.reused > 0 {
            violations.push("a used refresh token was sent again".to_owned());
        }
        if self.token["expires"].as_u64() <= Some(NOW + (TICKS + HEALTHY_TICKS) * 3600) {
            violations.push("the token has expired".to_owned());
        }
        violations
    }
}

async fn history(seed: u64, bugs: &'static [Bug]) -> History {
    fastrand::seed(seed);
    let time = Time::at(NOW);
    let kill = Arc::new(Notify::new());
    let mut token = Secret::default();
    let first = json!({"token": "xoxe.xoxp-canary-1", "refresh_token": "xoxe-canary-1", "expires": NOW + LIFE});
    token.put("first", &first.to_string());
    let service = Arc::new(Mutex::new(Service {
        bugs,
        rng: Rng::with_seed(seed),
        time: time.clone(),
        newest: 1,
        reused: 0,
        token,
        table: BTreeMap::new(),
        is_healthy: false,
        is_denied: false,
        kill: kill.clone(),
    }));
    let served = service.clone();
    let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
    let handler = InstallationApi::new(Settings::read(&variables(&format!("http://{address}"))).unwrap(), time.clock());
    for tick in 0..TICKS + HEALTHY_TICKS {
        time.pass(Duration::from_secs(3600));
        {
            let mut service = service.lock().unwrap();
            service.is_healthy = tick >= TICKS;
            service.is_denied = !service.is_healthy && service.rng.u32(..10) == 0;
        }
        let event = LambdaEvent::new(json!({ "refresh": true }), Context::default());
        tokio::select! {
            _ = handler.handle(event) => {}
            () = kill.notified() => {}
        }
    }
    let service = service.lock().unwrap();
    assert!(service.time.seconds() > NOW);
    let current = service.token.current().map(|(_, text)| serde_json::from_str(text).unwrap());
    History { token: current.unwrap_or_default(), newest: service.newest, reused: service.reused }
}

#[test]
fn no_history_loses_a_token_that_slack_has_issued() {
    let mut refreshes = 0;
    let count = seeds().count() as u64;
    for (seed, history) in seeds().zip(histories(seeds(), |seed| history(seed, &[]))) {
        assert_eq!(history.violations(), Vec::<String>::new(), "seed {seed}: {history:?}");
        refreshes += history.newest - 1;
    }
    println!("slack-oauth: {count} seeds, {refreshes} refreshes, lost 0, doubled 0, wrong end 0");
    assert!(count == 1 || refreshes > 2 * count, "tokens are renewed every two hours: {refreshes}");
}

#[test]
fn each_bug_planted_in_the_calls_is_found() {
    for (name, bugs) in PLANTED {
        let found = finds(|seed| async move { !history(seed, bugs).await.violations().is_empty() });
        println!("slack-oauth: found with seed {found:?}: {name}");
        assert!(found.is_some(), "no history detected this bug: {name}");
    }
}
