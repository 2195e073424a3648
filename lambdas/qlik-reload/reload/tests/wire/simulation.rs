//! Many deliveries of one app, with faults at every call, in virtual time: one seed is one history.
//!
//! A run may be killed at any call. Qlik may lose an answer before or after it acts, act late, and list a reload late. Whatever
//! happens, there are never more reloads than deliveries, and no two deliveries report the same reload. A delivery that reports
//! nothing has failed, so that it is a dead letter.
//!
//! A planted bug is a call that reaches a service, or an answer that reaches the function, as a wrong line would have sent or read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use lambda_runtime::{Context, LambdaEvent};
use loopback::dynamo::{holds, refused};
use loopback::{Answer, Request, Time, finds, histories, reply, seeds, serve};
use qlik_reload::{Error, ReloadHandler, Settings};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::world::{APP, KEY, environment};

const DELIVERIES: usize = 5;

/// Lambda's waits before its second and third attempt.
const RETRIES: [u64; 2] = [60, 120];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bug {
    NoAnswerMeansNotStarted,
    BadGatewayMeansNotStarted,
    ReloadsAreNotTaken,
    DeliveriesAreNotClaimed,
    DoubtIsForgotten,
    DoubtBeginsLater,
    WaitIsTooShort,
    SuccessIsAssumed,
}

use Bug::*;

const PLANTED: &[(&str, Bug)] = &[
    ("a POST without an answer is treated as one that started nothing", NoAnswerMeansNotStarted),
    ("a 502 to a POST is treated as one that started nothing", BadGatewayMeansNotStarted),
    ("a reload is reported without being taken", ReloadsAreNotTaken),
    ("a delivery is started without being claimed", DeliveriesAreNotClaimed),
    ("a run in doubt forgets its claim", DoubtIsForgotten),
    ("a reload is only looked for from the end of the earlier run", DoubtBeginsLater),
    ("a reload is not awaited for as long as Qlik may take to list it", WaitIsTooShort),
    ("a POST that was refused counts as a reload", SuccessIsAssumed),
];

struct Service {
    bug: Option<Bug>,
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
        let is_new = write["ConditionExpression"].as_str().unwrap().starts_with("attribute_not_exists");
        let is_unchecked = match self.bug {
            Some(ReloadsAreNotTaken) => id.starts_with("reload#"),
            Some(DeliveriesAreNotClaimed) => is_new && !id.starts_with("reload#"),
            _ => false,
        };
        if !is_unchecked && !holds(write, old.as_ref()) {
            return refused(write, old.as_ref());
        }
        let mut item = write["Item"].clone();
        let is_release = old.is_some() && !is_new && item["data"].is_null() && item["status"]["S"] == "INPROGRESS";
        if self.bug == Some(DoubtBeginsLater) && is_release {
            item["created"] = item["in_progress_expiration"].clone();
        }
        match operation {
            "PutItem" if self.bug == Some(DoubtIsForgotten) && is_release && item["owner"] == old.unwrap()["owner"] => {
                self.table.remove(&id)
            }
            "PutItem" => self.table.insert(id, item),
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
            Fate::Refused if is_post && self.bug == Some(SuccessIsAssumed) => {
                return reply(201, json!({"id": "reload-0", "appId": APP, "status": "SUCCEEDED"}));
            }
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
                if is_post && self.bug == Some(NoAnswerMeansNotStarted) {
                    return reply(429, "{}");
                }
                self.time.pass(Duration::from_secs(if is_post { 30 } else { 10 }));
                return Answer::TimeOut;
            }
        };
        if !works {
            return match (self.rng.bool(), self.bug) {
                (true, Some(BadGatewayMeansNotStarted)) | (false, Some(NoAnswerMeansNotStarted)) if is_post => {
                    reply(429, "{}")
                }
                (true, _) => reply(502, "{}"),
                (false, _) => Answer::HangUp,
            };
        }
        match path {
            "/reloads" => {
                let number = self.start(Duration::ZERO);
                reply(201, self.reload(number))
            }
            path if path.starts_with("/apps/") => reply(200, "{}"),
            path if path.starts_with("/reloads?") => {
                let now = self.time.now();
                // To a function that waits too briefly, Qlik is later than it is.
                let too_briefly = Duration::from_secs(if self.bug == Some(WaitIsTooShort) { 150 } else { 0 });
                let is_listed = |number: &usize| self.reloads[*number] + self.lag + too_briefly <= now;
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
#[derive(Debug, PartialEq)]
struct History {
    reloads: usize,
    ended: Vec<Result<String, String>>,
}

impl History {
    fn succeeded(&self) -> usize {
        self.ended.iter().filter(|end| end.is_ok()).count()
    }

    /// What is wrong with it.
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        if self.reloads > DELIVERIES {
            violations.push(format!("{} reloads for {DELIVERIES} deliveries", self.reloads));
        }
        let mut reported: Vec<&String> = self.ended.iter().filter_map(|end| end.as_ref().ok()).collect();
        let is_known = |id: &&String| (0..self.reloads).any(|number| **id == format!("reload-{number}"));
        violations.extend(reported.iter().filter(|id| !is_known(id)).map(|id| format!("{id} does not exist")));
        reported.sort();
        reported.dedup();
        if reported.len() < self.succeeded() {
            violations.push("two deliveries report one reload".to_owned());
        }
        violations
    }
}

async fn history(seed: u64, bug: Option<Bug>) -> History {
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    let time = Time::at(1_714_557_600);
    let kill = Arc::new(Notify::new());
    let service = Arc::new(Mutex::new(Service {
        bug,
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

#[test]
fn no_history_doubles_a_reload_or_gives_it_to_two_deliveries() {
    let mut succeeded = 0;
    let count = seeds().count() as u64;
    for (seed, history) in seeds().zip(histories(seeds(), |seed| history(seed, None))) {
        assert_eq!(history.violations(), Vec::<String>::new(), "seed {seed}: {history:?}");
        succeeded += history.succeeded() as u64;
    }
    let deliveries = count * DELIVERIES as u64;
    println!(
        "qlik-reload: {count} seeds, {deliveries} deliveries, {succeeded} reloads reported, {} dead letters, lost 0, doubled 0, wrong end 0",
        deliveries - succeeded
    );
    // Most deliveries survive the faults; the others are dead letters.
    assert!(count == 1 || succeeded > deliveries * 3 / 4, "{succeeded}");
}

#[test]
fn each_bug_planted_in_the_calls_is_found() {
    for (name, bug) in PLANTED {
        let found = finds(|seed| async move { !history(seed, Some(*bug)).await.violations().is_empty() });
        println!("qlik-reload: found with seed {found:?}: {name}");
        assert!(found.is_some(), "no history detected this bug: {name}");
    }
}

#[tokio::test]
async fn the_same_seed_is_the_same_history() {
    assert_eq!(history(7, None).await, history(7, None).await);
}
