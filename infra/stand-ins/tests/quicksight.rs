//! The stand-in for QuickSight refuses what QuickSight refuses.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use stand_ins::quicksight::{Counts, Dashboard, QuickSight, QuickSightOptions};

struct Account {
    quicksight: QuickSight,
    http: Client,
}

impl Account {
    /// A job takes either so long that none ends during a test, or no time at all.
    async fn with_jobs_of(duration: Duration) -> Account {
        Account::new(duration, usize::MAX).await
    }

    async fn new(queued: Duration, calls_a_second: usize) -> Account {
        let options = QuickSightOptions { queued, running: Duration::ZERO, calls_a_second };
        Account { quicksight: QuickSight::start(options).await.unwrap(), http: Client::new() }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String, Value) {
        let url = format!("{}/accounts/123456789012/dashboards/{path}", self.quicksight.url);
        let request = self.http.request(method, url).body(body.map(|body| body.to_string()).unwrap_or_default());
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        (status, kind.unwrap_or_default(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    async fn start(&self, dashboard: &str, job: &str) -> (u16, String, Value) {
        self.call(Method::POST, &format!("{dashboard}/snapshot-jobs"), Some(start_request(job))).await
    }
}

fn start_request(job: &str) -> Value {
    let sheet = json!({"SheetId": "s1", "SelectionScope": "ALL_VISUALS"});
    let bucket = json!({"BucketName": "b", "BucketPrefix": "t/acme/d1/j1/", "BucketRegion": "us-east-1"});
    json!({
        "SnapshotJobId": job,
        "UserConfiguration": {"AnonymousUsers": [{"RowLevelPermissionTags": [{"Key": "tenant", "Value": "t-42"}]}]},
        "SnapshotConfiguration": {
            "FileGroups": [{"Files": [{"SheetSelections": [sheet], "FormatType": "PDF"}]}],
            "DestinationConfiguration": {"S3Destinations": [{"BucketConfiguration": bucket}]},
        },
    })
}

#[tokio::test]
async fn a_thirteenth_job_exceeds_the_limit_and_an_id_is_taken_once() {
    let account = Account::with_jobs_of(Duration::from_secs(600)).await;
    for number in 0..12 {
        let (status, _, answer) = account.start("d1", &format!("job-{number}")).await;
        assert_eq!((status, &answer["SnapshotJobId"]), (200, &json!(format!("job-{number}"))));
    }
    let (status, kind, _) = account.start("d1", "job-12").await;
    assert_eq!((status, kind.as_str()), (409, "LimitExceededException"));
    let (status, kind, _) = account.start("d1", "job-3").await;
    assert_eq!((status, kind.as_str()), (409, "ResourceExistsException"));
    assert_eq!(account.quicksight.counts(), Counts { started: 12, ended: 0, high_water: 12, refused: 2 });

    let (_, _, job) = account.call(Method::GET, "d1/snapshot-jobs/job-3", None).await;
    assert_eq!(job["JobStatus"], "QUEUED");
    assert_eq!(job["UserConfiguration"]["AnonymousUsers"][0]["RowLevelPermissionTagKeys"], json!(["tenant"]));
    let (status, kind, _) = account.call(Method::GET, "d1/snapshot-jobs/job-3/result", None).await;
    assert_eq!((status, kind.as_str()), (400, "PreconditionNotMetException"));
}

#[tokio::test]
async fn unknown_and_wrong_things_are_told_apart() {
    let account = Account::with_jobs_of(Duration::from_secs(600)).await;
    let (status, kind, _) = account.start(Dashboard::MISSING, "j").await;
    assert_eq!((status, kind.as_str()), (404, "ResourceNotFoundException"));
    let (status, kind, _) = account.call(Method::GET, "d1/snapshot-jobs/none", None).await;
    assert_eq!((status, kind.as_str()), (404, "ResourceNotFoundException"));
    let wrong = |pointer: &str, value: Value| {
        let mut request = start_request("j");
        *request.pointer_mut(pointer).unwrap() = value;
        request
    };
    let group = "/SnapshotConfiguration/FileGroups/0/Files/0";
    for (request, message) in [
        (wrong("/SnapshotJobId", json!("a b")), "SnapshotJobId must be 1 to 512 of [\\w-]"),
        (wrong("/UserConfiguration/AnonymousUsers", json!([])), "AnonymousUsers must have exactly one user"),
        (wrong(&format!("{group}/FormatType"), json!("CSV")), "a CSV takes exactly one visual"),
        (wrong(&format!("{group}/FormatType"), json!("HTML")), "FormatType must be PDF, CSV or EXCEL"),
    ] {
        let (status, kind, answer) = account.call(Method::POST, "d1/snapshot-jobs", Some(request)).await;
        assert_eq!(
            (status, kind.as_str(), &answer["Message"]),
            (400, "InvalidParameterValueException", &json!(message))
        );
    }
}

#[tokio::test]
async fn a_job_that_fails_says_why_and_a_lost_answer_started_a_job() {
    let account = Account::with_jobs_of(Duration::ZERO).await;
    let (status, kind, _) = account.start(Dashboard::LOSES_ANSWERS, "lost").await;
    assert_eq!((status, kind.as_str()), (500, "InternalFailureException"));
    assert_eq!(account.quicksight.counts().started, 1);
    account.start(Dashboard::FAILS, "fails").await;
    let result = format!("{}/snapshot-jobs/fails/result", Dashboard::FAILS);
    let give_up = std::time::Instant::now() + Duration::from_secs(60);
    let answer = loop {
        let (status, _, answer) = account.call(Method::GET, &result, None).await;
        if status == 200 {
            break answer;
        }
        assert!(std::time::Instant::now() < give_up, "{answer}");
    };
    assert_eq!((&answer["JobStatus"], &answer["ErrorInfo"]["ErrorType"]), (&json!("FAILED"), &json!("STAND_IN_ERROR")));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_throttled() {
    let account = Account::new(Duration::ZERO, 0).await;
    let (status, kind, _) = account.start("d1", "j").await;
    assert_eq!((status, kind.as_str()), (429, "ThrottlingException"));
    assert_eq!(account.quicksight.counts(), Counts { refused: 1, ..Counts::default() });
}
