//! Connections that are lost and return, and ends that no event reported.

use serde_json::{Value, json};

use crate::world::{ANNA, BERT, World, id};

const SWEPT_NOTHING: &str = r#"{"failures":0,"notified":0,"seen":0}"#;

fn resume(request: u32, seq: i64) -> Value {
    json!({"action": "resume", "requestId": id(request), "seq": seq})
}

async fn running() -> World {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world
}

fn cancels(world: &World, number: usize) -> usize {
    world.statement(number, |statement| statement.cancels)
}

#[tokio::test]
async fn a_page_that_closes_cancels_only_its_own_statements() {
    let world = running().await;
    world.state().dynamo.page = 1;
    world.run("a=", &id(2)).await;
    world.connect(ANNA, "a2=").await;
    world.connect(BERT, "b=").await;
    world.run("b=", &id(1)).await;
    world.disconnect("a=", 1000).await;
    assert_eq!([cancels(&world, 0), cancels(&world, 1), cancels(&world, 2)], [1, 1, 0]);
    let kinds = world.kinds();
    assert_eq!((kinds["connection connection"], kinds["connection request"]), (2, 1), "{kinds:?}");
    world.ends(2).await;
    assert_eq!(world.types("b="), ["accepted", "rows"]);
    // API Gateway may repeat the event.
    world.disconnect("a=", 1000).await;
    assert_eq!([cancels(&world, 0), cancels(&world, 1), cancels(&world, 2)], [1, 1, 0]);
    for number in [0, 1] {
        let event = world.statement(number, |statement| statement.event("ABORTED"));
        world.finished(event).await.unwrap();
    }
    assert_eq!(world.item(ANNA, &id(1), "state"), "cancelled");
    assert!(!world.kinds().contains_key("user slot"));
}

#[tokio::test]
async fn a_page_that_returns_continues_whether_its_old_connection_ends_before_or_after() {
    for goes_first in [true, false] {
        let world = running().await;
        if goes_first {
            world.disconnect("a=", 1006).await;
        }
        world.pass(50);
        world.connect(ANNA, "a2=").await;
        world.say("a2=", resume(1, -1)).await;
        if !goes_first {
            world.disconnect("a=", 1000).await;
        }
        world.pass(100);
        world.sweep().await;
        assert_eq!(cancels(&world, 0), 0, "goes first: {goes_first}");
        world.ends(0).await;
        assert_eq!(world.types("a2="), ["accepted", "rows"]);
    }
}

#[tokio::test]
async fn an_abandoned_statement_is_cancelled_after_a_minute() {
    for code in [1001, 1005, 1006] {
        let world = running().await;
        world.disconnect("a=", code).await;
        world.pass(59);
        world.sweep().await;
        assert_eq!(cancels(&world, 0), 0);
        world.pass(1);
        world.sweep().await;
        assert_eq!(cancels(&world, 0), 1);
        assert_eq!(world.item(ANNA, &id(1), "state"), "cancelled");
    }
}

#[tokio::test]
async fn a_resume_wins_over_a_sweep_with_a_stale_index() {
    let world = running().await;
    world.disconnect("a=", 1006).await;
    world.pass(61);
    // The index still lists it as abandoned; the table has it bound again.
    let key = queries::Request::key(ANNA, &id(1));
    let stale = world.state().dynamo.items[&(format!("request#{key}"), "request".to_owned())].clone();
    world.connect(ANNA, "a2=").await;
    world.say("a2=", resume(1, -1)).await;
    assert!(stale.get("alone").is_some());
    assert_eq!(world.table().cancelled(&key, queries::Cause::Alone).await, Ok(None));
    world.sweep().await;
    assert_eq!(cancels(&world, 0), 0);
}

#[tokio::test]
async fn a_resume_after_the_end_gets_the_parts_that_are_missing() {
    let world = running().await;
    world.ends(0).await;
    world.connect(ANNA, "a2=").await;
    world.connect(BERT, "b=").await;
    for seq in [-1, 0, -7, i64::from(i32::MAX)] {
        world.say("a2=", resume(1, seq)).await;
        assert_eq!(world.types("a2="), ["rows"], "a result of one part is sent whole");
    }
    world.say("b=", resume(1, -1)).await;
    assert_eq!(world.received("b=")[0]["code"], "unknown-request");
    world.say("a2=", resume(7, -1)).await;
    assert_eq!(world.received("a2=")[0]["code"], "unknown-request");
    world.pass(48 * 60 * 60);
    world.connect(ANNA, "a3=").await;
    world.say("a3=", resume(1, -1)).await;
    assert_eq!(world.received("a3=")[0]["code"], "unknown-request");
}

