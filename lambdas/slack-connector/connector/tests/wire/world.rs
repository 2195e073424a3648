//! Everything the function depends on: Slack, Secrets Manager, S3, Athena, the clock, and what it wrote to its log.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arrow_array::RecordBatch;
use athena_federation::{Block, Dialect, Error, SchemaText};
use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::Case;
use loopback::{Answer, Log, Request, Time, environment, reply, serve};
use serde_json::{Value as Json, json};
use slack_connector::{Booleans, Settings, SlackConnectorHandler, schema};

use crate::fakes::{Bucket, Table};

pub(crate) const TOKEN: &str = "xoxp-canary-7f3a";
pub(crate) const NEW_TOKEN: &str = "xoxp-canary-after-rotation-91bc";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:canary-secret";
const AWS_SECRET: &str = "canary-aws-secret";
pub(crate) const SPLIT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const EMAIL: &str = "canary.person@example.com";

/// What the fakes know and have recorded.
pub(crate) struct State {
    /// Slack's responses, one per call; the last one repeats.
    slack: VecDeque<Answer>,
    pub(crate) calls: Vec<Request>,
    /// The secret's values; the last one repeats.
    pub(crate) secrets: VecDeque<Result<String, &'static str>>,
    pub(crate) secret_reads: usize,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// S3's answers to the next writes; without one, S3 works.
    pub(crate) puts: VecDeque<Case>,
    pub(crate) put_calls: usize,
    /// The files of days, and S3's answers to the next requests for them; without one, S3 works.
    pub(crate) files: Bucket,
    pub(crate) file_answers: VecDeque<Case>,
    /// The table of turns, and DynamoDB's answers to the next requests; without one, DynamoDB works.
    pub(crate) turns: Table,
    pub(crate) turn_answers: VecDeque<Case>,
    pub(crate) query: &'static str,
    errors: Vec<String>,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    handler: SlackConnectorHandler,
    pub(crate) time: Time,
    /// The time left before the function's timeout at each invocation.
    pub(crate) time_left: Duration,
    log: Log,
}

impl World {
    /// On 2026-11-21 in the morning.
    pub(crate) async fn new() -> World {
        World::with(&[]).await
    }

