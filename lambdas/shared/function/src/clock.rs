//! Time as a function sees it, so that a test can let an hour pass in a millisecond.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The current time, and waiting: the machine's own or a test's.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    sleep: Arc<dyn Fn(Duration) -> Sleep + Send + Sync>,
}

/// The future returned by [`Clock::new`]'s second argument; it resolves when the time has passed.
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

    /// The current time.
    pub fn now(&self) -> SystemTime {
        (self.now)()
    }

    /// Waits for `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        (self.sleep)(duration)
    }
}

/// Milliseconds since 1970, as DynamoDB items and Lambda deadlines count.
pub fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
