//! Many deliveries of one app, with faults at every call, in virtual time: one seed is one history. `SIMULATION_SEEDS=2000` tries
//! more.
//!
//! A run may be killed at any call. Qlik may lose an answer before or after it acts, act late, and list a reload late. Whatever
//! happens, there are never more reloads than deliveries, and no two deliveries report the same reload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use lambda_runtime::{Context, LambdaEvent};
use loopback::dynamo::{holds, refused};
use loopback::{Answer, Request, Time, reply, seeds, serve};
use qlik_reload::{Error, ReloadHandler, Settings};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::world::{APP, KEY, environment};

const SEEDS: u64 = 100;
const DELIVERIES: usize = 5;

/// Lambda's waits before its second and third attempt.
const RETRIES: [u64; 2] = [60, 120];

struct Service {
    rng: Rng,
    time: Time,
    /// How long Qlik takes to list a reload.
    lag: Duration,
    reloads: Vec<SystemTime>,
    table: BTreeMap<String, Value>,
    kill: Arc<Notify>,
}

/// What happens to one call.
enum Fate {
    Works,
    /// The answer is lost, or says that something went wrong, before or after the effect.
    Lost {
        takes_effect: bool,
    },
    Refused,
    /// The effect comes this much later, and the answer not at all.
    Late(Duration),
    /// The run ends here.
    Killed {
        takes_effect: bool,
    },
}

impl Service {
    fn fate(&mut self, of_a_hundred: u32) -> Fate {
        if self.rng.u32(..100) >= of_a_hundred {
            return Fate::Works;
        }
        let takes_effect = self.rng.bool();
        match self.rng.u32(..8) {
            0..=2 => Fate::Lost { takes_effect },
            3 => Fate::Refused,
            4..=6 => Fate::Late(Duration::from_secs(self.rng.u64(1..15))),
            _ => Fate::Killed { takes_effect },
        }
    }

    fn answer(&mut self, request: Request) -> Answer {
        match request.header("x-amz-target").rsplit('.').next() {
            Some("GetSecretValue") => reply(200, json!({"SecretString": json!({"key": KEY}).to_string()})),
            Some(operation @ ("PutItem" | "DeleteItem")) => {
                let body: Value = serde_json::from_str(&request.body).unwrap();
                match self.fate(4) {
                    Fate::Lost { takes_effect } => {
                        if takes_effect {
                            self.write(operation, &body);
                        }
                        Answer::HangUp
                    }
                    Fate::Killed { takes_effect } => {
                        if takes_effect {
                            self.write(operation, &body);
                        }
                        self.kill.notify_one();
                        Answer::Silence
                    }
                    Fate::Refused => reply(400, json!({"__type": "AccessDeniedException"})),
                    Fate::Works | Fate::Late(_) => self.write(operation, &body),
                }
            }
            _ => self.qlik(&request),
        }
    }

    fn write(&mut self, operation: &str, write: &Value) -> Answer {
        let id = write["Item"]["id"]["S"].as_str().or(write["Key"]["id"]["S"].as_str()).unwrap().to_owned();
        let old = self.table.get(&id).cloned();
        if !holds(write, old.as_ref()) {
            return refused(write, old.as_ref());
        }
        match operation {
            "PutItem" => self.table.insert(id, write["Item"].clone()),
            _ => self.table.remove(&id),
        };
        reply(200, "{}")
    }

    fn qlik(&mut self, request: &Request) -> Answer {
        let path = request.target.strip_prefix("/api/v1").unwrap();
        let is_post = request.method == "POST";
        // A POST is the call that matters, so it fails most.
        let fate = self.fate(if is_post { 50 } else { 5 });
        let works = match fate {
            Fate::Works => true,
            Fate::Refused => return reply(429, "{}"),
            Fate::Lost { takes_effect } | Fate::Killed { takes_effect } => {
                if takes_effect && is_post {
                    self.start(Duration::ZERO);
                }
                if let Fate::Killed { .. } = fate {
                    self.kill.notify_one();
                    return Answer::Silence;
                }
                false
            }
            Fate::Late(delay) => {
                if is_post {
                    self.start(delay);
                }
                self.time.pass(Duration::from_secs(if is_post { 30 } else { 10 }));
                return Answer::TimeOut;
            }
        };
        if !works {
            return if self.rng.bool() { reply(502, "{}") } else { Answer::HangUp };
        }
        match path {
            "/reloads" => {
                let number = self.start(Duration::ZERO);
                reply(201, self.reload(number))
            }
            path if path.starts_with("/apps/") => reply(200, "{}"),
            path if path.starts_with("/reloads?") => {
                let now = self.time.now();
                let is_listed = |number: &usize| self.reloads[*number] + self.lag <= now;
                let listed: Vec<Value> =
                    (0..self.reloads.len()).rev().filter(is_listed).map(|number| self.reload(number)).collect();
                reply(200, json!({"data": listed}))
            }
            path => {
                let number = path.strip_prefix("/reloads/reload-").unwrap().parse().unwrap();
                reply(200, self.reload(number))
            }
        }
    }

