//! Days of refreshes, with faults at every call, in virtual time: one seed is one history. `SIMULATION_SEEDS=2000` tries more.
//!
//! A refresh token works once. Whatever happens after Slack has answered with a new one, it is the current one in the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, Time, dynamo, reply, seeds, serve};
use serde_json::{Value, json};
use slack_oauth::{InstallationApi, Settings};
use tokio::sync::Notify;

use crate::world::{CLIENT_SECRET, NOW, Secret, TOKEN, variables};

const SEEDS: u64 = 100;

/// Hours of a schedule that ticks every hour, and those after them without faults.
const TICKS: u64 = 8;
const HEALTHY_TICKS: u64 = 3;

/// A token's life in seconds. It is due after a third of it, so that there are many refreshes.
const LIFE: u64 = 21_600;

struct Service {
    rng: Rng,
    time: Time,
    /// The number of the newest refresh token, the only one that Slack accepts.
    newest: u64,
    /// Refresh tokens that were sent a second time.
    reused: u32,
    token: Secret,
    table: BTreeMap<String, Value>,
    is_healthy: bool,
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
            (Fate::Killed(_) | Fate::Refused, "PutSecretValue") => Fate::Lost(self.rng.bool()),
            // The SDK repeats these, which takes real time and shows nothing else.
            (Fate::Lost(_), "GetSecretValue" | "PutItem" | "DeleteItem") => Fate::Refused,
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
        if !dynamo::holds(body, old.as_ref()) {
            return dynamo::refused(body, old.as_ref());
        }
        match operation {
            "PutItem" => self.table.insert(id, body["Item"].clone()),
            _ => self.table.remove(&id),
        };
        reply(200, "{}")
    }
}

/// The token in the end, and the number of the newest refresh token.
async fn history(seed: u64) -> (Value, u64, u32) {
    fastrand::seed(seed);
    let time = Time::at(NOW);
    let kill = Arc::new(Notify::new());
    let mut token = Secret::default();
    let first = json!({"token": "xoxe.xoxp-canary-1", "refresh_token": "xoxe-canary-1", "expires": NOW + LIFE});
    token.put("first", &first.to_string());
    let service = Arc::new(Mutex::new(Service {
        rng: Rng::with_seed(seed),
        time: time.clone(),
        newest: 1,
        reused: 0,
        token,
        table: BTreeMap::new(),
        is_healthy: false,
        kill: kill.clone(),
    }));
    let served = service.clone();
    let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
    let handler = InstallationApi::new(Settings::read(&variables(&format!("http://{address}"))).unwrap(), time.clock());
    for tick in 0..TICKS + HEALTHY_TICKS {
        time.pass(Duration::from_secs(3600));
        service.lock().unwrap().is_healthy = tick >= TICKS;
        let event = LambdaEvent::new(json!({ "refresh": true }), Context::default());
        tokio::select! {
            _ = handler.handle(event) => {}
            () = kill.notified() => {}
        }
    }
    let service = service.lock().unwrap();
    assert!(service.time.seconds() > NOW);
    let current = service.token.current().map(|(_, text)| serde_json::from_str(text).unwrap());
    (current.unwrap_or_default(), service.newest, service.reused)
}

#[tokio::test]
async fn no_history_loses_a_token_that_slack_has_issued() {
    let mut newest_of_all = 0;
    let seeds = seeds(SEEDS);
    for seed in seeds.clone() {
        let (token, newest, reused) = history(seed).await;
        assert_eq!(token["refresh_token"], format!("xoxe-canary-{newest}"), "seed {seed}");
        assert_eq!(reused, 0, "seed {seed}: a used refresh token was sent again");
        let end = NOW + (TICKS + HEALTHY_TICKS) * 3600;
        assert!(token["expires"].as_u64() > Some(end), "seed {seed}: the token has expired: {token}");
        newest_of_all = newest_of_all.max(newest);
    }
    println!("{} histories: 0 tokens lost, 0 reused, 0 expired", seeds.count());
    assert!(newest_of_all > 3, "tokens are renewed every two hours");
}
