//! How long to wait between two looks at something that is under way.

use std::time::Duration;

use tokio::time::Instant;

use crate::Error;

/// None of our operations takes longer than CloudFormation's own limit for a custom resource, one hour, plus a rollback.
const LONGEST_OPERATION: Duration = Duration::from_secs(2 * 3600);

/// A growing, jittered pause: quick answers from quick operations, and few calls for slow ones.
pub(crate) struct Pauses {
    next: Duration,
    give_up: Instant,
}

impl Pauses {
    pub(crate) fn new() -> Pauses {
        Pauses { next: Duration::from_millis(100), give_up: Instant::now() + LONGEST_OPERATION }
    }

    /// Waits 50 to 100 % of the current pause, which then grows by half, up to five seconds.
    pub(crate) async fn wait(&mut self, for_what: &str) -> Result<(), Error> {
        if Instant::now() > self.give_up {
            return Err(Error::Failed(format!(
                "gave up waiting for {for_what} after two hours; it may still be under way"
            )));
        }
        tokio::time::sleep(self.next.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        self.next = (self.next + self.next / 2).min(Duration::from_secs(5));
        Ok(())
    }
}