    fn start(&mut self, delay: Duration) -> usize {
        self.reloads.push(self.time.now() + delay);
        self.reloads.len() - 1
    }

    fn reload(&self, number: usize) -> Value {
        let created = self.reloads[number];
        let age = self.time.now().duration_since(created).unwrap_or_default();
        let status = match age.as_secs() {
            0..4 => "QUEUED",
            4..20 => "RELOADING",
            _ => "SUCCEEDED",
        };
        let created = OffsetDateTime::from(created);
        let (hour, minute, second) = created.to_hms();
        // Cut to the second, as Qlik does.
        let created = format!("{}T{hour:02}:{minute:02}:{second:02}Z", created.date());
        json!({"id": format!("reload-{number}"), "appId": APP, "type": "external", "status": status, "partial": false, "creationTime": created})
    }
}

/// How the deliveries of one history ended: the reload that each reports, or the name of its error, which is a dead letter.
struct History {
    reloads: usize,
    ended: Vec<Result<String, String>>,
}

async fn history(seed: u64) -> History {
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    let time = Time::at(1_714_557_600);
    let kill = Arc::new(Notify::new());
    let service = Arc::new(Mutex::new(Service {
        lag: Duration::from_secs(rng.u64(..6)),
        rng: rng.fork(),
        time: time.clone(),
        reloads: Vec::new(),
        table: BTreeMap::new(),
        kill: kill.clone(),
    }));
    let served = service.clone();
    let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
    let environment = environment(address);
    let settings = Settings::read(&|name: &str| environment.get(name).cloned()).unwrap();
    let handler = ReloadHandler::new(settings, time.clock());
    let time_left = Duration::from_secs(if rng.bool() { 60 } else { 900 });

    // The next attempt of each delivery: when, and which. They begin within seconds of each other.
    let start = time.seconds();
    let mut waiting: Vec<(u64, usize, usize)> =
        (0..DELIVERIES).map(|delivery| (start + rng.u64(..3), delivery, 0)).collect();
    let mut ended = vec![Err("has not run".to_owned()); DELIVERIES];
    while let Some(next) = (0..waiting.len()).min_by_key(|index| waiting[*index]) {
        let (at, delivery, attempt) = waiting.swap_remove(next);
        time.pass(Duration::from_secs(at.saturating_sub(time.seconds())));
        let mut context = Context::default();
        context.request_id = format!("request-{delivery}");
        context.deadline = time.deadline(time_left);
        let event = LambdaEvent::new(json!({"appId": APP, "deliveryId": format!("tick-{delivery}")}), context);
        let result: Option<Result<Value, Error>> = tokio::select! {
            result = handler.handle(event) => Some(result),
            () = kill.notified() => None,
        };
        ended[delivery] = match result {
            Some(Ok(report)) => Ok(report["reloadId"].as_str().unwrap().to_owned()),
            Some(Err(error)) => Err(error.name()),
            None => Err("killed".to_owned()),
        };
        if ended[delivery].is_err() && attempt < RETRIES.len() {
            waiting.push((time.seconds() + RETRIES[attempt], delivery, attempt + 1));
        }
    }
    let reloads = service.lock().unwrap().reloads.len();
    History { reloads, ended }
}

#[tokio::test]
async fn no_history_doubles_a_reload_or_gives_it_to_two_deliveries() {
    let mut succeeded = 0;
    let seeds = seeds(SEEDS);
    let deliveries = seeds.end * DELIVERIES as u64;
    for seed in seeds {
        let History { reloads, ended } = history(seed).await;
        assert!(reloads <= DELIVERIES, "seed {seed}: {reloads} reloads for {DELIVERIES} deliveries: {ended:?}");
        let mut reported: Vec<&String> = ended.iter().filter_map(|end| end.as_ref().ok()).collect();
        succeeded += reported.len();
        reported.sort();
        reported.dedup();
        let successes = ended.iter().filter(|end| end.is_ok()).count();
        assert_eq!(reported.len(), successes, "seed {seed}: two deliveries report one reload: {ended:?}");
    }
    println!(
        "{deliveries} deliveries: {succeeded} succeeded, the others are dead letters; 0 reloads doubled, 0 shared"
    );
    // Most deliveries survive the faults.
    assert!(succeeded as u64 > deliveries * 3 / 4, "{succeeded} of {deliveries}");
}

#[tokio::test]
async fn the_same_seed_is_the_same_history() {
    let (first, second) = (history(7).await, history(7).await);
    assert_eq!((first.reloads, first.ended), (second.reloads, second.ended));
}
