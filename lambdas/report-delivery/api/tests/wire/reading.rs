//! What is reported about jobs, and to whom.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::world::*;

#[tokio::test]
async fn a_queued_job_is_described_in_the_published_form() {
    let world = World::new().await;
    let id = world.job().await;
    let (status, body) = world.call(about("GET describe_job", "d1", &id)).await;
    assert_eq!(status, 200);
    let expected = json!({
        "Arn": format!("arn:aws:quicksight:eu-west-1:111122223333:dashboard/d1/snapshot-job/{id}"),
        "AwsAccountId": "111122223333", "DashboardId": "d1", "SnapshotJobId": id, "JobStatus": "QUEUED", "Status": 200,
        "CreatedTime": 1_765_307_746.0, "LastUpdatedTime": 1_765_307_746.0, "Parameters": {},
        "UserConfiguration": {"AnonymousUsers": [{"RowLevelPermissionTagKeys": ["tenant"]}]},
        "SnapshotConfiguration": {
            "FileGroups": [{"Files": [{
                "SheetSelections": [{"SheetId": "s1", "SelectionScope": "ALL_VISUALS"}], "FormatType": "PDF",
            }]}],
            "DestinationConfiguration": {"S3Destinations": [{"BucketConfiguration": {
                "BucketName": "reports", "BucketPrefix": format!("t/acme/d1/{id}/"), "BucketRegion": "eu-west-1",
            }}]},
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_running_job_has_neither_result_nor_file() {
    let world = World::new().await;
    let id = world.job().await;
    for state in ["QUEUED", "STARTING", "RUNNING"] {
        world.end(&id, state, &[]);
        for what in ["GET describe_job_result", "GET download_output"] {
            assert_eq!(world.refused(about(what, "d1", &id)).await.0, 409, "{what} while {state}");
        }
    }
    world.end(&id, "FAILED", &[]);
    assert_eq!(world.refused(about("GET download_output", "d1", &id)).await.0, 409);
    assert_eq!(world.call(about("GET describe_job_result", "d1", &id)).await.1["JobStatus"], "FAILED");
}

#[tokio::test]
async fn each_file_of_a_job_can_be_downloaded_and_a_missing_one_is_gone() {
    let world = World::new().await;
    let id = world.job().await;
    world.complete(&id, &["1.pdf", "2.pdf"]);
    let mut event = about("GET download_output", "d1", &id);
    event["queryStringParameters"] = json!({"file": "2"});
    let (status, body) = world.call(event.clone()).await;
    assert_eq!((status, &body["files"], &body["Result"], &body["Arn"]), (200, &json!(2), &json!(null), &json!(null)));
    assert!(body["presignedUrl"].as_str().unwrap().contains(&format!("/reports/t/acme/d1/{id}/2.pdf?")));
    for (file, status) in [("3", 404), ("0", 400), ("-1", 400), ("x", 400)] {
        event["queryStringParameters"] = json!({"file": file});
        assert_eq!(world.refused(event.clone()).await.0, status, "{file}");
    }
    world.state().objects.clear();
    assert_eq!(world.refused(about("GET download_output", "d1", &id)).await.0, 410);
}

#[tokio::test]
async fn a_file_outside_the_jobs_prefix_is_not_signed() {
    let world = World::new().await;
    let id = world.job().await;
    let files = json!([{"format": "PDF", "key": "t/globex/d1/x/secret.pdf"}]).to_string();
    world.end(&id, "COMPLETED", &[("files", files)]);
    world.state().objects.push("t/globex/d1/x/secret.pdf".to_owned());
    assert_eq!(world.refused(about("GET download_output", "d1", &id)).await.0, 503);
}

#[tokio::test]
async fn an_address_is_valid_for_as_long_as_the_settings_say() {
    let world = World::with(&[("URL_SECONDS", "60")]).await;
    let id = world.job().await;
    world.complete(&id, &["1.pdf"]);
    let (_, body) = world.call(about("GET download_output", "d1", &id)).await;
    assert!(body["presignedUrl"].as_str().unwrap().contains("X-Amz-Expires=60&"));
}

#[tokio::test]
async fn an_unknown_expired_or_foreign_job_is_the_same_404() {
    let tags = r#"[{"key":"customer","claim":"customer"}]"#;
    let world = World::with(&[("ROW_LEVEL_TAGS", tags)]).await;
    let as_caller = |mut event: Value, customer: &str| {
        event["requestContext"]["authorizer"] = json!({"customer": customer});
        event
    };
    let (_, answer) = world.call(as_caller(post(pdf(), json!({})), "canary-claim-a")).await;
    let id = answer["SnapshotJobId"].as_str().unwrap().to_owned();
    world.complete(&id, &["1.pdf"]);
    let ways = ["GET describe_job", "GET describe_job_result", "GET download_output", "DELETE"];
    let mut answers = BTreeSet::new();
    for what in ways {
        answers.insert(world.refused(as_caller(about(what, "d1", &id), "canary-claim-b")).await);
        answers.insert(world.refused(as_caller(about(what, "d1", "PDF_0"), "canary-claim-a")).await);
        answers.insert(world.refused(as_caller(about(what, "d2", &id), "canary-claim-a")).await);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 404);
    let (_, body) = world.call(as_caller(list(json!(null)), "canary-claim-b")).await;
    assert_eq!(body["Items"], json!([]));
    assert_eq!(world.call(as_caller(about("GET describe_job", "d1", &id), "canary-claim-a")).await.0, 200);
    world.state().dynamo.jobs.get_mut(&id).unwrap()["expires"] = json!({"N": "1765307746"});
    assert_eq!(world.refused(as_caller(about("GET describe_job", "d1", &id), "canary-claim-a")).await.0, 404);
}

#[tokio::test]
async fn a_list_of_250_jobs_has_each_once_whatever_the_query() {
    let world = World::new().await;
    let mut ids = BTreeSet::new();
    for _ in 0..250 {
        ids.insert(world.job().await);
    }
    for query in [json!({"dashboardId": "d1"}), json!({})] {
        let mut seen = Vec::new();
        let mut query = query.clone();
        let mut pages = 0;
        loop {
            let (status, body) = world.call(list(query.clone())).await;
            assert_eq!(status, 200, "{body}");
            pages += 1;
            let items = body["Items"].as_array().unwrap();
            assert_eq!(body["Count"], items.len());
            seen.extend(items.iter().map(|item| item["jobId"].as_str().unwrap().to_owned()));
            match body["NextToken"].as_str() {
                Some(token) => query["nextToken"] = json!(token),
                None => break,
            }
        }
        assert_eq!((pages, seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (3, 250, ids.clone()));
    }
    assert_eq!(world.state().secret_reads, 1, "the key is kept");
}

#[tokio::test]
async fn a_page_token_is_only_valid_for_its_list_tenant_and_hour() {
    let world = World::new().await;
    world.state().dynamo.page = 1;
    for _ in 0..3 {
        world.job().await;
    }
    let (_, body) = world.call(list(json!({"dashboardId": "d1"}))).await;
    let token = body["NextToken"].as_str().unwrap().to_owned();
    let mut forged =
        vec![String::from("x"), "!".repeat(10), "A".repeat(5000), format!("{token}A"), format!("{token}=")];
    for at in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        forged.push(String::from_utf8(bytes).unwrap());
    }
    for forged in forged {
        assert_eq!(status(&world, json!({"dashboardId": "d1", "nextToken": forged})).await, 400);
    }
    for query in [json!({"nextToken": token}), json!({"dashboardId": "d2", "nextToken": token})] {
        assert_eq!(status(&world, query).await, 400);
    }
    let other = World::sharing(world.state.clone(), &[("TENANT", "globex")]).await;
    let good = json!({"dashboardId": "d1", "nextToken": token});
    assert_eq!(status(&other, good.clone()).await, 400);
    world.time.pass(Duration::from_secs(3599));
    assert_eq!(status(&world, good.clone()).await, 200);
    world.time.pass(Duration::from_secs(1));
    assert_eq!(status(&world, good).await, 400);
}

#[tokio::test]
async fn a_page_token_does_not_show_where_the_page_ends() {
    let tags = r#"[{"key":"customer","claim":"customer"}]"#;
    let world = World::with(&[("ROW_LEVEL_TAGS", tags)]).await;
    world.state().dynamo.page = 1;
    let as_caller = |mut event: Value, customer: &str| {
        event["requestContext"]["authorizer"] = json!({"customer": customer});
        event
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (_, answer) = world.call(as_caller(post(pdf(), json!({})), "canary-claim-a")).await;
        ids.push(answer["SnapshotJobId"].as_str().unwrap().to_owned());
    }
    let (_, body) = world.call(as_caller(list(json!({})), "canary-claim-b")).await;
    let token = body["NextToken"].as_str().unwrap();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(ids.iter().all(|id| !text.contains(id.as_str())), "{text}");
}

#[tokio::test]
async fn an_arn_is_of_the_partition_that_the_function_runs_in() {
    let world = World::with(&[("PARTITION", "aws-cn")]).await;
    let id = world.job().await;
    let (_, body) = world.call(about("GET describe_job", "d1", &id)).await;
    assert!(body["Arn"].as_str().unwrap().starts_with("arn:aws-cn:quicksight:"));
}

#[tokio::test]
async fn a_job_says_what_became_of_its_deliveries() {
    let world = World::new().await;
    let id = world.job().await;
    world.complete(&id, &["1.pdf"]);
    for (attribute, recorded, name, expected) in [
        ("mail", "FAILED MessageRejected", "email", json!({"Status": "FAILED", "ErrorType": "MessageRejected"})),
        ("mail", "UNKNOWN 1765307740000", "email", json!({"Status": "UNKNOWN"})),
        ("mail", "TRYING 1765307740000 run", "email", json!({"Status": "UNKNOWN"})),
        ("mail", "TRYING 1765307750000 run", "email", json!({"Status": "SENDING"})),
        ("mail", "WAITING Throttling", "email", json!({"Status": "WAITING", "ErrorType": "Throttling"})),
        ("partner", "SENT 1765307740000", "partner_bucket", json!({"Status": "SENT", "Time": 1_765_307_740.0})),
        ("sftp", "TRYING 1765307740000 run", "sftp", json!({"Status": "SENDING"})),
        ("sftp", "nonsense", "sftp", json!({"Status": "FAILED", "ErrorType": "UNREADABLE"})),
    ] {
        world.end(&id, "COMPLETED", &[(attribute, recorded.to_owned())]);
        let (_, body) = world.call(about("GET describe_job", "d1", &id)).await;
        assert_eq!(body["Deliveries"][name], expected, "{recorded}");
    }
}

/// The status of a list's response.
async fn status(world: &World, query: Value) -> Value {
    world.invoke(&list(query).to_string()).await.unwrap()["statusCode"].clone()
}

#[tokio::test]
async fn a_deletion_removes_the_job_and_its_files_and_can_be_repeated() {
    let world = World::new().await;
    let (id, kept) = (world.job().await, world.job().await);
    world.complete(&id, &["1.pdf", "2.pdf"]);
    world.complete(&kept, &["1.pdf"]);
    let (status, body) = world.call(about("DELETE", "d1", &id)).await;
    assert_eq!((status, body), (200, json!({"message": "Snapshot job deleted successfully"})));
    assert_eq!(world.state().objects, [format!("t/acme/d1/{kept}/1.pdf")]);
    assert_eq!(world.call(about("DELETE", "d1", &id)).await, (204, Value::Null));
    assert_eq!(world.refused(about("GET describe_job", "d1", &id)).await.0, 404);
    let (_, body) = world.call(list(json!({}))).await;
    assert_eq!((body["Count"].clone(), body["Items"][0]["jobId"].clone()), (json!(1), json!(kept)));
}

#[tokio::test]
async fn a_waiting_job_can_be_deleted_and_one_that_quicksight_may_have_cannot() {
    let world = World::new().await;
    let id = world.job().await;
    for state in ["STARTING", "RUNNING"] {
        world.end(&id, state, &[]);
        assert_eq!(world.refused(about("DELETE", "d1", &id)).await.0, 409, "{state}");
    }
    world.end(&id, "FAILED", &[("slot", "slot#0".to_owned())]);
    assert_eq!(world.refused(about("DELETE", "d1", &id)).await.0, 409, "it was given up and may still run");
    let id = world.job().await;
    assert_eq!(world.call(about("DELETE", "d1", &id)).await.0, 200);
    let state = world.state();
    assert_eq!((state.dynamo.job(&id, "open"), state.dynamo.job(&id, "request")), (json!(null), json!(null)));
}

#[tokio::test]
async fn the_key_of_a_deleted_job_starts_no_new_job() {
    let world = World::new().await;
    let key = json!({"Idempotency-Key": "order-1"});
    let (_, answer) = world.call(post(pdf(), key.clone())).await;
    let id = answer["SnapshotJobId"].as_str().unwrap().to_owned();
    assert_eq!(world.call(about("DELETE", "d1", &id)).await.0, 200);
    assert_eq!(world.refused(post(pdf(), key)).await.0, 409);
}

#[tokio::test]
async fn a_list_shows_the_published_fields() {
    let world = World::new().await;
    let id = world.job().await;
    world.complete(&id, &["1.pdf"]);
    let (_, body) = world.call(list(json!({"dashboardId": "d1"}))).await;
    let fields: Vec<&String> = body["Items"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "completedTime",
            "createdTime",
            "dashboardId",
            "jobId",
            "jobStatus",
            "outputDestination",
            "outputFormat",
            "outputLocation",
            "parameters",
            "sheetId",
            "timestamp",
            "visualId",
        ]
    );
    assert_eq!((&body["ScannedCount"], &body["NextToken"]), (&json!(1), &json!(null)));
}
