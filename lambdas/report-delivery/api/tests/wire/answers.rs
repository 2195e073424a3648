//! What becomes of a submission when DynamoDB answers its write with each of some sixty answers, once.

use std::path::Path;

use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn each_answer_of_the_table_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for case in answers(Errors::Json) {
        let name = format!("DynamoDB, TransactWriteItems: {}", case.name);
        rows.push((name, submission(case).await));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "What becomes of a submission when its table answers once like this", &rows);
}

/// The caller repeats the request with the same key while it is answered 503.
async fn submission(case: Case) -> String {
    let world = World::new().await;
    world.state().dynamo.once = Some((case.answer, case.takes_effect));
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
