//! What becomes of a query after each answer that Slack may give to the call for a file, S3 to the calls for the stored file and for
//! blocks, and DynamoDB to a claim.

use std::path::Path;

use athena_federation::Error;
use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::{Value as Json, json};

use crate::fakes::error;
use crate::world::{World, file, gzip, members, read};

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

/// The first or the second call for the stored file of a day: it is looked for, and then stored.
async fn files(case: &Case, stores: bool) -> String {
    let world = World::new().await;
    world.slack([file(&members(DAY))]);
    if stores {
        let absent = Case { name: String::new(), answer: error(404, "NoSuchKey"), takes_effect: false };
        world.state().file_answers.push_back(absent);
    }
    world.state().file_answers.push_back(case.clone());
    let answer = world.invoke(read(DAY)).await;
    let calls = world.state().calls.len();
    assert!(world.stored(DAY).is_none_or(|bytes| bytes == gzip(members(DAY).as_bytes())));
    let is_stored = if world.stored(DAY).is_some() { "stored" } else { "not stored" };
    format!("{}; the file is {is_stored}", outcome(answer, calls))
}

/// The claim of a day.
async fn claims(case: &Case) -> String {
    let world = World::new().await;
    world.slack([file(&members(DAY))]);
    world.state().turn_answers.push_back(case.clone());
    let answer = world.invoke(read(DAY)).await;
    let calls = world.state().calls.len();
    outcome(answer, calls)
}

#[tokio::test]
async fn each_answer_of_slack_s3_and_dynamodb_has_one_result() {
    let mut rows = Vec::new();
    for case in answers(Errors::Plain) {
        rows.push((format!("of Slack: {}", case.name), reads(&case).await));
    }
    for case in answers(Errors::Xml) {
        rows.push((format!("of S3 to storing a block: {}", case.name), stores(&case).await));
    }
    for case in answers(Errors::Xml) {
        rows.push((format!("of S3 to the request for the stored file: {}", case.name), files(&case, false).await));
    }
    for case in answers(Errors::Xml) {
        rows.push((format!("of S3 to storing the file: {}", case.name), files(&case, true).await));
    }
    for case in answers(Errors::Json) {
        rows.push((format!("of DynamoDB to a claim: {}", case.name), claims(&case).await));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "What becomes of a query after each answer of Slack, S3 and DynamoDB", &rows);
}