    /// With additional environment variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        let state = Arc::new(Mutex::new(State {
            slack: VecDeque::from([file("")]),
            calls: Vec::new(),
            secrets: VecDeque::from([Ok(json!({"token": TOKEN, "refresh_token": "xoxe-1-canary"}).to_string())]),
            secret_reads: 0,
            objects: BTreeMap::new(),
            puts: VecDeque::new(),
            put_calls: 0,
            files: Bucket::default(),
            file_answers: VecDeque::new(),
            turns: Table::default(),
            turn_answers: VecDeque::new(),
            query: "RUNNING",
            errors: Vec::new(),
        }));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(request))).await;
        let endpoint = format!("http://{address}");
        let own = [
            ("TENANT", "acme"),
            ("SLACK_TOKEN_SECRET", SECRET),
            ("SPILL_BUCKET", "spill-bucket"),
            ("SPILL_PREFIX", "athena-spill"),
            ("FILES_BUCKET", "files-bucket"),
            ("FILES_PREFIX", "days/E1"),
            ("TURNS_TABLE", "turns"),
            ("SLACK_ENDPOINT_URL", &endpoint),
        ];
        let variable = environment(&endpoint, own.iter().chain(variables));
        let time = Time::at(1_795_249_800);
        World {
            handler: SlackConnectorHandler::new(Settings::read(&variable).unwrap(), time.clock()),
            state,
            time,
            time_left: Duration::from_secs(900),
            log: Log::of(&["slack_connector", "athena_federation"]),
        }
    }

    /// Sets Slack's responses, as if nothing had been asked for before.
    pub(crate) fn slack<const N: usize>(&self, answers: [Answer; N]) -> &World {
        let mut state = self.state();
        state.slack = answers.into();
        state.files = Bucket::default();
        state.turns = Table::default();
        self
    }

    /// The stored file of a day.
    pub(crate) fn stored(&self, date: &str) -> Option<Vec<u8>> {
        self.state().files.bytes(&format!("days/E1/{date}")).map(<[u8]>::to_vec)
    }

    pub(crate) async fn invoke(&self, event: Json) -> Result<Json, Error> {
        let mut context = Context::default();
        context.invoked_function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:slack".to_owned();
        context.deadline = self.time.deadline(self.time_left);
        match self.handler.handle(LambdaEvent::new(event, context)).await {
            Ok(response) => Ok(serde_json::to_value(response).unwrap()),
            Err(error) => {
                self.state().errors.push(format!("{error:?}"));
                Err(error)
            }
        }
    }

    /// The rows of one day, which are inline.
    pub(crate) async fn read(&self, date: &str) -> Result<RecordBatch, Error> {
        let answer = self.invoke(read(date)).await?;
        Ok(rows(&answer["records"]))
    }

    pub(crate) async fn refused(&self, date: &str) -> Error {
        self.invoke(read(date)).await.expect_err("refused")
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let said = format!("{}{}", self.log(), self.state().errors.join("\n"));
        for canary in [
            TOKEN,
            NEW_TOKEN,
            "xoxe-1",
            SECRET,
            "canary-secret",
            AWS_SECRET,
            "canary-aws",
            SPLIT_KEY,
            EMAIL,
            "canary.person",
        ] {
            assert!(!said.contains(canary), "`{canary}` leaked: {said}");
        }
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Answer {
        if request.target.starts_with("/api/admin.analytics.getFile?") {
            self.calls.push(request);
            return next(&mut self.slack);
        }
        if let Some(path) = request.target.strip_prefix("/files-bucket") {
            let key = path.split('?').next().unwrap().trim_start_matches('/').to_owned();
            let case = self.file_answers.pop_front();
            if case.as_ref().is_some_and(|case| !case.takes_effect) {
                return case.unwrap().answer;
            }
            let answer = self.files.answer(&key, request);
            return case.map_or(answer, |case| case.answer);
        }
        if let Some(operation) = request.header("x-amz-target").strip_prefix("DynamoDB_20120810.") {
            let case = self.turn_answers.pop_front();
            if case.as_ref().is_some_and(|case| !case.takes_effect) {
                return case.unwrap().answer;
            }
            let answer = self.turns.answer(operation, &serde_json::from_str(&request.body).unwrap());
            return case.map_or(answer, |case| case.answer);
        }
        match request.header("x-amz-target") {
            "secretsmanager.GetSecretValue" => {
                self.secret_reads += 1;
                match next(&mut self.secrets) {
                    Ok(value) => reply(200, json!({"ARN": SECRET, "SecretString": value})),
                    Err(code) => reply(400, json!({"__type": code, "message": SECRET})),
                }
            }
            "AmazonAthena.GetQueryExecution" => {
                reply(200, json!({"QueryExecution": {"Status": {"State": self.query}}}))
            }
            "" if request.method == "PUT" => {
                self.put_calls += 1;
                let path = request.target.split('?').next().unwrap();
                let key = path.strip_prefix("/spill-bucket/").unwrap().to_owned();
                let case = self.puts.pop_front();
                if case.as_ref().is_none_or(|case| case.takes_effect) {
                    if request.header("if-none-match") == "*" && self.objects.contains_key(&key) {
                        return reply(412, "<Error><Code>PreconditionFailed</Code></Error>");
                    }
                    self.objects.insert(key, request.bytes);
                }
                case.map_or_else(|| reply(200, ""), |case| case.answer)
            }
            other => panic!("nobody answers {other} {}", request.target),
        }
    }
}

