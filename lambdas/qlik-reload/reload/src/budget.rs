//! The time budget of a run.

use std::time::{Duration, SystemTime};

use function::Clock;

use crate::error::{Error, Result, Retryable};

/// A call that gets less time than this cannot be expected to succeed.
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

    /// The time left; zero if it is used up.
    pub(crate) fn remaining(&self) -> Duration {
        self.end.duration_since(self.now()).unwrap_or_default()
    }

    /// The time left, if it is enough for one more call.
    pub(crate) fn for_a_call(&self) -> Result<Duration> {
        let remaining = self.remaining();
        if remaining < LEAST_TIME { Err(out_of_time()) } else { Ok(remaining) }
    }

    /// Runs `work`, a call that changes nothing, within the time left.
    pub(crate) async fn spend<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let remaining = self.for_a_call()?;
        tokio::time::timeout(remaining, work).await.map_err(|_| out_of_time())?
    }

    /// Waits, unless no time would be left afterwards: then it returns `false` at once.
    pub(crate) async fn wait(&self, duration: Duration) -> bool {
        let fits = duration < self.remaining();
        if fits {
            self.clock.sleep(duration).await;
        }
        fits
    }
}

/// The error of a run that has no time for its next step.
fn out_of_time() -> Error {
    Error::retryable(
        Retryable::TimedOut,
        "no time is left to call Qlik; the function's timeout must be well above the 6 seconds that it reserves for its end",
    )
}
