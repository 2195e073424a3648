//! Many instances of the function at once, in virtual time: time passes only while all of them wait.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context as Polled, Poll};
use std::time::{Duration, SystemTime};

use arrow_array::cast::AsArray;
use athena_federation::{Block, Dialect, Error, Kind, SchemaText};
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use function::{Clock, millis};
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, environment, reply, serve};
use serde_json::{Value as Json, json};
use slack_connector::{Booleans, Settings, SlackConnectorHandler, schema};
use tokio::sync::{Notify, oneshot};

use crate::fakes::{Bucket, Table, error};

/// The present of all instances.
#[derive(Clone)]
pub(crate) struct Timeline(Arc<Mutex<Passing>>);

struct Passing {
    now: SystemTime,
    /// Instances that do something else than wait.
    awake: usize,
    sleepers: BTreeMap<(SystemTime, u64), oneshot::Sender<()>>,
    count: u64,
}

impl Timeline {
    pub(crate) fn at(now: SystemTime) -> Timeline {
        Timeline(Arc::new(Mutex::new(Passing { now, awake: 0, sleepers: BTreeMap::new(), count: 0 })))
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.passing().now
    }

    /// A clock that is this far ahead, in milliseconds.
    pub(crate) fn clock(&self, ahead: i64) -> Clock {
        let (present, passing) = (self.clone(), self.clone());
        let shifted = move |now: SystemTime| match u64::try_from(ahead) {
            Ok(ahead) => now + Duration::from_millis(ahead),
            Err(_) => now - Duration::from_millis(ahead.unsigned_abs()),
        };
        Clock::new(move || shifted(present.now()), move |time| Box::pin(passing.sleep(time)))
    }

    /// An instance begins; it ends when the guard is dropped.
    pub(crate) fn awake(&self) -> Awake {
        self.passing().awake += 1;
        Awake(self.clone())
    }

    pub(crate) fn sleep(&self, time: Duration) -> Asleep {
        let (wake, woken) = oneshot::channel();
        let mut passing = self.passing();
        passing.count += 1;
        let key = (passing.now + time, passing.count);
        passing.sleepers.insert(key, wake);
        passing.awake -= 1;
        drop(passing);
        self.go_on();
        Asleep { timeline: self.clone(), key, woken }
    }

    /// Wakes whoever is next, if nobody is awake.
    fn go_on(&self) {
        let mut passing = self.passing();
        if passing.awake == 0
            && let Some(((at, _), wake)) = passing.sleepers.pop_first()
        {
            passing.now = passing.now.max(at);
            passing.awake = 1;
            let _ = wake.send(());
        }
    }

    fn passing(&self) -> MutexGuard<'_, Passing> {
        self.0.lock().unwrap()
    }
}

/// An instance that runs.
pub(crate) struct Awake(Timeline);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.passing().awake -= 1;
        self.0.go_on();
    }
}

/// An instance that waits. If it is killed, it is awake until its guard is dropped.
pub(crate) struct Asleep {
    timeline: Timeline,
    key: (SystemTime, u64),
    woken: oneshot::Receiver<()>,
}

impl Future for Asleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Polled<'_>) -> Poll<()> {
        Pin::new(&mut self.woken).poll(context).map(|_| ())
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let mut passing = self.timeline.passing();
        if passing.sleepers.remove(&self.key).is_some() {
            passing.awake += 1;
        }
    }
}

/// What happens to one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    /// Refused for now: throttled, or in conflict with another call.
    Busy,
    /// The answer is lost, before or after the effect.
    Lost(bool),
    /// The instance ends here, before or after the effect.
    Killed(bool),
    /// The answer comes after so many seconds.
    Slow(u64),
}

/// Slack, S3, DynamoDB and Secrets Manager.
pub(crate) struct Service {
    time: Timeline,
    rng: Rng,
    /// Faults per thousand calls.
    faults: u32,
    pub(crate) members: usize,
    /// When Slack was asked for a file, and the status of its answer.
    pub(crate) calls: Vec<(SystemTime, u16)>,
    /// How often Slack sent the file of a day.
    pub(crate) sent: BTreeMap<String, u32>,
    pub(crate) files: Bucket,
    table: Table,
    /// Instances that were ended, and calls that did not work.
    pub(crate) killed: u32,
    pub(crate) faulty: u32,
    kill: Vec<Arc<Notify>>,
}

/// Calls that Slack answers in a minute.
const LIMIT: usize = 20;

const MINUTE: Duration = Duration::from_secs(60);

impl Service {
    fn fate(&mut self, target: &str) -> Fate {
        if target == "GetSecretValue" || target == "GetQueryExecution" || self.rng.u32(..1000) >= self.faults {
            return Fate::Works;
        }
        self.faulty += 1;
        let takes_effect = self.rng.bool();
        match self.rng.u32(..4) {
            0 => Fate::Busy,
            1 => Fate::Lost(takes_effect),
            2 => Fate::Killed(takes_effect),
            _ => Fate::Slow(self.rng.u64(1..300)),
        }
    }

