//! Handles the stream's records, one job after the other.

use std::time::{Duration, SystemTime};

use function::{Clock, millis};
use lambda_runtime::LambdaEvent;
use report_queue::{Dynamo, Item, Job, JobKey, Request, State, Tables, WriteError};
use serde_json::{Value, json};
use tracing::{Instrument, error, info, info_span, warn};

use crate::copy::Copies;
use crate::delivery::{Failure, Step, Way, settle, step};
use crate::mail::Mails;
use crate::settings::Settings;
use crate::sftp::Transfers;

/// The function, for the life of its process.
pub struct ReportSender {
    clock: Clock,
    tables: Dynamo,
    mails: Option<Mails>,
    copies: Option<Copies>,
    transfers: Option<Transfers>,
}

/// Reserved at the end of a run for what was claimed.
const RESERVE: Duration = Duration::from_secs(30);

/// After this time, a run can no longer send anything.
const AFTER: Duration = Duration::from_secs(30);

impl ReportSender {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> ReportSender {
        let tables = Dynamo {
            client: aws_sdk_dynamodb::Client::new(&settings.dynamodb),
            jobs: settings.jobs_table,
            slots: String::new(),
        };
        let s3 = |config| {
            let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
            aws_sdk_s3::Client::from_conf(config.build())
        };
        let (files, copies) = (s3(&settings.s3), s3(&settings.s3_copies));
        let (bucket, tenant) = (settings.bucket, settings.tenant);
        ReportSender {
            clock,
            tables,
            mails: settings.mail.map(|mail| Mails::new(&settings.ses, files, bucket.clone(), mail)),
            copies: settings.partner.map(|to| Copies { client: copies, from: bucket.clone(), tenant, to }),
            transfers: settings.sftp.map(|to| Transfers::new(&settings.transfer, bucket, to)),
        }
    }

    /// Handles a batch of records from the jobs table's stream. Returns the number of deliveries.
    ///
    /// # Errors
    ///
    /// If a delivery failed or its record could not be read; after all the others were handled.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, String> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        self.batch(&event, context.deadline()).instrument(span).await
    }

    async fn batch(&self, event: &Value, deadline: SystemTime) -> Result<Value, String> {
        let Some(records) = event["Records"].as_array() else {
            return Err("the event is unknown; must be records of a table's stream".to_owned());
        };
        let (mut sent, mut failures) = (0, 0);
        for record in records {
            let image = item(&record["dynamodb"]["NewImage"]);
            for (way, key) in self.open(&image) {
                if self.clock.now() + RESERVE >= deadline {
                    failures += 1;
                    continue;
                }
                match self.deliver(way, &key, millis(deadline + AFTER)).await {
                    Ok(true) => sent += 1,
                    Ok(false) => {}
                    Err(reason) => {
                        error!(step = "deliver", way = way.attribute(), job = %key, reason);
                        failures += 1;
                    }
                }
            }
        }
        info!(step = "end", sent, failures);
        match failures {
            0 => Ok(json!({"sent": sent})),
            _ => Err(format!("{failures} deliveries failed; the log names each")),
        }
    }

    /// The ways that are not done yet for the job in an image.
    fn open(&self, image: &Item) -> Vec<(Way, JobKey)> {
        let Ok(job) = Job::read(image) else { return Vec::new() };
        if job.state != State::Completed {
            return Vec::new();
        }
        let ways = [
            (Way::Mail, self.mails.is_some()),
            (Way::Partner, self.copies.is_some()),
            (Way::Sftp, self.transfers.is_some()),
        ];
        let wanted = ways.into_iter().filter(|(way, on)| *on && step(*way, &job, image, u64::MAX, 0) != Step::Nothing);
        wanted.map(|(way, _)| (way, job.key.clone())).collect()
    }

    /// Sends a job by one way, unless that was done; returns whether this run did.
    async fn deliver(&self, way: Way, key: &JobKey, lease: u64) -> Result<bool, String> {
        // The record may be hours old.
        let Some(item) = self.tables.job(key).await.map_err(|error| error.0)? else { return Ok(false) };
        let job = Job::read(&item).map_err(|error| error.0)?;
        let request = Request::read(&job.request).map_err(|error| error.0)?;
        if job.state != State::Completed || (way == Way::Mail && request.recipients.is_empty()) {
            return Ok(false);
        }
        let claim = match step(way, &job, &item, millis(self.clock.now()), lease) {
            Step::Nothing => return Ok(false),
            Step::Wait => return Err("another run is working on it".to_owned()),
            Step::Send(claim) => claim,
            Step::GiveUp(change) => {
                self.tables.write(vec![change]).await.map_err(unwritten)?;
                return Err("an earlier run ended before it knew whether the mail was sent".to_owned());
            }
        };
        self.tables.write(vec![claim]).await.map_err(unwritten)?;
        let result = match way {
            Way::Mail => self.mails.as_ref().expect("the way is enabled").send(&job, &request).await,
            Way::Partner => self.copies.as_ref().expect("the way is enabled").send(&job).await,
            Way::Sftp => self.transfers.as_ref().expect("the way is enabled").send(&job).await,
        };
        let settled = settle(way, &job, lease, &result, millis(self.clock.now()));
        if let Err(error) = self.tables.write(vec![settled]).await {
            // The mail is not sent again: the claim remains until it expires, and then it counts as unknown.
            warn!(step = "settle", way = way.attribute(), job = %key, ?error);
        }
        match result {
            Ok(()) => {
                info!(step = "sent", way = way.attribute(), job = %key);
                Ok(true)
            }
            Err(Failure::Refused(reason) | Failure::NotNow(reason) | Failure::Unknown(reason)) => Err(reason),
        }
    }
}

fn unwritten(error: WriteError) -> String {
    match error {
        WriteError::Refused(_) => "another run was faster".to_owned(),
        WriteError::Unknown(error) => error.0,
    }
}

/// An image in DynamoDB's JSON.
fn item(image: &Value) -> Item {
    let typed = image.as_object().into_iter().flatten();
    let value = |value: &Value| match (&value["S"], &value["N"]) {
        (Value::String(text), _) => Some(report_queue::Value::S(text.clone())),
        (_, Value::String(number)) => number.parse().ok().map(report_queue::Value::N),
        _ => None,
    };
    typed.filter_map(|(name, attribute)| Some((name.clone(), value(attribute)?))).collect()
}
