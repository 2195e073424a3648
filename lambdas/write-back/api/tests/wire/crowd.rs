//! Many clicks at once, with faults at every call: one seed gives one history, in virtual time and without a socket.
//!
//! A planted bug is a call that reaches a service, or an answer that reaches the function, as a wrong line would have sent or read it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Polling, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use function::Clock;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Request, seeds};
use serde_json::{Value, json};
use write_back::{Key, Row, Signer, Terms};
use write_back_api::QuoteApi;

use crate::world::{API, NOW, ROW, State, post, secret, settings};

const CLICKS: usize = 50;

/// One call in so many has a fault.
const MANY: u32 = 4;
const FEW: u32 = 20;

/// How many rounds are tried to find a planted bug.
const PATIENCE: u64 = 30;

#[test]
fn of_fifty_clicks_at_once_with_many_faults_each_link_writes_one_row() {
    rounds(0..seeds().end / 2, MANY);
}

/// Many faults hide what few faults show, and vice versa.
#[test]
fn of_fifty_clicks_at_once_with_few_faults_each_link_writes_one_row() {
    rounds(seeds().end / 2..seeds().end, FEW);
}

/// The seed of a round is printed when it fails; `SEED=…` repeats one round. One call in `rarity` has a fault.
fn rounds(seeds: Range<u64>, rarity: u32) {
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let (mut taken_over, mut crashed) = (0, 0);
    let seeds = only.map_or(seeds, |seed| seed..seed + 1);
    for seed in seeds.clone() {
        let outcome = std::panic::catch_unwind(|| round(seed, rarity, &[]));
        let round = outcome.unwrap_or_else(|_| panic!("the round of seed {seed} failed"));
        assert_eq!(round.violations, Vec::<String>::new(), "the round of seed {seed}");
        taken_over += round.taken_over;
        crashed += round.crashes;
    }
    let rounds = seeds.end - seeds.start;
    println!(
        "write-back-api: {rounds} seeds, {} links, {} clicks, {crashed} runs died, {taken_over} claims were taken over, lost 0, doubled 0, wrong end 0",
        2 * rounds,
        (CLICKS as u64 + 2) * rounds
    );
    assert!(
        only.is_some() || (crashed > 100 && taken_over > 5),
        "{crashed} runs died, {taken_over} claims were taken over"
    );
}

