//! Tells the triggers apart.

use std::time::{Duration, SystemTime};

use function::Clock;
use lambda_runtime::LambdaEvent;
use report_queue::{Dynamo, Poller, Sweep, Unavailable};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span};

use crate::quicksight::Snapshots;
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct Handler {
    poller: Poller<Dynamo, Snapshots>,
}

impl Handler {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> Handler {
        let tables = Dynamo {
            client: aws_sdk_dynamodb::Client::new(&settings.dynamodb),
            jobs: settings.jobs_table,
            slots: settings.slot_table,
        };
        let quicksight =
            Snapshots::new(&settings.quicksight, settings.account, &settings.tenant, &settings.bucket, settings.region);
        let Settings { tenant, bucket, slots, .. } = settings;
        Handler { poller: Poller { tables, quicksight, clock, tenant, bucket, slots } }
    }

    /// Handles one event: `{"sweep":true}`, with `"every":5` again each 5 seconds as long as jobs are open, or EventBridge's of an
    /// object created. Answers with what was done, in numbers.
    ///
    /// # Errors
    ///
    /// When the event is neither, or a table did not answer: Lambda's retry and the next sweep go on from there. What concerns a
    /// single job is a line in the log and a number in the answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, String> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        self.run(&event, context.deadline()).instrument(span).await.inspect_err(|error| {
            error!(step = "end", reason = %error);
        })
    }

    async fn run(&self, event: &Value, deadline: SystemTime) -> Result<Value, String> {
        let now = self.poller.clock.now();
        let left = deadline.duration_since(now).unwrap_or_default();
        // The rest is for the step that is under way when the time is up.
        let until = now + left.mul_f64(0.8);
        let sweep = if event["sweep"] == true {
            self.sweep(event["every"].as_u64(), until).await
        } else if let ("aws.s3", Some(key)) =
            (event["source"].as_str().unwrap_or_default(), event["detail"]["object"]["key"].as_str())
        {
            match event["detail"]["bucket"]["name"] == self.poller.bucket.as_str() {
                true => self.poller.object_created(key, until).await,
                false => Ok(Sweep::default()),
            }
        } else {
            let allowed = r#"allowed are {"sweep":true} and EventBridge's events of objects created"#;
            return Err(format!("the event is not one this function knows; {allowed}"));
        };
        let sweep = sweep.map_err(|unavailable| unavailable.to_string())?;
        let Sweep { followed, claimed, ended, failures, .. } = sweep;
        info!(step = "end", followed, claimed, ended, failures);
        Ok(json!({"followed": followed, "claimed": claimed, "ended": ended, "failures": failures}))
    }

    /// One sweep, or one each `every` seconds: between two ticks of the schedule a throttled job would wait for the next one.
    async fn sweep(&self, every: Option<u64>, until: SystemTime) -> Result<Sweep, Unavailable> {
        let mut all = Sweep::default();
        loop {
            let sweep = self.poller.sweep(until).await?;
            all.followed += sweep.followed;
            all.claimed += sweep.claimed;
            all.ended += sweep.ended;
            all.failures += sweep.failures;
            let pause = every.map(Duration::from_secs).filter(|_| sweep.open > sweep.ended);
            match pause.filter(|it| self.poller.clock.now() + *it < until) {
                Some(pause) => self.poller.clock.sleep(pause).await,
                None => return Ok(all),
            }
        }
    }
}