#[tokio::test]
async fn a_missing_event_is_replaced_by_the_sweep() {
    let world = running().await;
    world.statement(0, |statement| statement.finish(&[&[&[json!("late")]]]));
    world.pass(19);
    assert_eq!(world.sweep().await.to_string(), SWEPT_NOTHING);
    world.pass(1);
    assert_eq!(world.sweep().await, json!({"seen": 1, "notified": 1, "failures": 0}));
    assert_eq!(world.types("a="), ["accepted", "rows"]);
    assert_eq!(world.sweep().await.to_string(), SWEPT_NOTHING);
}

#[tokio::test]
async fn a_sweep_reads_all_pages_and_skips_what_cannot_be_reported() {
    let world = World::with(&[("CONCURRENT", "5")]).await;
    world.state().dynamo.page = 2;
    world.connect(ANNA, "a=").await;
    for number in 0..5 {
        world.run("a=", &id(number)).await;
        world.statement(number as usize, |statement| statement.finish(&[&[&[json!(number)]]]));
    }
    world.pass(20);
    world.received("a=");
    world.state().posts.push_back((403, "ForbiddenException"));
    assert_eq!(world.sweep().await, json!({"seen": 5, "notified": 4, "failures": 1}));
    assert_eq!(world.sweep().await, json!({"seen": 1, "notified": 1, "failures": 0}));
    assert_eq!(world.types("a=").len(), 5);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_and_reported() {
    let world = World::with(&[("STATEMENT_SECONDS", "100")]).await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world.pass(100);
    world.sweep().await;
    assert_eq!(cancels(&world, 0), 0);
    world.pass(1);
    world.sweep().await;
    let received = world.received("a=");
    assert_eq!((cancels(&world, 0), &received[1]["code"], received.len()), (1, &json!("timed-out"), 2));
}

#[tokio::test]
async fn a_statement_that_cannot_be_cancelled_is_finally_given_up() {
    let world = World::with(&[("STATEMENT_SECONDS", "100")]).await;
    world.state().warehouse.is_stubborn = true;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world.pass(700);
    world.sweep().await;
    assert_eq!(world.types("a="), ["accepted"]);
    world.pass(1);
    world.sweep().await;
    assert_eq!(world.received("a=")[0]["code"], "timed-out");
}

#[tokio::test]
async fn an_end_that_cannot_be_reported_is_finally_given_up_and_can_be_resumed() {
    let world = running().await;
    world.statement(0, |statement| statement.finish(&[&[&[json!(1)]]]));
    world.received("a=");
    for (seconds, notified) in [(1500, 0), (1, 1)] {
        world.pass(seconds);
        world.state().posts.push_back((403, "ForbiddenException"));
        assert_eq!(world.sweep().await["notified"], notified);
    }
    world.say("a=", resume(1, -1)).await;
    assert_eq!(world.types("a="), ["rows"]);
}

#[tokio::test]
async fn a_user_resumes_sixty_times_in_a_minute_on_all_connections_together() {
    let world = running().await;
    world.ends(0).await;
    world.connect(ANNA, "a2=").await;
    world.connect(BERT, "b=").await;
    world.run("b=", &id(1)).await;
    world.received("a=");
    for number in 0..60 {
        world.say(if number % 2 == 0 { "a=" } else { "a2=" }, resume(1, -1)).await;
    }
    let read = |world: &World| world.state().warehouse.calls.len();
    let before = read(&world);
    world.received("a=");
    world.say("a=", resume(1, -1)).await;
    assert_eq!((&world.received("a=")[0]["code"], read(&world)), (&json!("too-many"), before));
    world.received("b=");
    world.say("b=", resume(1, -1)).await;
    assert_eq!(world.types("b="), ["accepted"], "somebody else is counted alone");
    world.pass(60);
    world.say("a=", resume(1, -1)).await;
    assert_eq!(world.types("a="), ["rows"]);
}
