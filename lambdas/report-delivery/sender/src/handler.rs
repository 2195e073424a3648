//! Handles the stream's records, one job after the other.

use std::time::SystemTime;

use function::Clock;
use lambda_runtime::LambdaEvent;
use report_queue::{Dynamo, Item, Job, NotSent, Outbox, Request, Sender, Way};
use serde_json::{Value, json};
use tracing::{Instrument, info, info_span};

use crate::copy::Copies;
use crate::error::Error;
use crate::mail::Mails;
use crate::settings::Settings;
use crate::sftp::Transfers;

/// The function, for the life of its process.
pub struct ReportSender {
    sender: Sender<Dynamo, Services>,
}

/// The ways that are on.
struct Services {
    mails: Option<Mails>,
    copies: Option<Copies>,
    transfers: Option<Transfers>,
}

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
        let outbox = Services {
            mails: settings.mail.map(|mail| Mails::new(&settings.ses, files, bucket.clone(), mail)),
            copies: settings.partner.map(|to| Copies { client: copies, from: bucket.clone(), tenant, to }),
            transfers: settings.sftp.map(|to| Transfers::new(&settings.transfer, bucket, to)),
        };
        ReportSender { sender: Sender { tables, outbox, clock } }
    }

    /// Handles a batch of records from the jobs table's stream. Returns the number of deliveries.
    ///
    /// # Errors
    ///
    /// If a delivery was not made, or will never be; after all the others were handled.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let (event, context) = event.into_parts();
        let span = info_span!("run", request_id = context.request_id);
        self.batch(&event, &context.request_id, context.deadline()).instrument(span).await
    }

    async fn batch(&self, event: &Value, run: &str, deadline: SystemTime) -> Result<Value, Error> {
        let records = event["Records"].as_array().ok_or(Error::UnknownEvent)?;
        let (mut sent, mut failures) = (0, 0);
        for record in records {
            let deliveries = self.sender.record(&item(&record["dynamodb"]["NewImage"]), run, deadline).await;
            sent += deliveries.sent;
            failures += deliveries.failures;
        }
        info!(step = "end", sent, failures);
        match failures {
            0 => Ok(json!({"sent": sent})),
            _ => Err(Error::NotDelivered(failures)),
        }
    }
}

impl Outbox for Services {
    fn has(&self, way: Way) -> bool {
        match way {
            Way::Mail => self.mails.is_some(),
            Way::Partner => self.copies.is_some(),
            Way::Sftp => self.transfers.is_some(),
        }
    }

    async fn send(&self, way: Way, job: &Job, request: &Request) -> Result<(), NotSent> {
        match way {
            Way::Mail => self.mails.as_ref().expect("the way is on").send(job, request).await,
            Way::Partner => self.copies.as_ref().expect("the way is on").send(job).await,
            Way::Sftp => self.transfers.as_ref().expect("the way is on").send(job).await,
        }
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
