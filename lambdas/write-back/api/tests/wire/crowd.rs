//! Many clicks at once, with faults at every call: one seed gives one history, in virtual time and without a socket.
//! `SIMULATION_SEEDS=2000` tries more.

use std::fmt;
use std::future::{Future, poll_fn};
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
use serde_json::Value;
use write_back::{Key, Row, Signer, Terms};
use write_back_api::QuoteApi;

use crate::world::{API, NOW, ROW, State, post, secret, settings};

const CLICKS: usize = 50;

/// Rounds, half of them with many faults and half with few: many hide what few show, and vice versa.
const ROUNDS: u64 = 100;

/// The seed of a round is printed when it fails; `SEED=…` repeats one round.
#[test]
fn of_fifty_clicks_at_once_each_link_writes_one_row() {
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let (mut taken_over, mut crashed) = (0, 0);
    let seeds = only.map_or(seeds(ROUNDS), |seed| seed..seed + 1);
    for seed in seeds.clone() {
        // One call in so many has a fault.
        let rarity = if seed % 2 == 0 { 4 } else { 20 };
        let outcome = std::panic::catch_unwind(|| round(seed, rarity));
        let (overtakes, crashes) = outcome.unwrap_or_else(|_| panic!("the round of seed {seed} failed"));
        taken_over += overtakes;
        crashed += crashes;
    }
    println!("{} rounds: {crashed} runs died, {taken_over} claims were taken over", seeds.count());
    assert!(
        only.is_some() || (crashed > 100 && taken_over > 5),
        "{crashed} runs died, {taken_over} claims were taken over"
    );
}

/// Two links for one quote, clicked 50 times in three waves; returns how many claims were taken over and how many runs died.
fn round(seed: u64, rarity: u32) -> (usize, usize) {
    // The SDK draws the length of its pauses from here.
    fastrand::seed(seed);
    let world = Arc::new(Mutex::new(World::new(seed, rarity)));
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
    assert_eq!(last.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 200]);
    answers.extend(last);

    let world = world.lock().unwrap();
    let column = |name: &str| {
        let mut values: Vec<String> = world.state.rows.iter().filter_map(|row| row[name].clone()).collect();
        values.sort();
        values
    };
    assert_eq!(column("status"), ["generated", "in review"], "one row per link");
    assert_eq!(world.state.rows[0]["status"].as_deref(), Some("generated"), "the history starts with it");
    let quotes = column("quote_id");
    assert_eq!(quotes[0], quotes[1], "one quote");
    for (status, body) in answers {
        assert!([200, 202, 502, 503].contains(&status), "{status}");
        assert_eq!(status == 200, body.contains(&quotes[0]), "every response about a quote is about this one: {body}");
    }
    (world.taken_over, world.crashes)
}

/// Everything that the runs share.
struct World {
    state: State,
    now: SystemTime,
    random: Rng,
    has_faults: bool,
    /// One fault in so many calls.
    rarity: u32,
    /// Counts everything that happens, to notice when nothing does.
    steps: usize,
    /// When the sleepers of this sweep wake.
    wakes: Vec<SystemTime>,
    crashes: usize,
    taken_over: usize,
}

impl World {
    fn new(seed: u64, rarity: u32) -> World {
        let mut state = State::new();
        // Each guard is also tested without the other: the service's memory of client tokens, and the condition in SQL.
        state.remembers_client_tokens = seed.is_multiple_of(2);
        state.looks = 2;
        let random = Rng::with_seed(seed);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        World { state, now, random, has_faults: true, rarity, steps: 0, wakes: Vec::new(), crashes: 0, taken_over: 0 }
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

    async fn exchange(self, request: Request) -> Result<HttpResponse, ConnectorError> {
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
            let answer = world.state.answer(&request);
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