    /// Answers a call of an instance, after a while if that is the call's fate.
    fn answer(&mut self, instance: usize, request: Request) -> (Option<Duration>, Answer) {
        let target = request.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let fate = self.fate(&target);
        let answer = match fate {
            Fate::Works => self.carry_out(&target, request),
            Fate::Slow(seconds) => return (Some(Duration::from_secs(seconds)), self.carry_out(&target, request)),
            Fate::Busy if target.ends_with("Item") => {
                reply(400, json!({"__type": "ThrottlingException", "message": "no"}))
            }
            Fate::Busy if request.target.starts_with("/files") => {
                let codes = [(409, "ConditionalRequestConflict"), (503, "SlowDown")];
                let (status, code) = codes[self.rng.usize(..codes.len())];
                error(status, code)
            }
            Fate::Busy => reply(503, ""),
            Fate::Lost(takes_effect) | Fate::Killed(takes_effect) => {
                if takes_effect {
                    self.carry_out(&target, request);
                }
                match fate {
                    Fate::Killed(_) => {
                        self.killed += 1;
                        self.kill[instance].notify_one();
                        Answer::Silence
                    }
                    _ => Answer::HangUp,
                }
            }
        };
        (None, answer)
    }

    fn carry_out(&mut self, target: &str, request: Request) -> Answer {
        if let Some(path) = request.target.strip_prefix("/files") {
            let key = path.split('?').next().unwrap().trim_start_matches('/').to_owned();
            return self.files.answer(&key, request);
        }
        if let Some((_, date)) = request.target.split_once("&date=") {
            let now = self.time.now();
            let recent = self.calls.iter().filter(|(at, status)| *status == 200 && *at + MINUTE > now);
            if recent.count() >= LIMIT {
                self.calls.push((now, 429));
                return Answer::Reply {
                    status: 429,
                    headers: vec![("Retry-After", "30".to_owned())],
                    body: Vec::new(),
                };
            }
            self.calls.push((now, 200));
            *self.sent.entry(date.to_owned()).or_default() += 1;
            let headers = vec![("Content-Type", "application/gzip".to_owned())];
            return Answer::Reply { status: 200, headers, body: file(date, self.members) };
        }
        match target {
            "GetSecretValue" => reply(200, json!({"SecretString": json!({"token": "xoxp-1"}).to_string()})),
            "GetItem" | "PutItem" => self.table.answer(target, &serde_json::from_str(&request.body).unwrap()),
            "GetQueryExecution" => reply(200, json!({"QueryExecution": {"Status": {"State": "RUNNING"}}})),
            _ => panic!("nobody answers {target} {}", request.target),
        }
    }

    /// The most calls that Slack answered with a file in any minute.
    pub(crate) fn most_in_a_minute(&self) -> usize {
        let begun: Vec<SystemTime> = self.calls.iter().map(|(at, _)| *at).collect();
        let within = |from: &SystemTime| begun.iter().filter(|at| *at >= from && **at < *from + MINUTE).count();
        begun.iter().map(within).max().unwrap_or_default()
    }
}

