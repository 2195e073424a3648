//! Turns a request, or a schedule's event, into a job in the queue.

use function::millis;
use report_queue::{Job, JobKey, Submission, Submitted, submit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracing::info;

use crate::error::{Error, Result};
use crate::handler::ReportApi;
use crate::identity::Caller;
use crate::record;

impl ReportApi {
    /// Puts the job of a checked submission into the queue.
    ///
    /// # Errors
    ///
    /// If the request is not accepted, or the table did not respond.
    pub(crate) async fn submit(&self, submission: Submission, caller: Caller, key: Option<&str>) -> Result<Value> {
        let (dashboard, request) = submission.check(caller.tags)?;
        if !self.settings.dashboards.contains(&dashboard) {
            let message =
                format!("`dashboardId` is `{dashboard}`, which is not one of the tenant's dashboards for reports");
            return Err(Error::invalid(message));
        }
        let job = match key {
            // Without the format: a different format with the same key is a different request, not a different job.
            Some(key) => format!("KEY_{}", named(&self.settings.tenant, &caller.viewer, key)),
            None => format!("{}_{}", request.format.name(), random()),
        };
        let key = JobKey { dashboard, job };
        let job = Job::new(key, &request, caller.viewer, millis(self.clock.now()));
        let status = match submit(&self.tables, &job).await? {
            Submitted::New => "QUEUED",
            Submitted::Again(standing) => record::status(&standing),
            Submitted::Taken => {
                return Err(Error::conflict(
                    "the Idempotency-Key was used for a different request, or its job was deleted; use a new one for each request",
                ));
            }
        };
        info!(step = "submit", job = %job.key, status);
        Ok(json!({"SnapshotJobId": job.key.job, "Status": status}))
    }
}

/// An ID that is always the same for the same caller and key.
fn named(tenant: &str, viewer: &str, key: &str) -> String {
    let digest = Sha256::digest(format!("{tenant}\0{viewer}\0{key}"));
    hex::encode(&digest[..16])
}

/// An ID that nobody can guess.
fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    hex::encode(bytes)
}
