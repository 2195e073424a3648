//! Requests whose submission was not recorded: the process died, or answers were lost.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::{ANNA, World, id};

/// A world in which Redshift has Anna's statement, and the record of it failed.
async fn unrecorded() -> World {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.faults("UpdateItem", &[Fault::Denies]);
    world.run("a=", &id(1)).await;
    assert_eq!((world.types("a="), world.statements()), (vec!["accepted".to_owned()], 1));
    assert_eq!(world.item(ANNA, &id(1), "state"), "pending");
    world
}

fn submitted(count: u32) -> Value {
    json!({"submitted": count, "failures": 0})
}

fn executed(world: &World) -> usize {
    world.state().warehouse.calls.iter().filter(|call| *call == "ExecuteStatement").count()
}

#[tokio::test]
async fn a_statement_that_was_not_recorded_is_found_by_its_client_token() {
    let world = unrecorded().await;
    assert_eq!(world.hand_in().await, submitted(0), "the run that submits it may still be at work");
    world.pass(30);
    assert_eq!(world.hand_in().await, submitted(1));
    assert_eq!((world.statements(), executed(&world)), (1, 2));
    assert_eq!(world.item(ANNA, &id(1), "state"), "running");
    assert_eq!(world.hand_in().await, submitted(0));
    world.ends(0).await;
    assert_eq!(world.types("a="), ["rows"]);
}

#[tokio::test]
async fn its_event_is_reported_however_late_it_is() {
    let world = unrecorded().await;
    for _ in 0..10 {
        world.pass(60);
        world.sweep().await;
    }
    world.ends(0).await;
    assert_eq!(world.types("a="), ["rows"]);
    assert!(!world.kinds().contains_key("user slot"));
}

#[tokio::test]
async fn a_statement_that_was_not_recorded_is_cancelled_once_it_is_known() {
    for is_asked in [true, false] {
        let world = unrecorded().await;
        if is_asked {
            world.say("a=", json!({"action": "cancel", "requestId": id(1)})).await;
        } else {
            world.disconnect("a=", 1000).await;
        }
        world.pass(60);
        world.sweep().await;
        assert_eq!(world.item(ANNA, &id(1), "state"), "pending", "it is unknown whether there is something to cancel");
        world.hand_in().await;
        assert_eq!((world.statement(0, |statement| statement.cancels), world.statements()), (1, 1));
        let event = world.statement(0, |statement| statement.event("ABORTED"));
        world.finished(event).await.unwrap();
        assert_eq!(world.item(ANNA, &id(1), "state"), "cancelled");
        assert!(!world.kinds().contains_key("user slot"));
    }
}

#[tokio::test]
async fn a_submission_without_any_answer_stays_open_until_one_arrives() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    // Each attempt reaches Redshift, and every answer is lost.
    world.state().warehouse.lost_answers = usize::MAX;
    world.run("a=", &id(1)).await;
    world.pass(60);
    assert_eq!(world.hand_in().await, submitted(1));
    world.sweep().await;
    assert_eq!((world.types("a="), world.statements()), (vec!["accepted".to_owned()], 1));
    assert_eq!(world.item(ANNA, &id(1), "state"), "pending");
    world.state().warehouse.lost_answers = 0;
    world.pass(60);
    world.hand_in().await;
    world.ends(0).await;
    assert_eq!(world.types("a="), ["rows"]);
}

#[tokio::test]
async fn a_run_that_died_before_the_submission_is_finished_by_a_later_run() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    // The message that it was accepted cannot be sent, and the run continues.
    world.state().posts.extend([(403, "ForbiddenException")]);
    world.run("a=", &id(1)).await;
    assert_eq!((world.statements(), world.types("a=")), (1, vec![]));
    let key = (format!("request#{}", queries::Request::key(ANNA, &id(1))), "request".to_owned());
    {
        let mut state = world.state();
        state.warehouse.statements.clear();
        let item = state.dynamo.items.get_mut(&key).unwrap();
        item["state"] = json!({"S": "pending"});
        item.as_object_mut().unwrap().remove("statement");
    }
    world.pass(60);
    world.hand_in().await;
    world.ends(0).await;
    assert_eq!(world.types("a="), ["rows"]);
}

#[tokio::test]
async fn a_refusal_of_the_second_submission_is_reported_to_who_waits() {
    for (status, code, message, expected) in [
        (400, "ValidationException", "no", "failed"),
        (400, "ValidationException", "the workgroup is paused", "unavailable"),
    ] {
        let world = World::new().await;
        world.connect(ANNA, "a=").await;
        let busy = (500, "InternalServerException", "no");
        world.state().warehouse.refusals.insert("ExecuteStatement", [busy, busy, busy, (status, code, message)].into());
        world.run("a=", &id(1)).await;
        assert_eq!(world.types("a="), ["accepted"]);
        world.pass(60);
        world.hand_in().await;
        assert_eq!(world.received("a=")[0]["code"], expected);
        assert!(!world.kinds().contains_key("user slot"));
    }
}

#[tokio::test]
async fn nothing_is_submitted_again_after_its_time_or_with_other_sql() {
    let world = World::with(&[("QUERIES", "s3://files/q/")]).await;
    let file = |number: u32| format!("-- name: own\n-- title: Own\n-- description: D\nselect {number} as one");
    world.state().files.insert("q/own.sql".to_owned(), file(1));
    world.connect(ANNA, "a=").await;
    world.state().warehouse.lost_answers = usize::MAX;
    world.say("a=", json!({"action": "run", "requestId": id(1), "query": "own"})).await;
    let before = executed(&world);
    world.state().files.insert("q/own.sql".to_owned(), file(2));
    world.pass(301);
    world.hand_in().await;
    assert_eq!(executed(&world), before, "the query has changed");
    world.state().files.insert("q/own.sql".to_owned(), file(1));
    world.pass(600);
    world.hand_in().await;
    assert_eq!(executed(&world), before, "its time is over");
    world.received("a=");
    world.sweep().await;
    assert_eq!(world.received("a=")[0]["code"], "unavailable");
    assert!(!world.kinds().contains_key("user slot"));
}
