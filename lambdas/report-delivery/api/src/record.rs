//! A job as the published API represents it.

use report_queue::{Delivery, Format, Job, Request, State, Way};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::settings::Settings;

/// The status that published clients wait for: one of QuickSight's four.
pub(crate) fn status(job: &Job) -> &'static str {
    match job.state {
        State::Queued => "QUEUED",
        State::Starting | State::Running => "RUNNING",
        State::Completed => "COMPLETED",
        State::Failed | State::Expired | State::Deleting | State::Deleted => "FAILED",
    }
}

/// `describe_job` at `now`, in the form of `DescribeDashboardSnapshotJob`, with the deliveries that have started.
pub(crate) fn described(job: &Job, request: &Request, settings: &Settings, now: u64) -> String {
    let keys: Vec<Value> = request.tags.iter().map(|tag| json!(tag.key)).collect();
    let mut body = json!({
        "AwsAccountId": settings.account,
        "DashboardId": job.key.dashboard,
        "SnapshotJobId": job.key.job,
        "UserConfiguration": {"AnonymousUsers": [{"RowLevelPermissionTagKeys": keys}]},
        "SnapshotConfiguration": {
            "FileGroups": [{"Files": [file(request)]}],
            "DestinationConfiguration": {"S3Destinations": [destination(job, request, settings)]},
        },
        "Arn": arn(job, settings),
        "JobStatus": status(job),
        "CreatedTime": seconds(job.created),
        "LastUpdatedTime": seconds(job.updated),
        "Status": 200,
    });
    if let Some(error) = error(job) {
        body["ErrorInfo"] = error;
    }
    if !job.deliveries.is_empty() {
        let shown = job.deliveries.iter().map(|(way, delivery)| (name(*way).to_owned(), shown(delivery, now)));
        body["Deliveries"] = Value::Object(shown.collect());
    }
    with_parameters(&body, "Parameters", request)
}

/// A way of delivery, as the tenant file calls it.
fn name(way: Way) -> &'static str {
    match way {
        Way::Mail => "email",
        Way::Partner => "partner_bucket",
        Way::Sftp => "sftp",
    }
}

fn shown(delivery: &Delivery, now: u64) -> Value {
    match delivery {
        // The run died, and the stream may have given up on it.
        Delivery::Trying { until, .. } if *until <= now => json!({"Status": "UNKNOWN"}),
        Delivery::Trying { .. } => json!({"Status": "SENDING"}),
        Delivery::Waiting(code) => json!({"Status": "WAITING", "ErrorType": code}),
        Delivery::Sent(at) => json!({"Status": "SENT", "Time": seconds(*at)}),
        Delivery::Failed(code) => json!({"Status": "FAILED", "ErrorType": code}),
        Delivery::Unknown(_) => json!({"Status": "UNKNOWN"}),
    }
}

/// `describe_job_result`, in the form of `DescribeDashboardSnapshotJobResult`.
pub(crate) fn result(job: &Job, request: &Request, settings: &Settings) -> Value {
    let mut body = json!({
        "Arn": arn(job, settings),
        "JobStatus": status(job),
        "CreatedTime": seconds(job.created),
        "LastUpdatedTime": seconds(job.updated),
        "Status": 200,
    });
    if let Some(error) = error(job) {
        body["ErrorInfo"] = error;
    }
    if job.state == State::Completed {
        let errors: Vec<Value> =
            job.reason.iter().map(|reason| json!({"ErrorType": reason.kind, "ErrorMessage": reason.message})).collect();
        let one = |found: &report_queue::files::File| {
            json!({
                "S3DestinationConfiguration": destination(job, request, settings),
                "S3Uri": format!("s3://{}/{}", settings.bucket, found.key),
                "ErrorInfo": errors,
            })
        };
        let results: Vec<Value> = job.files.iter().map(one).collect();
        let group = json!({"Files": [file(request)], "S3Results": results});
        body["Result"] = json!({"AnonymousUsers": [{"FileGroups": [group]}]});
    }
    body
}

/// An entry of the list, with the names of the published record.
pub(crate) fn listed(job: &Job, request: &Request, settings: &Settings) -> Box<RawValue> {
    let mut body = json!({
        "dashboardId": job.key.dashboard,
        "jobId": job.key.job,
        "jobStatus": status(job),
        "timestamp": job.created / 1000,
        "sheetId": request.sheet_id,
        "visualId": request.visual_ids,
        "outputFormat": request.format.name(),
        "outputDestination": destination(job, request, settings),
        "createdTime": seconds(job.created),
    });
    if let Some(file) = job.files.first() {
        body["outputLocation"] = json!(format!("s3://{}/{}", settings.bucket, file.key));
    }
    if job.state.is_end() {
        body["completedTime"] = seconds(job.updated);
    }
    if let Some(error) = error(job) {
        body["errorInfo"] = error;
    }
    RawValue::from_string(with_parameters(&body, "parameters", request)).expect("it was just created from JSON")
}

fn file(request: &Request) -> Value {
    let scope = if request.format == Format::Pdf { "ALL_VISUALS" } else { "SELECTED_VISUALS" };
    let mut selection = json!({"SheetId": request.sheet_id, "SelectionScope": scope});
    if !request.visual_ids.is_empty() {
        selection["VisualIds"] = json!(request.visual_ids);
    }
    json!({"SheetSelections": [selection], "FormatType": request.format.name()})
}

fn destination(job: &Job, request: &Request, settings: &Settings) -> Value {
    let prefix = format!("{}{}", job.key.prefix(&settings.tenant), request.folder);
    let bucket = json!({"BucketName": settings.bucket, "BucketPrefix": prefix, "BucketRegion": settings.region});
    json!({"BucketConfiguration": bucket})
}

fn arn(job: &Job, settings: &Settings) -> String {
    let Settings { partition, region, account, .. } = settings;
    format!(
        "arn:{partition}:quicksight:{region}:{account}:dashboard/{}/snapshot-job/{}",
        job.key.dashboard, job.key.job
    )
}

fn error(job: &Job) -> Option<Value> {
    let reason = job.reason.as_ref().filter(|_| status(job) == "FAILED")?;
    Some(json!({"ErrorType": reason.kind, "ErrorMessage": reason.message}))
}

/// Epoch seconds with milliseconds, as QuickSight writes times.
fn seconds(millis: u64) -> Value {
    // A double can represent milliseconds since 1970 for another 285,000 years.
    json!(millis as f64 / 1000.0)
}

/// The body with the parameters as written: a `Value` would round their decimals.
fn with_parameters(body: &Value, name: &str, request: &Request) -> String {
    let parameters =
        serde_json::to_string(&request.parameters).expect("text and numbers can always be written as JSON");
    let body = body.to_string();
    let open = body.strip_suffix('}').expect("it is an object");
    format!("{open},\"{name}\":{parameters}}}")
}
