//! What the person with a link sees after each answer that a service may give once, and what is written.

use std::path::Path;

use loopback::answers::{Case, Errors, answers, check_table};

use crate::world::*;

/// The longest that a person clicks again.
const CLICKS: usize = 4;

/// A link is clicked again, half a minute later, until its page says that the quote is written.
async fn clicked(call: &'static str, case: &Case) -> String {
    let world = World::new().await;
    let link = world.token(&ROW);
    world.state().once = Some((call, case.clone()));
    let mut statuses = Vec::new();
    while statuses.last() != Some(&200) && statuses.len() < CLICKS {
        statuses.push(world.post(&link).await.status);
        world.pass(30);
    }
    assert!(world.state().once.is_none(), "the answer was given");
    assert_eq!((statuses.last(), world.statuses()), (Some(&200), vec!["generated".to_owned()]), "{}", case.name);
    let shown: Vec<String> = statuses.iter().map(u64::to_string).collect();
    format!("{}; one row", shown.join(", then "))
}

/// The page of a slow statement refreshes itself.
async fn refreshed(case: &Case) -> String {
    let world = World::new().await;
    world.state().looks = 1000;
    let address = world.post(&world.token(&ROW)).await.refresh();
    world.state().statements.values_mut().for_each(Statement::finish);
    world.state().once = Some(("GetItem", case.clone()));
    let first = world.status(&address).await.status;
    assert!(world.state().once.is_none(), "the answer was given");
    let last = world.status(&address).await.status;
    assert_eq!((last, world.statuses().len()), (200, 1), "{}", case.name);
    if first == 200 { "200; one row".to_owned() } else { format!("{first}, then {last}; one row") }
}

#[tokio::test]
async fn each_answer_of_a_service_leads_to_one_row() {
    let mut rows = Vec::new();
    for (call, name) in [
        ("GetSecretValue", "Secrets Manager, GetSecretValue"),
        ("the claim", "DynamoDB, the claim by PutItem"),
        ("the quote", "DynamoDB, the quote by PutItem"),
        ("ExecuteStatement", "Data API, ExecuteStatement"),
        ("the record of the statement", "DynamoDB, the record of the statement by PutItem"),
        ("DescribeStatement", "Data API, DescribeStatement"),
        ("the record of the end", "DynamoDB, the record of the end by PutItem"),
    ] {
        for case in answers(Errors::Json) {
            rows.push((format!("{name}: {}", case.name), clicked(call, &case).await));
        }
    }
    for case in answers(Errors::Json) {
        rows.push((format!("DynamoDB, GetItem: {}", case.name), refreshed(&case).await));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "write-back-api: one answer of a service, the statuses of the page, and what is written", &rows);
}