#[test]
fn each_bug_planted_in_the_calls_is_found() {
    for (name, bugs) in PLANTED {
        let is_found = |seed: &u64| !round(*seed, if seed % 4 < 2 { MANY } else { FEW }, bugs).violations.is_empty();
        let found = (0..PATIENCE).find(is_found);
        println!("write-back-api: found with seed {found:?}: {name}");
        assert!(found.is_some(), "{PATIENCE} rounds did not detect this bug: {name}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    InsertIsNotChecked,
    ClaimsAreNotChecked,
    ClientTokenIsNew,
    QuoteIsGivenToEach,
    StatusIsGuessed,
    EndedIsNotCounted,
    FailureIsSuccess,
    AnswerNamesAnotherQuote,
}

use Bug::*;

/// The bugs that are planted together: two if one alone is caught by a second guard.
const PLANTED: &[(&str, &[Bug])] = &[
    ("an insert does not look for the row of its submission", &[InsertIsNotChecked]),
    (
        "a submission is claimed although it is claimed, and its insert is not checked",
        &[ClaimsAreNotChecked, InsertIsNotChecked],
    ),
    ("each attempt has its own client token, and its insert is not checked", &[ClientTokenIsNew, InsertIsNotChecked]),
    ("each submission makes its own quote", &[QuoteIsGivenToEach]),
    ("the status does not follow from what is written", &[StatusIsGuessed]),
    ("a statement that ended is handed in again under the same client token", &[EndedIsNotCounted]),
    ("a failed statement counts as finished", &[FailureIsSuccess]),
    ("the answer names a different quote", &[AnswerNamesAnotherQuote]),
];

impl Bug {
    /// The call as a wrong line would have sent it; `number` is different for each call.
    fn sent(self, operation: &str, body: &mut Value, number: u64) {
        let id = body["Item"]["id"]["S"].as_str().unwrap_or_default().to_owned();
        let is_new = body["ConditionExpression"] == "attribute_not_exists(#id)";
        match (self, operation) {
            (InsertIsNotChecked, "ExecuteStatement") => {
                let parameters = body["Parameters"].as_array_mut().unwrap();
                let submission = parameters.iter_mut().find(|parameter| parameter["name"] == "submission_id");
                submission.unwrap()["value"] = json!(format!("submission-{number}"));
            }
            (ClientTokenIsNew, "ExecuteStatement") => body["ClientToken"] = json!(format!("token-{number}")),
            (StatusIsGuessed, "ExecuteStatement") => {
                let sql = body["Sql"].as_str().unwrap().to_owned();
                let (before, rest) = sql.split_once("cast(case when ").unwrap();
                let (_, after) = rest.split_once("'generated' end ").unwrap();
                body["Sql"] = json!(format!("{before}cast('generated' {after}"));
            }
            (ClaimsAreNotChecked, "PutItem") if is_new && id.starts_with("submission#") => always(body),
            (QuoteIsGivenToEach, "PutItem") if is_new && id.starts_with("quote#") => always(body),
            (EndedIsNotCounted, "ExecuteStatement") => {
                let parameters = body["Parameters"].as_array().unwrap();
                let submission = parameters.iter().find(|parameter| parameter["name"] == "submission_id");
                body["ClientToken"] = submission.unwrap()["value"].clone();
            }
            (AnswerNamesAnotherQuote, "PutItem") if body["Item"]["state"]["S"] == "FINISHED" => {
                body["Item"]["quoteId"] = json!({"S": "f0000000-0000-4000-8000-000000000009"});
            }
            _ => {}
        }
    }

    /// The answer as a wrong line would have read it.
    fn read(self, answer: &mut Value) {
        if self == FailureIsSuccess && answer["Status"] == "FAILED" {
            answer["Status"] = json!("FINISHED");
        }
    }
}

/// Makes the condition of a new item hold for any item.
fn always(body: &mut Value) {
    body["ConditionExpression"] = json!("attribute_not_exists(#id) OR attribute_exists(#id)");
}

/// What a round came to.
struct Round {
    violations: Vec<String>,
    taken_over: usize,
    crashes: usize,
}

/// Two links for one quote, clicked 50 times in three waves.
fn round(seed: u64, rarity: u32, bugs: &'static [Bug]) -> Round {
    // The SDK draws the length of its pauses from here.
    fastrand::seed(seed);
    let world = Arc::new(Mutex::new(World::new(seed, rarity, bugs)));
    let links = [link("1"), link("2")];
    let mut answers = Vec::new();
    for wave in [20, 20, CLICKS - 40] {
        let clicks: Vec<usize> = (0..wave).map(|_| usize::from(world.lock().unwrap().random.u8(..4) == 0)).collect();
        answers.extend(run_all(&world, clicks.iter().map(|link| click(&world, &links[*link])).collect()));
        let mut world = world.lock().unwrap();
        world.now += Duration::from_secs(60);
        // The Data API has forgotten everything.
        if world.random.u32(..4) == 0 {
            world.state.statements.clear();
        }
    }
    world.lock().unwrap().has_faults = false;
    let last = run_all(&world, links.iter().map(|link| click(&world, link)).collect());
    let mut violations = Vec::new();
    let mut expect = |holds: bool, what: String| violations.extend(Some(what).filter(|_| !holds));
    let ends: Vec<u64> = last.iter().map(|(status, _)| *status).collect();
    expect(ends == [200, 200], format!("without faults the links answer {ends:?}"));
    answers.extend(last);

    let world = world.lock().unwrap();
    let column = |name: &str| {
        let mut values: Vec<String> = world.state.rows.iter().filter_map(|row| row[name].clone()).collect();
        values.sort();
        values
    };
    let statuses = column("status");
    expect(statuses == ["generated", "in review"], format!("two links wrote the rows {statuses:?}"));
    let first = world.state.rows.first().and_then(|row| row["status"].clone());
    expect(first.as_deref() == Some("generated"), format!("the history starts with {first:?}"));
    let mut quotes = column("quote_id");
    quotes.dedup();
    expect(quotes.len() == 1, format!("one quote has the IDs {quotes:?}"));
    let quote = quotes.first().cloned().unwrap_or_default();
    for (status, body) in answers {
        expect([200, 202, 502, 503].contains(&status), format!("a link answers {status}"));
        expect((status == 200) == body.contains(&quote), format!("a response is not about the quote {quote}: {body}"));
    }
    Round { violations, taken_over: world.taken_over, crashes: world.crashes }
}

/// Everything that the runs share.
struct World {
    state: State,
    now: SystemTime,
    random: Rng,
    has_faults: bool,
    /// One fault in so many calls.
    rarity: u32,
    bugs: &'static [Bug],
    /// Counts everything that happens, to notice when nothing does.
    steps: usize,
    /// When the sleepers of this sweep wake.
    wakes: Vec<SystemTime>,
    crashes: usize,
    taken_over: usize,
}

impl World {
    fn new(seed: u64, rarity: u32, bugs: &'static [Bug]) -> World {
        let mut state = State::new();
        // Each guard is also tested without the other: the service's memory of client tokens, and the condition in SQL.
        state.remembers_client_tokens = seed.is_multiple_of(2);
        state.looks = 2;
        let random = Rng::with_seed(seed);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        World {
            state,
            now,
            random,
            has_faults: true,
            rarity,
            bugs,
            steps: 0,
            wakes: Vec::new(),
            crashes: 0,
            taken_over: 0,
        }
    }

    fn fault(&mut self) -> Fault {
        if !self.has_faults || self.random.u32(..self.rarity) > 0 {
            return Fault::None;
        }
        [Fault::DiesBefore, Fault::DiesAfter, Fault::LosesAnswer, Fault::Fails][self.random.usize(..4)]
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    DiesBefore,
    DiesAfter,
    LosesAnswer,
    Fails,
}

fn link(cost: &str) -> String {
    let terms = Terms { tenant: "acme", audience: API, issued: NOW, expires: NOW + 1800 };
    let mut token = String::new();
    let row = Row { cost: Some(cost), ..ROW };
    Signer::new(&Key::parse(&secret("k1")).unwrap(), &terms).unwrap().sign(&row, &mut token).unwrap();
    token
}

type Click = Pin<Box<dyn Future<Output = Option<(u64, String)>>>>;

/// One run of the function, a process of its own; `None` when it died.
fn click(world: &Arc<Mutex<World>>, token: &str) -> Click {
    let (world, token) = (world.clone(), token.to_owned());
    let process = Process { world: world.clone(), is_dead: Arc::default() };
    let is_dead = process.is_dead.clone();
    let work = async move {
        pauses(&world).await;
        let mut settings = settings("http://127.0.0.1:9", &[]);
        for config in [&mut settings.dynamodb, &mut settings.redshift_data, &mut settings.secrets_manager] {
            let own = config.to_builder().http_client(SharedHttpClient::new(process.clone()));
            *config = own.sleep_impl(SharedAsyncSleep::new(process.clone())).build();
        }
        let mut context = Context::default();
        let (id, deadline) = {
            let mut world = world.lock().unwrap();
            (world.random.u64(..), world.now + Duration::from_secs(29))
        };
        context.request_id = format!("run-{id:016x}");
        context.deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        let (present, sleeper) = (world.clone(), process.clone());
        let clock = Clock::new(move || present.lock().unwrap().now, move |duration| Box::pin(sleeper.until(duration)));
        let handler = QuoteApi::new(settings, clock);
        let Ok(answer) = handler.handle(LambdaEvent::new(post(&[("t", &token)]), context)).await;
        (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap().to_owned())
    };
    let mut work = Box::pin(work);
    Box::pin(poll_fn(move |polling| {
        let polled = work.as_mut().poll(polling);
        if *is_dead.lock().unwrap() {
            return Poll::Ready(None);
        }
        polled.map(Some)
    }))
}

/// Polls the runs in an order determined by the seed, and lets time pass when none of them progresses.
fn run_all(world: &Arc<Mutex<World>>, clicks: Vec<Click>) -> Vec<(u64, String)> {
    let mut polling = Polling::from_waker(Waker::noop());
    let mut running = clicks;
    let mut answers = Vec::new();
    while !running.is_empty() {
        let before = world.lock().unwrap().steps;
        for _ in 0..running.len() {
            let chosen = world.lock().unwrap().random.usize(..running.len());
            if let Poll::Ready(answer) = running[chosen].as_mut().poll(&mut polling) {
                answers.extend(answer);
                drop(running.swap_remove(chosen));
                world.lock().unwrap().steps += 1;
                break;
            }
        }
        let mut world = world.lock().unwrap();
        let wakes = std::mem::take(&mut world.wakes);
        if world.steps == before
            && let Some(next) = wakes.into_iter().filter(|wake| *wake > world.now).min()
        {
            world.now = next;
        }
    }
    answers
}

/// Lets other runs go first, a few times.
async fn pauses(world: &Arc<Mutex<World>>) {
    let mut left = world.lock().unwrap().random.u8(..4);
    poll_fn(|_| {
        world.lock().unwrap().steps += 1;
        left = left.saturating_sub(1);
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// How a run calls the services, and how it can die in a call.
#[derive(Clone)]
struct Process {
    world: Arc<Mutex<World>>,
    is_dead: Arc<Mutex<bool>>,
}

impl Process {
    /// Ends when `duration` has passed in the world.
    fn until(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let world = self.world.clone();
        let until = world.lock().unwrap().now + duration;
        poll_fn(move |_| {
            let mut world = world.lock().unwrap();
            if world.now >= until {
                world.steps += 1;
                return Poll::Ready(());
            }
            world.wakes.push(until);
            Poll::Pending
        })
    }

    async fn die<T>(&self) -> T {
        *self.is_dead.lock().unwrap() = true;
        self.world.lock().unwrap().crashes += 1;
        std::future::pending().await
    }

    async fn exchange(self, mut request: Request) -> Result<HttpResponse, ConnectorError> {
        pauses(&self.world).await;
        let fault = self.world.lock().unwrap().fault();
        if fault == Fault::DiesBefore {
            return self.die().await;
        }
        if fault == Fault::Fails {
            return Ok(response(500, br#"{"__type":"InternalServerError"}"#.to_vec()));
        }
        let answer = {
            let mut world = self.world.lock().unwrap();
            world.state.ends.clear();
            let rarity = world.rarity;
            if world.has_faults && world.random.u32(..rarity) == 0 {
                let end = ["CONFLICT", "ABORTED", "FAILED"][world.random.usize(..3)];
                world.state.ends.push_back(end);
            }
            let number = world.random.u64(..);
            let bugs = world.bugs;
            if !bugs.is_empty() {
                let operation = request.header("x-amz-target").rsplit('.').next().unwrap().to_owned();
                let mut body: Value = serde_json::from_str(&request.body).unwrap();
                bugs.iter().for_each(|bug| bug.sent(&operation, &mut body, number));
                request.body = body.to_string();
            }
            let mut answer = world.state.answer(&request);
            if let Answer::Reply { body, .. } = &mut answer
                && !bugs.is_empty()
            {
                let mut read: Value = serde_json::from_slice(body).unwrap();
                bugs.iter().for_each(|bug| bug.read(&mut read));
                *body = read.to_string().into_bytes();
            }
            let is_takeover = request.body.contains("\":previous\"") && is_takeover(&request.body);
            if is_takeover && matches!(answer, Answer::Reply { status: 200, .. }) {
                world.taken_over += 1;
            }
            answer
        };
        pauses(&self.world).await;
        match (fault, answer) {
            (Fault::DiesAfter, _) => self.die().await,
            (Fault::LosesAnswer, _) => Err(ConnectorError::io("the answer was lost".into())),
            (_, Answer::Reply { status, body, .. }) => Ok(response(status, body)),
            (_, other) => panic!("the services answer: {other:?}"),
        }
    }
}

/// Whether a write passes a claim from one run to another.
fn is_takeover(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap();
    let values = &body["ExpressionAttributeValues"];
    values[":previous"] != values[":owner"]
}

fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Process")
    }
}

impl HttpClient for Process {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Process {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let headers = vec![("x-amz-target".to_owned(), target)];
        let bytes = body.clone().into_bytes();
        let request = Request { method: "POST".to_owned(), target: "/".to_owned(), headers, body, bytes };
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

impl AsyncSleep for Process {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.until(duration))
    }
}
