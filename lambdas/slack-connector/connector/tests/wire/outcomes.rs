//! What becomes of a query after each answer that Slack may give to the call for a file, and S3 to the call that stores a block.

use std::path::Path;

use athena_federation::Error;
use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::{Value as Json, json};

use crate::world::{World, file, members, read};

const DAY: &str = "2026-11-10";

fn outcome(answer: Result<Json, Error>, calls: usize) -> String {
    match answer {
        Ok(_) if calls > 1 => "the rows are returned after another call".to_owned(),
        Ok(_) => "the rows are returned".to_owned(),
        Err(error) => format!("the query fails: {:?}", error.kind),
    }
}

async fn reads(case: &Case) -> String {
    let world = World::new().await;
    world.slack([case.answer.clone(), file(&members(DAY))]);
    let answer = world.invoke(read(DAY)).await;
    let calls = world.state().calls.len();
    outcome(answer, calls)
}

async fn stores(case: &Case) -> String {
    let world = World::new().await;
    world.slack([file(&members(DAY))]);
    world.state().puts.push_back(case.clone());
    let mut asked = read(DAY);
    asked["maxInlineBlockSize"] = json!("0");
    let answer = world.invoke(asked).await;
    let state = world.state();
    if answer.is_ok() && state.objects.is_empty() {
        // Nothing of the answer shows that it is not S3's. Athena does not find the block.
        assert_eq!(case.name, "200 with a page of a proxy");
        return "the query fails when Athena reads the rows".to_owned();
    }
    outcome(answer, state.put_calls)
}

#[tokio::test]
async fn each_answer_of_slack_and_s3_has_one_result() {
    let mut rows = Vec::new();
    for case in answers(Errors::Plain) {
        rows.push((format!("of Slack: {}", case.name), reads(&case).await));
    }
    for case in answers(Errors::Xml) {
        rows.push((format!("of S3: {}", case.name), stores(&case).await));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "What becomes of a query after each answer of Slack and S3", &rows);
}
