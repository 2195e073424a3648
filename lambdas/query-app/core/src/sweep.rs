//! Going through the open requests.

use std::time::{Duration, SystemTime};

use function::millis;
use tracing::warn;

use crate::{Request, Table, Unavailable};

impl Table {
    /// Calls `look` for each open request of at least this age, the oldest first, until four fifths of the time are over; the next sweep
    /// continues. A request that fails is logged, and the others are looked at all the same. Returns how many failed.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub async fn sweep(
        &self,
        age: Duration,
        deadline: SystemTime,
        mut look: impl AsyncFnMut(&Request) -> Result<(), Unavailable>,
    ) -> Result<u64, Unavailable> {
        let now = self.clock.now();
        let until = now + deadline.duration_since(now).unwrap_or_default().mul_f64(0.8);
        let mut failures = 0;
        let mut after = None;
        loop {
            let page = self.open(after).await?;
            for request in &page.requests {
                if self.age(request) < age || self.clock.now() >= until {
                    return Ok(failures);
                }
                if let Err(problem) = look(request).await {
                    warn!(step = "sweep", request = request.key, %problem);
                    failures += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(failures);
            }
        }
    }

    /// How long ago a request was made.
    pub fn age(&self, request: &Request) -> Duration {
        Duration::from_millis(millis(self.clock.now()).saturating_sub(request.created))
    }
}
