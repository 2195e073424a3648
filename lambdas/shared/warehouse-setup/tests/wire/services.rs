//! What becomes of a stack after each answer that the Data API, or CloudFormation's bucket, may give once.

use std::path::Path;
use std::sync::{Arc, Mutex};

use loopback::Request;
use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::Value;

use crate::probe::{create, world_with};

/// Whether a request is this call.
fn is_call(call: &str, request: &Request) -> bool {
    match call {
        "PUT" => request.method == "PUT",
        call => request.header("x-amz-target").ends_with(call),
    }
}

/// A warehouse is set up while one call is answered like this.
async fn set_up(call: &'static str, case: Case) -> String {
    let once = Arc::new(Mutex::new(Some(case.answer)));
    let left = once.clone();
    let world =
        world_with(move |_, request| if is_call(call, request) { once.lock().unwrap().take() } else { None }).await;
    let mut runs = 1;
    // Lambda delivers an event that fails again.
    while let Err(error) = world.handle(create()).await {
        runs += 1;
        assert!(runs <= 3, "{}: {error}", case.name);
    }
    assert!(left.lock().unwrap().is_none(), "the answer was given");
    let again = if runs > 1 { format!(" by run {runs}") } else { String::new() };
    let put = world.put().pop().expect("a response was sent");
    let response: Value = serde_json::from_str(&put.body).unwrap();
    match response["Status"].as_str() {
        Some("SUCCESS") => format!("the stack continues{again}"),
        _ => format!("the stack is rolled back with the reason{again}"),
    }
}

#[tokio::test]
async fn each_answer_of_a_service_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for call in ["ExecuteStatement", "DescribeStatement"] {
        // Whether it took effect makes no difference: the same client token is the same statement.
        for case in answers(Errors::Json).into_iter().filter(|case| !case.takes_effect) {
            rows.push((format!("Data API, {call}: {}", case.name), set_up(call, case).await));
        }
    }
    for case in answers(Errors::Plain).into_iter().filter(|case| !case.takes_effect) {
        rows.push((format!("CloudFormation, the response: {}", case.name), set_up("PUT", case).await));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    let title = "write-back-setup and query-app-setup: one answer of a service, and what becomes of the stack";
    check_table(&path, title, &rows);
}
