//! What becomes of a request after each answer that a service may give once, in the tables `ANSWERS.md` of the functions.

use std::path::Path;

use loopback::answers::{Case, Errors, answers, check_table};
use serde_json::{Value, json};

use crate::world::{ANNA, World, id};

/// Compares the rows of all calls of a function with its table.
async fn check(function: &str, title: &str, calls: &[&'static str]) {
    let mut rows = Vec::new();
    for call in calls {
        for case in answers(Errors::Json) {
            let name = format!("{call}: {}", case.name);
            let outcome = match function {
                "socket" => submitted(call, case).await,
                "finished" => ended(call, case).await,
                _ => fetched(call, case).await,
            };
            rows.push((name, outcome));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../{function}/ANSWERS.md"));
    check_table(&path, title, &rows);
}

#[tokio::test]
async fn what_becomes_of_a_request_after_each_answer_to_the_socket() {
    let calls = ["ExecuteStatement", "TransactWriteItems", "UpdateItem", "PostToConnection"];
    check("socket", "query-socket: one answer of a service, and what becomes of the request", &calls).await;
}

#[tokio::test]
async fn what_becomes_of_an_end_after_each_answer_to_the_run_that_reports_it() {
    let calls = ["DescribeStatement", "PostToConnection", "UpdateItem"];
    check("finished", "query-finished: one answer of a service, and what becomes of the end of a query", &calls).await;
}

#[tokio::test]
async fn what_becomes_of_a_page_after_each_answer_to_the_api() {
    let calls = ["GetStatementResult", "GetItem"];
    check("results", "query-results: one answer of a service, and what the caller receives", &calls).await;
}

/// The browser sends a request again if it hears nothing; both sweeps run afterwards, then the statement ends.
async fn submitted(call: &'static str, case: Case) -> String {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.script(call, case);
    let event = json!({
        "requestContext": {"eventType": "MESSAGE", "connectionId": "a="},
        "body": crate::world::run(&id(1)).to_string(),
    });
    let first = world.socket(event.clone()).await;
    let mut received = world.received_if_connected("a=");
    let mut steps = Vec::new();
    if let Some(error) = received.iter().find(|message| message["type"] == "error") {
        steps.push(format!("the user is shown `{}`", error["code"].as_str().unwrap()));
    } else if received.is_empty() {
        steps.push(if first.is_ok() { "not accepted at once" } else { "the run fails" }.to_owned());
        world.socket(event).await.unwrap();
        received = world.received_if_connected("a=");
    }
    let is_recorded = |world: &World| world.item(ANNA, &id(1), "state") != "pending";
    if !is_recorded(&world) && !world.item(ANNA, &id(1), "open").is_null() {
        world.pass(60);
        world.hand_in().await;
        steps.push("submitted again by the sweep".to_owned());
    }
    world.sweep().await;
    assert!(world.statements() <= 1, "no request is two statements");
    if world.statements() == 1 {
        let event = world.statement(0, |statement| {
            statement.finish(&[&[&[json!(1)]]]);
            statement.event("FINISHED")
        });
        world.finished(event).await.unwrap();
    }
    received.extend(world.received_if_connected("a="));
    steps.push(last(&world, &received));
    assert!(!world.kinds().contains_key("user slot"), "no place is lost");
    steps.join(", ")
}

/// The event is delivered again if its run fails; a sweep runs last.
async fn ended(call: &'static str, case: Case) -> String {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world.received("a=");
    let event = world.statement(0, |statement| {
        statement.finish(&[&[&[json!(1)]]]);
        statement.event("FINISHED")
    });
    world.script(call, case);
    let mut steps = Vec::new();
    if let Err(error) = world.finished(event.clone()).await {
        steps.push(format!("the run fails as {}", error.name()));
        world.pass(61);
        if world.finished(event).await.is_err() {
            world.pass(61);
            world.sweep().await;
        }
    }
    let received = world.received_if_connected("a=");
    steps.push(last(&world, &received));
    assert!(!world.kinds().contains_key("user slot"), "no place is lost");
    steps.join(", ")
}

/// The page asks again if the service is unavailable.
async fn fetched(call: &'static str, case: Case) -> String {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world.ends(0).await;
    world.script(call, case);
    let target = format!("/requests/{}/rows", id(1));
    let answer = |answer: Value| match answer["body"]["code"].as_str() {
        Some(code) => format!("{} `{code}`", answer["statusCode"]),
        None => format!("{} with the rows", answer["statusCode"]),
    };
    let first = world.call(ANNA, "GET", &target).await;
    let is_passing = first["statusCode"].as_u64() >= Some(500);
    let mut steps = vec![answer(first)];
    if is_passing {
        steps.push(format!("then {}", answer(world.call(ANNA, "GET", &target).await)));
    }
    steps.join(", ")
}

/// The state in which a request is left, and what its browser heard of it.
fn last(world: &World, received: &[Value]) -> String {
    let state = world.item(ANNA, &id(1), "state");
    let is_open = !world.item(ANNA, &id(1), "open").is_null();
    let is_heard = received
        .iter()
        .any(|message| matches!(message["type"].as_str(), Some("rows" | "ready" | "error" | "cancelled")));
    match state.as_str() {
        None => "nothing was started".to_owned(),
        Some(state) if is_open => panic!("the request is left {state} although nothing is wrong any longer"),
        Some(state) => format!("{state}, {}", if is_heard { "reported" } else { "kept for the next connection" }),
    }
}
