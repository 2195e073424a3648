//! What a caller receives when a service answers a call with each of some sixty answers, once.

use std::path::Path;

use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn each_answer_of_a_service_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for case in answers(Errors::Json) {
        let name = format!("DynamoDB, TransactWriteItems: {}", case.name);
        rows.push((name, submission(case).await));
    }
    for (call, name) in [
        ("GetItem", "DynamoDB, GetItem"),
        ("Scan", "DynamoDB, Scan"),
        ("GetSecretValue", "Secrets Manager, GetSecretValue"),
    ] {
        for case in answers(Errors::Json) {
            rows.push((format!("{name}: {}", case.name), read(call, case).await));
        }
    }
    for call in ["HeadObject", "ListObjectVersions", "DeleteObjects"] {
        for case in answers(Errors::Xml) {
            rows.push((format!("S3, {call}: {}", case.name), read(call, case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "report-api: one answer of a service, and what the caller receives", &rows);
}

/// The caller repeats the request with the same key while it is answered 503.
async fn submission(case: Case) -> String {
    let world = World::new().await;
    world.state().dynamo.once = Some(("TransactWriteItems", case));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let (status, _) = world.call(post(pdf(), json!({"Idempotency-Key": "order-1"}))).await;
        statuses.push(status.to_string());
        if status != 503 {
            break;
        }
    }
    let jobs = world.state().dynamo.jobs.len();
    assert_eq!((statuses.last().map(String::as_str), jobs), (Some("202"), 1), "one job is in the queue: {statuses:?}");
    format!("{}, {jobs} job", statuses.join(", then "))
}

/// The caller repeats a request about a completed job while it is answered 503.
async fn read(call: &'static str, case: Case) -> String {
    let world = World::new().await;
    for id in ["a", "b"] {
        world.call(post(pdf(), json!({"Idempotency-Key": id}))).await;
    }
    let id = world.state().dynamo.jobs.keys().next().unwrap().clone();
    let key = format!("t/acme/d1/{id}/a.pdf");
    world.end(&id, "COMPLETED", &[("files", json!([{"format": "PDF", "key": key}]).to_string())]);
    world.state().objects.push(key.clone());
    let event = match call {
        "HeadObject" => about("GET download_output", "d1", &id),
        "ListObjectVersions" | "DeleteObjects" => about("DELETE", "d1", &id),
        "GetItem" => about("GET describe_job", "d1", &id),
        _ => list(json!({})),
    };
    match call {
        "GetItem" | "Scan" => world.state().dynamo.once = Some((call, case)),
        _ => world.state().once = Some((call, case)),
    }
    // A page that is not the last one is sealed with a key.
    world.state().dynamo.page = 1;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let (status, _) = world.call(event.clone()).await;
        statuses.push(status.to_string());
        if status != 503 {
            break;
        }
    }
    assert!(world.state().once.is_none() && world.state().dynamo.once.is_none(), "the answer was given");
    statuses.join(", then ")
}
