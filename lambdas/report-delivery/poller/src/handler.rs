//! Distinguishes the triggers.

use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::LambdaEvent;
use report_queue::{Dynamo, Poller, Sweep, Unavailable};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::error::Error;
use crate::quicksight::Snapshots;
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct ReportPoller {
    poller: Poller<Dynamo, Snapshots>,
}

impl ReportPoller {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> ReportPoller {
        let quicksight = Snapshots::new(&settings);
        let tables = Dynamo {
            client: aws_sdk_dynamodb::Client::new(&settings.dynamodb),
            jobs: settings.jobs_table,
            slots: settings.slot_table,
        };
        let Settings { tenant, bucket, slots, kept, .. } = settings;
        ReportPoller { poller: Poller { tables, quicksight, clock, tenant, bucket, slots, kept } }
    }

    /// Handles one event: `{"sweep":true}`, repeated every 5 seconds while jobs are open with `"every":5`, or EventBridge's event
    /// of a created object. Returns counts of what was done.
    ///
    /// # Errors
    ///
    /// If the event is neither, or a table did not respond: Lambda's retry and the next sweep continue from there. A problem with a
    /// single job is only a log line and a count in the result.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        self.run(&event, context.deadline()).instrument(span).await.inspect_err(|error| {
            error!(step = "end", reason = %error);
        })
    }

    async fn run(&self, event: &Value, deadline: SystemTime) -> Result<Value, Error> {
        let now = self.poller.clock.now();
        let left = deadline.duration_since(now).unwrap_or_default();
        // The rest is reserved for the step in progress when the time runs out.
        let until = now + left.mul_f64(0.8);
        let sweep = if event["sweep"] == true {
            self.sweep(event["every"].as_u64(), until).await
        } else if let ("aws.s3", Some(key)) =
            (event["source"].as_str().unwrap_or_default(), event["detail"]["object"]["key"].as_str())
        {
            if event["detail"]["bucket"]["name"] == self.poller.bucket.as_str() {
                self.poller.object_created(key, until).await
            } else {
                Ok(Sweep::default())
            }
        } else {
            return Err(Error::UnknownEvent);
        };
        let Sweep { followed, claimed, ended, failures, .. } = sweep?;
        info!(step = "end", followed, claimed, ended, failures);
        Ok(json!({"followed": followed, "claimed": claimed, "ended": ended, "failures": failures}))
    }

    /// One sweep, or one every `every` seconds, so that a throttled job does not wait for the next tick of the schedule.
    async fn sweep(&self, every: Option<u64>, until: SystemTime) -> Result<Sweep, Unavailable> {
        let mut all = Sweep::default();
        loop {
            let sweep = self.poller.sweep(until).await?;
            all.followed += sweep.followed;
            all.claimed += sweep.claimed;
            all.ended += sweep.ended;
            all.failures += sweep.failures;
            let pause = every.map(Duration::from_secs).filter(|_| sweep.open > sweep.ended);
            match pause.filter(|pause| self.poller.clock.now() + *pause < until) {
                Some(pause) => self.poller.clock.sleep(pause).await,
                None => return Ok(all),
            }
        }
    }
}