/// Slack's file of a day.
pub(crate) fn file(date: &str, members: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for member in 0..members {
        writeln!(encoder, r#"{{"date":"{date}","user_id":"U{member}"}}"#).unwrap();
    }
    encoder.finish().unwrap()
}

/// A query over all members of some days.
pub(crate) struct Fleet {
    pub(crate) service: Arc<Mutex<Service>>,
    time: Timeline,
    parts: u32,
}

/// A split: a day, and a part of it.
type Split = (String, u32);

impl Fleet {
    pub(crate) async fn new(seed: u64, faults: u32, members: usize, parts: u32) -> Fleet {
        let time = Timeline::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_249_800));
        let service = Arc::new(Mutex::new(Service {
            time: time.clone(),
            rng: Rng::with_seed(seed),
            faults,
            members,
            calls: Vec::new(),
            sent: BTreeMap::new(),
            files: Bucket::default(),
            table: Table::default(),
            killed: 0,
            faulty: 0,
            kill: Vec::new(),
        }));
        Fleet { service, time, parts }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.time.now()
    }

    /// From now on, everything works.
    pub(crate) fn heal(&self) {
        self.service.lock().unwrap().faults = 0;
    }

    /// An instance whose clock is so many milliseconds ahead, and what ends it.
    async fn instance(&self, ahead: i64) -> (SlackConnectorHandler, Arc<Notify>) {
        let kill = Arc::new(Notify::new());
        let number = {
            let mut service = self.service.lock().unwrap();
            service.kill.push(kill.clone());
            service.kill.len() - 1
        };
        let (served, time) = (self.service.clone(), self.time.clone());
        let address = serve(move |request| {
            let (late, answer) = served.lock().unwrap().answer(number, request);
            let late = late.map(|late| time.sleep(late));
            async move {
                if let Some(late) = late {
                    late.await;
                }
                answer
            }
        });
        let endpoint = format!("http://{}", address.await);
        let members = (self.parts * 50_000).to_string();
        let own = [
            ("TENANT", "acme"),
            ("SLACK_TOKEN_SECRET", "arn"),
            ("SPILL_BUCKET", "spill"),
            ("SPILL_PREFIX", "spill"),
            ("FILES_BUCKET", "files"),
            ("FILES_PREFIX", "days"),
            ("TURNS_TABLE", "turns"),
            ("MEMBERS", members.as_str()),
            ("SLACK_ENDPOINT_URL", endpoint.as_str()),
        ];
        let variable = environment(&endpoint, own.iter());
        (SlackConnectorHandler::new(Settings::read(&variable).unwrap(), self.time.clock(ahead)), kill)
    }

    /// Reads the days with so many instances at once, whose clocks differ by up to two seconds. A split that is throttled is read again
    /// later, as Athena does; one that fails otherwise is given back.
    ///
    /// # Panics
    ///
    /// If a split is answered with other rows than those of its day.
    pub(crate) async fn read(&self, days: &[String], instances: usize, rng: &mut Rng) -> Vec<(String, Error)> {
        let splits = days.iter().flat_map(|day| (0..self.parts).map(|part| (day.clone(), part)));
        let queue: Mutex<VecDeque<Split>> = Mutex::new(splits.collect());
        let rows: Mutex<BTreeMap<String, usize>> = Mutex::default();
        let failed: Mutex<Vec<(String, Error)>> = Mutex::default();
        // All are awake before the first one waits.
        let clocks: Vec<(Awake, i64)> = (0..instances).map(|_| (self.time.awake(), rng.i64(-1000..1000))).collect();
        let run = clocks.into_iter().map(|(awake, ahead)| {
            let (queue, rows, failed) = (&queue, &rows, &failed);
            async move {
                let (handler, kill) = self.instance(ahead).await;
                loop {
                    let Some(split) = queue.lock().unwrap().pop_front() else { break };
                    let answer = tokio::select! {
                        answer = self.read_split(&handler, &split, ahead) => Some(answer),
                        () = kill.notified() => None,
                    };
                    match answer {
                        Some(Ok(count)) => *rows.lock().unwrap().entry(split.0).or_default() += count,
                        Some(Err(error)) if error.kind == Kind::Throttled => {
                            queue.lock().unwrap().push_back(split);
                            self.time.sleep(Duration::from_secs(10)).await;
                        }
                        Some(Err(error)) => failed.lock().unwrap().push((split.0, error)),
                        // Athena invokes the function again.
                        None => queue.lock().unwrap().push_back(split),
                    }
                }
                drop(awake);
            }
        });
        futures_util::future::join_all(run).await;
        let members = self.service.lock().unwrap().members;
        let failed = failed.into_inner().unwrap();
        for (day, count) in rows.into_inner().unwrap() {
            let is_whole = failed.iter().all(|(other, _)| *other != day);
            assert!(if is_whole { count == members } else { count < members }, "{day} has {count} of {members} rows");
        }
        failed
    }

    /// The number of rows of a split.
    async fn read_split(&self, handler: &SlackConnectorHandler, split: &Split, ahead: i64) -> Result<usize, Error> {
        let (date, part) = split;
        let mut properties = json!({ "date": date });
        if self.parts > 1 {
            properties["part"] = json!(format!("{part}/{}", self.parts));
        }
        let event = json!({
            "@type": "ReadRecordsRequest", "queryId": "query-1", "catalogName": "catalog",
            "tableName": {"schemaName": "slackanalytics", "tableName": "member_analytics"},
            "schema": SchemaText::new(&schema(Booleans::Boolean), Dialect::Modern),
            "constraints": {"summary": {}},
            "split": {
                "spillLocation": {"@type": "S3SpillLocation", "bucket": "spill", "key": "spill/query-1/split-1", "directory": true},
                "encryptionKey": {"key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "nonce": "oKGio6Slpqeoqaqr"},
                "properties": properties,
            },
        });
        let mut context = Context::default();
        context.invoked_function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:slack".to_owned();
        let deadline = self.time.clock(ahead).now() + Duration::from_secs(900);
        context.deadline = millis(deadline);
        let answer = handler.handle(LambdaEvent::new(event, context)).await;
        answer.map(|answer| {
            let answer: Json = serde_json::to_value(answer).unwrap();
            let rows = serde_json::from_value::<Block>(answer["records"].clone()).unwrap().rows().unwrap();
            let dates = rows.column_by_name("date").unwrap().as_string::<i32>();
            assert!(dates.iter().all(|found| found == Some(date)), "{date} has rows of another day");
            rows.num_rows()
        })
    }
}
