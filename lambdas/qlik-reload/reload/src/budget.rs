//! The time that a run may spend.

use std::time::{Duration, SystemTime};

use function::Clock;

use crate::error::{Error, Result, Retryable};

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
            self.clock.sleep(duration).await;
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
