//! Time as a test sets it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use function::{Clock, millis};

/// The present, which stands still but for what a test lets pass, and for what a function waits: that takes no time at all.
#[derive(Clone)]
pub struct Time(Arc<Mutex<Passed>>);

struct Passed {
    now: SystemTime,
    slept: Duration,
}

impl Time {
    /// So many seconds after the beginning of 1970.
    pub fn at(seconds: u64) -> Time {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Time(Arc::new(Mutex::new(Passed { now, slept: Duration::ZERO })))
    }

    /// The clock that shows it.
    pub fn clock(&self) -> Clock {
        let (present, passing) = (self.clone(), self.clone());
        Clock::new(
            move || present.now(),
            move |duration| {
                passing.pass(duration);
                passing.passed().slept += duration;
                Box::pin(tokio::task::yield_now())
            },
        )
    }

    /// The present.
    pub fn now(&self) -> SystemTime {
        self.passed().now
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> u64 {
        self.deadline(Duration::ZERO) / 1000
    }

    /// The moment at which `left` will have passed, as Lambda tells a run's deadline: in milliseconds since 1970.
    pub fn deadline(&self, left: Duration) -> u64 {
        millis(self.now() + left)
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.passed().now += duration;
    }

    /// How long was waited in all.
    pub fn slept(&self) -> Duration {
        self.passed().slept
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap()
    }
}
