//! How fast AWS is called, and how often a call is repeated.
//!
//! There is one lane per kind of call, and each is a token bucket. All tenants share the account's limits, so they also share the lanes.
//! The SDK's own retries are off, because they would not take a token. A throttled answer halves the lane's rate, and every good answer
//! raises it a little.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep};

use crate::Progress;
use crate::aws::credentials;

/// Calls per second of each kind, on average; ten seconds' worth may be made at once.
///
/// AWS publishes no rates for CloudFormation. The defaults are known to pass for accounts with default quotas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Calls that create, execute or delete: 1 by default.
    pub changes: f64,
    /// Calls that describe, list or read: 5 by default.
    pub looks: f64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { changes: 1.0, looks: 5.0 }
    }
}

/// The lanes of one account and region.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) changes: Lane,
    pub(crate) looks: Lane,
    /// S3 accepts thousands of requests per second and prefix; this only limits bursts.
    pub(crate) storage: Lane,
}

impl Lanes {
    pub(crate) fn new(rates: Rates) -> Lanes {
        let [changes, looks] = [rates.changes, rates.looks].map(|rate| Lane::new("CloudFormation", rate));
        Lanes { changes, looks, storage: Lane::new("S3", 200.0) }
    }

    /// Reports waiting on `progress`; `region` completes "in …".
    pub(crate) fn report_to(&mut self, progress: &Progress, region: &str) {
        for lane in [&mut self.changes, &mut self.looks, &mut self.storage] {
            let progress = progress.part("");
            lane.notices = Some(Notices::new(region, move |line| progress.line(line)));
        }
    }
}

/// How often a call is made before its error is final. With full jitter that is about two minutes.
const ATTEMPTS: u32 = 14;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A call that takes longer is reported, and so is each of its repetitions.
const QUIET: Duration = Duration::from_secs(10);

/// One kind of call.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The service that most of its calls are for.
    service: &'static str,
    state: Mutex<State>,
    notices: Option<Notices>,
}

/// Where waiting is reported. Many calls wait at the same time, and one line speaks for all of them.
struct Notices {
    print: Box<dyn Fn(String) + Send + Sync>,
    region: String,
    last: Mutex<Option<Instant>>,
}

impl Notices {
    fn new(region: &str, print: impl Fn(String) + Send + Sync + 'static) -> Notices {
        Notices { print: Box::new(print), region: region.to_owned(), last: Mutex::new(None) }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").field("region", &self.region).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    /// Calls per second when nothing is throttled.
    full: f64,
    /// Calls per second at present.
    rate: f64,
    /// Negative while calls wait.
    tokens: f64,
    filled: Instant,
}

impl Lane {
    fn new(service: &'static str, rate: f64) -> Lane {
        let state = State { full: rate, rate, tokens: burst(rate), filled: Instant::now() };
        Lane { service, state: Mutex::new(state), notices: None }
    }

    /// Makes the call when there is a token for it, and repeats it if it was throttled or no answer came. `send` must be safe to repeat.
    pub(crate) async fn call<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.call_to(self.service, send).await
    }

    /// [`Lane::call`] for another service than the lane's.
    pub(crate) async fn call_to<T, E, F>(
        &self,
        service: &str,
        send: impl Fn() -> F,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut longest = FIRST_PAUSE;
        let mut first = None;
        for attempt in 1..ATTEMPTS {
            self.take().await;
            // The wait for a token is not the service's.
            let since = *first.get_or_insert_with(Instant::now);
            let reported = Cell::new(false);
            let report = |what: &str| {
                if since.elapsed() >= QUIET && !reported.replace(true) {
                    self.report(|region| format!("{what} {service} in {region}, attempt {attempt} of {ATTEMPTS}"));
                }
            };
            match self.patiently(send(), || report("no answer from")).await {
                Ok(answer) => {
                    self.ease();
                    return Ok(answer);
                }
                Err(error) => match kind_of(&error) {
                    ErrorKind::Throttled => {
                        report("too many calls to");
                        self.throttle();
                    }
                    ErrorKind::Lost => report("no answer from"),
                    ErrorKind::Final => return Err(error),
                },
            }
            // Full jitter: calls that were throttled together are not repeated together.
            sleep(longest.mul_f64(fastrand::f64())).await;
            longest = (longest * 2).min(LONGEST_PAUSE);
        }
        self.take().await;
        send().await
    }

    /// The result of the call; `waiting` is called once if that takes long.
    async fn patiently<T>(&self, call: impl Future<Output = T>, waiting: impl Fn()) -> T {
        let mut call = pin!(call);
        match tokio::time::timeout(QUIET, call.as_mut()).await {
            Ok(result) => result,
            Err(_) => {
                waiting();
                call.await
            }
        }
    }

