//! Time that a test controls.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use function::{Clock, millis};

/// The current time. It advances only when a test lets it pass or a function waits, which takes no real time.
#[derive(Clone)]
pub struct Time(Arc<Mutex<Passed>>);

struct Passed {
    now: SystemTime,
    slept: Duration,
}

impl Time {
    /// This many seconds after the beginning of 1970.
    pub fn at(seconds: u64) -> Time {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Time(Arc::new(Mutex::new(Passed { now, slept: Duration::ZERO })))
    }

    /// The clock that shows this time.
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

    /// The current time.
    pub fn now(&self) -> SystemTime {
        self.passed().now
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> u64 {
        self.deadline(Duration::ZERO) / 1000
    }

    /// The moment at which `left` will have passed, as Lambda gives a run's deadline: in milliseconds since 1970.
    pub fn deadline(&self, left: Duration) -> u64 {
        millis(self.now() + left)
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.passed().now += duration;
    }

    /// The total time that was waited.
    pub fn slept(&self) -> Duration {
        self.passed().slept
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap()
    }
}
