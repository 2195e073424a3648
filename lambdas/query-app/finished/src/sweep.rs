//! Finishes requests that no event reported.

use std::time::{Duration, SystemTime};

use function::millis;
use queries::{Cause, GRACE, Lease, Request, Unavailable};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::finish::{Finish, Finished, Finisher};

/// How old a request is before its event counts as late.
pub const SILENCE: Duration = Duration::from_secs(20);

impl Finisher {
    /// Goes through the open requests, the oldest first, while there is time; the next sweep continues.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub(crate) async fn sweep(&self, deadline: SystemTime) -> Result<Value, Unavailable> {
        let now = self.clock.now();
        let until = now + deadline.duration_since(now).unwrap_or_default().mul_f64(0.8);
        let (mut seen, mut told, mut failures) = (0, 0, 0);
        let lease = Lease::new(deadline);
        let mut after = None;
        'pages: loop {
            let page = self.delivery.table.open(after).await?;
            for request in &page.requests {
                // The oldest come first, and younger ones need no sweep.
                if self.age(request) < SILENCE || self.clock.now() >= until {
                    break 'pages;
                }
                seen += 1;
                match self.look(request, &lease).await {
                    Ok(Finished::Told) => told += 1,
                    Ok(_) => {}
                    Err(problem) => {
                        warn!(step = "sweep", request = request.key, %problem);
                        failures += 1;
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        info!(step = "end", seen, told, failures);
        Ok(json!({"seen": seen, "told": told, "failures": failures}))
    }

    async fn look(&self, request: &Request, lease: &Lease) -> Result<Finished, Unavailable> {
        let age = self.age(request);
        let alone = Duration::from_millis(millis(self.clock.now()).saturating_sub(request.alone.unwrap_or(u64::MAX)));
        let cause = match () {
            () if age > self.statement_time => Some(Cause::Time),
            () if alone >= GRACE => Some(Cause::Alone),
            () => None,
        };
        if let Some(cause) = cause {
            self.delivery.cancel(&request.key, cause).await?;
        }
        // query-socket submits it again and records the statement; only then is it known whether there is one to cancel.
        if request.statement.is_none() && cause != Some(Cause::Time) {
            return Ok(Finished::Running);
        }
        let finish = Finish { request: &request.key, statement: None, patience: Duration::ZERO, lease };
        self.finish(finish).await
    }
}