fn next<T: Clone>(queue: &mut VecDeque<T>) -> T {
    if queue.len() > 1 { queue.pop_front().unwrap() } else { queue[0].clone() }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A file as Slack sends it.
pub(crate) fn file(text: &str) -> Answer {
    body(gzip(text.as_bytes()))
}

pub(crate) fn body(body: Vec<u8>) -> Answer {
    Answer::Reply { status: 200, headers: vec![("Content-Type", "application/gzip".to_owned())], body }
}

/// An error from Slack.
pub(crate) fn no(code: &str) -> Answer {
    reply(200, json!({"ok": false, "error": code}))
}

pub(crate) fn limited(seconds: u64) -> Answer {
    let body = json!({"ok": false, "error": "ratelimited"}).to_string().into_bytes();
    Answer::Reply { status: 429, headers: vec![("Retry-After", seconds.to_string())], body }
}

/// Three members of a day: a complete record, one with older spellings, and one with few fields.
pub(crate) fn members(date: &str) -> String {
    let records = [
        json!({"enterprise_id": "E1", "date": date, "user_id": "U1", "email_address": EMAIL, "is_guest": false, "is_billable_seat": true,
               "is_active": true, "is_active_ios": false, "is_active_android": false, "is_active_desktop": true, "reactions_added_count": 3,
               "messages_posted_count": 10, "channel_messages_posted_count": 0, "files_added_count": 0, "date_claimed": 1_577_836_800}),
        json!({"enterprise_id": "E1", "date": date, "user_id": "U2", "email_address": "zoë@example.com", "is_active": false, "is_active_iOS": true,
               "is_active_Android": true, "messages_posted_count": 9_007_199_254_740_993_i64, "enterprise_employee_number": 42}),
        json!({"user_id": "U3", "is_guest": null, "messages_posted_count": null, "brand_new": {"deep": [1, {"x": "}"}]}}),
    ];
    records.iter().map(|record| format!("{record}\n")).collect()
}

pub(crate) fn request(kind: &str, further: Json) -> Json {
    let mut request = json!({
        "@type": kind,
        "identity": {"id": "UNKNOWN", "principal": "UNKNOWN", "account": "0123456789", "arn": "arn", "tags": {}, "groups": [], "configOptions": {"fas": AWS_SECRET}},
        "queryId": "query-1",
        "catalogName": "catalog",
        "tableName": {"schemaName": "slackanalytics", "tableName": "member_analytics"},
        "constraints": {"summary": {}, "expression": [], "orderByClause": [], "limit": -1},
    });
    request.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    request
}

/// The request for all columns of a day.
pub(crate) fn read(date: &str) -> Json {
    read_as(date, Dialect::Modern)
}

pub(crate) fn read_as(date: &str, dialect: Dialect) -> Json {
    let further = json!({
        "schema": SchemaText::new(&schema(Booleans::Boolean), dialect),
        "split": {
            "spillLocation": {"@type": "S3SpillLocation", "bucket": "spill-bucket", "key": "athena-spill/query-1/split-1", "directory": true},
            "encryptionKey": {"key": SPLIT_KEY, "nonce": "oKGio6Slpqeoqaqr"},
            "properties": {"date": date},
        },
        "maxBlockSize": "16000000",
        "maxInlineBlockSize": "5242880",
    });
    request("ReadRecordsRequest", further)
}

pub(crate) fn rows(block: &Json) -> RecordBatch {
    serde_json::from_value::<Block>(block.clone()).unwrap().rows().unwrap()
}

pub(crate) fn block(rows: &RecordBatch) -> Json {
    serde_json::to_value(Block::new(rows, Dialect::Modern).unwrap()).unwrap()
}

/// A set for one text column: these values, or all but these.
pub(crate) fn listed(column: &str, values: &[&str], white: bool) -> Json {
    let texts: arrow_array::ArrayRef = Arc::new(arrow_array::StringArray::from_iter_values(values));
    let values = RecordBatch::try_from_iter_with_nullable([("col1", texts, true)]).unwrap();
    json!({column: {"@type": "EquatableValueSet", "valueBlock": block(&values), "whiteList": white, "nullAllowed": false}})
}