    fn report(&self, text: impl FnOnce(&str) -> String) {
        let Some(notices) = &self.notices else { return };
        let mut last = notices.last.lock().expect(UNPOISONED);
        if last.is_none_or(|last| last.elapsed() >= QUIET) {
            *last = Some(Instant::now());
            (notices.print)(text(&notices.region));
        }
    }

    /// Waits for the token of one call; calls get their tokens in the order in which they ask.
    async fn take(&self) {
        let wait = {
            let mut state = self.filled();
            state.tokens -= 1.0;
            (-state.tokens / state.rate).max(0.0)
        };
        if wait > 0.0 {
            sleep(Duration::from_secs_f64(wait)).await;
        }
    }

    fn throttle(&self) {
        let mut state = self.filled();
        state.rate = (state.rate / 2.0).max(state.full / 32.0);
        state.tokens = state.tokens.min(0.0);
    }

    fn ease(&self) {
        let mut state = self.filled();
        state.rate = (state.rate + state.full / 20.0).min(state.full);
    }

    /// The state, with the tokens for the time that has passed.
    fn filled(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect(UNPOISONED);
        let now = Instant::now();
        let earned = now.duration_since(state.filled).as_secs_f64() * state.rate;
        state.tokens = (state.tokens + earned).min(burst(state.full));
        state.filled = now;
        state
    }
}

const UNPOISONED: &str = "nothing that holds this lock can panic";

fn burst(rate: f64) -> f64 {
    (rate * 10.0).max(1.0)
}

enum ErrorKind {
    Throttled,
    /// It is unknown whether the call took effect.
    Lost,
    Final,
}

/// Error codes that mean AWS was called too often.
const THROTTLED: [&str; 11] = [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

fn kind_of<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> ErrorKind {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default();
    if let Some(cause) = credentials::cause_of(error) {
        return if credentials::is_lost(cause) { ErrorKind::Lost } else { ErrorKind::Final };
    }
    match error {
        _ if THROTTLED.contains(&code) || status == Some(429) => ErrorKind::Throttled,
        _ if status.is_some_and(|status| status >= 500) => ErrorKind::Lost,
        // A failure without any of these is a mistake of ours or of the configuration.
        SdkError::DispatchFailure(failure)
            if failure.is_io() || failure.is_timeout() || failure.as_other().is_some() =>
        {
            ErrorKind::Lost
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => ErrorKind::Lost,
        _ => ErrorKind::Final,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_sdk_cloudformation::error::ErrorMetadata;

    use super::*;

    async fn seconds_for(lane: &Lane, calls: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            lane.take().await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn ten_seconds_worth_of_calls_are_made_at_once_and_the_rest_at_the_rate() {
        let lane = Lane::new("S3", 5.0);
        assert!(seconds_for(&lane, 50).await < 0.01);
        let seconds = seconds_for(&lane, 100).await;
        assert!((19.9..20.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_reported_after_ten_seconds_once_per_attempt() {
        let (lines, said) = (Arc::new(Mutex::new(Vec::new())), Cell::new(0));
        let mut lane = Lane::new("CloudFormation", 100.0);
        let heard = Arc::clone(&lines);
        lane.notices = Some(Notices::new("eu-west-1", move |line| heard.lock().unwrap().push(line)));
        let answer = lane.call(async || {
            said.set(said.get() + 1);
            let seconds = if said.get() == 1 { 9 } else { 60 };
            sleep(Duration::from_secs(seconds)).await;
            match said.get() {
                4 => Ok(()),
                _ => Err(SdkError::<ErrorMetadata, HttpResponse>::timeout_error("no answer")),
            }
        });
        answer.await.unwrap();
        let expected = [2, 3, 4].map(|n| format!("no answer from CloudFormation in eu-west-1, attempt {n} of 14"));
        assert_eq!(*lines.lock().unwrap(), expected);
        // A quick answer needs no report.
        lane.call(async || Ok::<_, SdkError<ErrorMetadata, HttpResponse>>(())).await.unwrap();
        assert_eq!(lines.lock().unwrap().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_lane_slows_down_and_recovers() {
        let lane = Lane::new("S3", 1.0);
        lane.throttle();
        lane.throttle();
        let seconds = seconds_for(&lane, 10).await;
        assert!((39.0..41.0).contains(&seconds), "{seconds}");
        for _ in 0..100 {
            lane.ease();
        }
        let seconds = seconds_for(&lane, 10).await;
        assert!((9.0..11.0).contains(&seconds), "{seconds}");
    }
}
