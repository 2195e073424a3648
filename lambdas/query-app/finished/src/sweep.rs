//! Finishes requests that no event reported.

use std::time::{Duration, SystemTime};

use function::millis;
use queries::{Cause, GRACE, Lease, Request, Unavailable};
use serde_json::{Value, json};
use tracing::info;

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
        let (mut seen, mut notified) = (0, 0);
        let lease = Lease::new(deadline);
        let sweep = self.delivery.table.sweep(SILENCE, deadline, async |request| {
            seen += 1;
            if let Finished::Notified = self.look(request, &lease).await? {
                notified += 1;
            }
            Ok(())
        });
        let failures = sweep.await?;
        info!(step = "end", seen, notified, failures);
        Ok(json!({"seen": seen, "notified": notified, "failures": failures}))
    }

    async fn look(&self, request: &Request, lease: &Lease) -> Result<Finished, Unavailable> {
        let age = self.delivery.table.age(request);
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
