//! What CloudFormation receives after each answer that S3 may give once.

use std::path::Path;
use std::sync::{Arc, Mutex};

use loopback::Request;
use loopback::answers::{Case, Errors, answers, check_table};

use crate::world::*;

const FILES: [(&str, &str); 2] = [("index.html", "<head><title>Query</title>"), ("icon.svg", "<svg/>")];

/// Whether a request is this call.
fn is_call(call: &str, request: &Request) -> bool {
    match call {
        "PutObject" => request.method == "PUT" && !request.target.starts_with("/answer"),
        "ListObjectsV2" => request.method == "GET",
        "DeleteObject" => request.method == "DELETE",
        other => panic!("{other} is not a call to S3"),
    }
}

/// The page is published, or removed, while one call is answered like this.
async fn published(call: &'static str, case: Case) -> String {
    let once = Arc::new(Mutex::new(Some(case.answer)));
    let left = once.clone();
    let world = World::with(&FILES, move |request| {
        let mut once = once.lock().unwrap();
        if is_call(call, request) { once.take() } else { None }
    })
    .await;
    let (kind, id) = if call == "PutObject" { ("Create", None) } else { ("Delete", Some(ID)) };
    world.put("index.html");
    let [status, _, reason] = world.answer(event(kind, id)).await;
    assert!(left.lock().unwrap().is_none(), "the answer was given");
    match status.as_str() {
        "SUCCESS" => "the stack continues".to_owned(),
        _ => {
            assert!(!reason.is_empty());
            "the stack is rolled back with the reason".to_owned()
        }
    }
}

#[tokio::test]
async fn each_answer_of_s3_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for call in ["PutObject", "ListObjectsV2", "DeleteObject"] {
        for case in answers(Errors::Xml) {
            rows.push((format!("S3, {call}: {}", case.name), published(call, case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "query-site: one answer of a service, and what becomes of the stack", &rows);
}
