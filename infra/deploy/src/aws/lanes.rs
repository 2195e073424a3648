//! How fast AWS is called, and how often a call is repeated.
//!
//! There is one lane per kind of call, and each is a token bucket. All tenants share the account's limits, so they also share the lanes.
//! The SDK's own retries are off, because they would not take a token. A throttled answer halves the lane's rate, and every good answer
//! raises it a little.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep};

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
        Lanes { changes: Lane::new(rates.changes), looks: Lane::new(rates.looks), storage: Lane::new(200.0) }
    }
}

/// How often a call is made before its error is final. With full jitter that is about two minutes.
const ATTEMPTS: u32 = 14;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// One kind of call.
#[derive(Debug)]
pub(crate) struct Lane(Mutex<State>);

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
    fn new(rate: f64) -> Lane {
        Lane(Mutex::new(State { full: rate, rate, tokens: burst(rate), filled: Instant::now() }))
    }

    /// Makes the call when there is a token for it, and repeats it if it was throttled or no answer came. `send` must be safe to repeat.
    pub(crate) async fn call<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut longest = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            self.take().await;
            match send().await {
                Ok(answer) => {
                    self.ease();
                    return Ok(answer);
                }
                Err(error) => match kind_of(&error) {
                    ErrorKind::Throttled => self.throttle(),
                    ErrorKind::Lost => {}
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
        let mut state = self.0.lock().expect("nothing that holds this lock can panic");
        let now = Instant::now();
        let earned = now.duration_since(state.filled).as_secs_f64() * state.rate;
        state.tokens = (state.tokens + earned).min(burst(state.full));
        state.filled = now;
        state
    }
}

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
        let lane = Lane::new(5.0);
        assert!(seconds_for(&lane, 50).await < 0.01);
        let seconds = seconds_for(&lane, 100).await;
        assert!((19.9..20.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_lane_slows_down_and_recovers() {
        let lane = Lane::new(1.0);
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
