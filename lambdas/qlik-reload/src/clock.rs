//! Time as the function sees it, so that a test can pass an hour in a millisecond.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result, Retryable};

/// The present, and waiting: the machine's own or a test's.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    sleep: Arc<dyn Fn(Duration) -> Sleep + Send + Sync>,
}

/// What [`Clock::new`]'s second argument gives back: resolves when the time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock::new(SystemTime::now, |duration| Box::pin(tokio::time::sleep(duration)))
    }

    /// A clock made of its two functions.
    pub fn new(
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
        sleep: impl Fn(Duration) -> Sleep + Send + Sync + 'static,
    ) -> Clock {
        Clock { now: Arc::new(now), sleep: Arc::new(sleep) }
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.now)()
    }
}

/// A call that gets less than this cannot be expected to succeed.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The time that one run may spend on Qlik.
#[derive(Clone)]
pub(crate) struct Budget {
    clock: Clock,
    end: SystemTime,
}

impl Budget {
    pub(crate) fn until(end: SystemTime, clock: &Clock) -> Budget {
        Budget { clock: clock.clone(), end }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What is left, zero when it is used up.
    pub(crate) fn remaining(&self) -> Duration {
        self.end.duration_since(self.now()).unwrap_or_default()
    }

    /// What is left, if that is enough for one more call.
    pub(crate) fn for_a_call(&self) -> Result<Duration> {
        let remaining = self.remaining();
        if remaining < LEAST_TIME { Err(out_of_time()) } else { Ok(remaining) }
    }

    /// Does `work`, a call that changes nothing, within what is left.
    pub(crate) async fn spend<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let remaining = self.for_a_call()?;
        tokio::time::timeout(remaining, work).await.map_err(|_| out_of_time())?
    }

    /// Waits, unless the wait would not leave any time after it: then returns `false` at once.
    pub(crate) async fn wait(&self, duration: Duration) -> bool {
        let fits = duration < self.remaining();
        if fits {
            (self.clock.sleep)(duration).await;
        }
        fits
    }
}

/// For when a run has no time for what it should do next.
fn out_of_time() -> Error {
    Error::retryable(
        Retryable::TimedOut,
        "no time is left to ask Qlik; the function's time-out must be well above the 6 seconds it keeps for its end",
    )
}

/// Milliseconds since 1970, as DynamoDB items and Lambda deadlines count.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
