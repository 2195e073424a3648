//! Which requests run, which are refused, and which are the same.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::{ANNA, BERT, World, id, run};

#[tokio::test]
async fn wrong_values_and_names_are_errors_without_statements() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    for (query, parameters, code) in [
        ("taxi-month", json!({"month": "2015-13"}), "invalid"),
        ("taxi-month", json!({"month": "x'); drop table t; --"}), "invalid"),
        ("taxi-month", json!({"month": "1; drop table"}), "invalid"),
        ("taxi-month", json!({"month": 0}), "invalid"),
        ("taxi-month", json!({"month": 13}), "invalid"),
        ("taxi-month", json!({"month": 1.5}), "invalid"),
        ("taxi-month", json!({"month": null}), "invalid"),
        ("taxi-month", json!({"month": {"a": 1}}), "invalid"),
        ("taxi-month", json!({}), "invalid"),
        ("taxi-month", json!({"month": "2015-01", "limit": 5}), "invalid"),
        ("taxi-longest", json!({"month": "2015-01", "count": 1.5}), "invalid"),
        ("taxi-hours", json!({"first_day": "2015-02-30", "last_day": "2015-03-01"}), "invalid"),
        ("taxi-year", json!({}), "unknown-query"),
        ("../secrets", json!({}), "unknown-query"),
    ] {
        let message = json!({"action": "run", "requestId": id(1), "query": query, "parameters": parameters});
        world.say("a=", message).await;
        let received = world.received("a=");
        assert_eq!(received.len(), 1, "{parameters}");
        assert_eq!(
            (&received[0]["type"], &received[0]["requestId"], &received[0]["code"]),
            (&json!("error"), &json!(id(1)), &json!(code))
        );
    }
    assert_eq!(world.statements(), 0);
    assert!(!world.kinds().contains_key("request request"));
}

#[tokio::test]
async fn each_of_our_queries_runs_with_its_defaults() {
    let world = World::with(&[("CONCURRENT", "20")]).await;
    world.connect(ANNA, "a=").await;
    let queries = world.call(ANNA, "GET", "/queries").await["body"]["queries"].clone();
    let queries = queries.as_array().unwrap();
    assert_eq!(queries.len(), 3);
    for (number, query) in queries.iter().enumerate() {
        let mut parameters = json!({});
        for parameter in query["parameters"].as_array().unwrap() {
            if parameter["required"] == true {
                parameters[parameter["name"].as_str().unwrap()] = parameter["default"].clone();
            }
        }
        let request = id(u32::try_from(number).unwrap());
        world
            .say("a=", json!({"action": "run", "requestId": request, "query": query["name"], "parameters": parameters}))
            .await;
        assert_eq!(world.types("a="), ["accepted"], "{query}");
        let asked = world.statement(number, |statement| statement.asked.clone());
        assert_eq!(asked["Parameters"].as_array().unwrap().len(), query["parameters"].as_array().unwrap().len());
    }
}

#[tokio::test]
async fn a_repeated_request_is_the_same_statement() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    world.run("a=", &id(1)).await;
    assert_eq!(world.types("a="), ["accepted", "accepted"]);
    world.ends(0).await;
    world.run("a=", &id(1)).await;
    assert_eq!(world.types("a="), ["rows", "rows"]);
    assert_eq!(world.state().warehouse.calls.iter().filter(|call| *call == "ExecuteStatement").count(), 1);
    let mut other = run(&id(1));
    other["parameters"]["month"] = json!("2015-02");
    world.say("a=", other).await;
    assert_eq!(world.received("a=")[0]["code"], "invalid");
    assert_eq!(world.statements(), 1);
}

#[tokio::test]
async fn a_lost_answer_from_the_table_is_not_a_second_request() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.faults("UpdateItem", &[Fault::LosesAnswer]);
    world.run("a=", &id(1)).await;
    world.ends(0).await;
    assert_eq!(world.types("a="), ["accepted", "rows"]);
}

#[tokio::test]
async fn a_request_whose_run_died_is_submitted_by_the_next() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    // As if the run had died right after its first step.
    let key = queries::Request::key(ANNA, &id(1));
    let place = (format!("request#{key}"), "request".to_owned());
    let revert = |item: &mut Value| {
        item["state"] = json!({"S": "pending"});
        item.as_object_mut().unwrap().remove("statement");
    };
    world.state().dynamo.items.get_mut(&place).map(revert).unwrap();
    world.state().warehouse.statements.clear();
    world.run("a=", &id(1)).await;
    world.hand_in().await;
    assert_eq!(world.statements(), 0, "the first run may still be working on it");
    world.pass(30);
    world.hand_in().await;
    assert_eq!(world.statements(), 1);
    world.ends(0).await;
    assert_eq!(world.types("a="), ["accepted", "accepted", "rows"]);
}

#[tokio::test]
async fn a_user_has_two_statements_at_once_and_others_have_their_own() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.connect(ANNA, "a2=").await;
    world.connect(BERT, "b=").await;
    world.run("a=", &id(1)).await;
    world.run("a2=", &id(2)).await;
    world.run("a=", &id(3)).await;
    let received = world.received("a=");
    assert_eq!((&received[1]["code"], &received[1]["requestId"]), (&json!("too-many"), &json!(id(3))));
    assert!(received[1]["reason"].as_str().unwrap().starts_with("you already have 2"));
    world.run("b=", &id(3)).await;
    assert_eq!(world.types("b="), ["accepted"]);
    world.ends(0).await;
    world.run("a=", &id(3)).await;
    assert_eq!(world.types("a="), ["rows", "accepted"]);
    assert_eq!(world.statements(), 4);
}

#[tokio::test]
async fn a_user_begins_ten_requests_per_minute() {
    let world = World::with(&[("CONCURRENT", "20")]).await;
    world.connect(ANNA, "a=").await;
    for number in 0..11 {
        world.run("a=", &id(number)).await;
    }
    let received = world.received("a=");
    assert_eq!((received.len(), &received[10]["code"]), (11, &json!("too-many")));
    assert_eq!(world.statements(), 10);
    world.pass(60);
    world.run("a=", &id(10)).await;
    assert_eq!(world.types("a="), ["accepted"]);
}

#[tokio::test]
async fn an_unavailable_or_refusing_warehouse_ends_the_request_at_once() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    for (number, (kind, message, code)) in [
        ("ValidationException", "Redshift cluster canary is paused.", "unavailable"),
        ("AccessDeniedException", "canary", "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        // The log has the service's code and the first line of its message without values.
        let message = message.replace("canary", "c").leak();
        let refusals = std::iter::repeat_n((400, kind, &*message), 3).collect();
        world.state().warehouse.refusals.insert("ExecuteStatement", refusals);
        let request = id(u32::try_from(number).unwrap());
        world.run("a=", &request).await;
        let received = world.received("a=");
        assert_eq!((&received[0]["type"], &received[1]["code"], received.len()), (&json!("accepted"), &json!(code), 2));
        assert!(received[1]["reference"].is_string());
        assert!(world.item(ANNA, &request, "open").is_null());
        world.state().warehouse.refusals.clear();
    }
    // Their slots are free again.
    assert!(!world.kinds().contains_key("user slot"));
}

#[tokio::test]
async fn a_cancel_ends_the_statement_and_its_end_is_reported_once() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.connect(BERT, "b=").await;
    world.run("a=", &id(1)).await;
    world.say("b=", json!({"action": "cancel", "requestId": id(1)})).await;
    assert_eq!(world.received("b=")[0]["code"], "unknown-request");
    assert_eq!(world.statement(0, |statement| statement.cancels), 0);
    world.say("a=", json!({"action": "cancel", "requestId": id(1)})).await;
    let event = world.statement(0, |statement| statement.event("ABORTED"));
    world.finished(event.clone()).await.unwrap();
    world.finished(event).await.unwrap();
    assert_eq!(world.types("a="), ["accepted", "cancelled"]);
    world.say("a=", json!({"action": "cancel", "requestId": id(1)})).await;
    assert_eq!(world.received("a=")[0]["code"], "ended");
}

#[tokio::test]
async fn a_cancel_before_redshift_has_the_statement_ends_it_then() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    // It arrives while the browser is still being notified that its request was accepted.
    let key = queries::Request::key(ANNA, &id(1));
    world.state().on_post = Some(Box::new(move |state| {
        let item = state.dynamo.items.get_mut(&(format!("request#{key}"), "request".to_owned())).unwrap();
        item["cancelled"] = json!({"S": "asked"});
    }));
    world.run("a=", &id(1)).await;
    assert_eq!(world.statement(0, |statement| statement.cancels), 1);
}

#[tokio::test]
async fn a_browser_that_leaves_before_the_statement_leaves_none_behind() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.vanish("a=");
    world.run("a=", &id(1)).await;
    assert_eq!(world.statements(), 0);
    assert_eq!(world.item(ANNA, &id(1), "state"), "cancelled");
    let kinds = world.kinds();
    assert!(!kinds.contains_key("user slot") && !kinds.contains_key("connection connection"), "{kinds:?}");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_reported_and_nothing_begins() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.faults("TransactWriteItems", &[Fault::Denies]);
    world.run("a=", &id(1)).await;
    let received = world.received("a=");
    assert_eq!((&received[0]["code"], &received[0]["requestId"]), (&json!("unavailable"), &json!(id(1))));
    assert_eq!(world.statements(), 0);
}

#[tokio::test]
async fn a_conflicting_transaction_is_retried_but_not_forever() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.faults("TransactWriteItems", &[Fault::Conflicts; 3]);
    world.run("a=", &id(1)).await;
    assert_eq!(world.types("a="), ["accepted"]);
    world.faults("TransactWriteItems", &[Fault::Conflicts; 4]);
    world.run("a=", &id(2)).await;
    assert_eq!(world.received("a=")[0]["code"], "unavailable");
    assert_eq!(world.statements(), 1);
}

#[tokio::test]
async fn a_tenants_own_queries_are_read_again_after_five_minutes() {
    let world = World::with(&[("QUERIES", "s3://files/q/")]).await;
    let file = |name: &str| format!("-- name: {name}\n-- title: Own\n-- description: D\nselect 1 as one");
    world.state().files.insert("q/own.sql".to_owned(), file("own"));
    world.state().files.insert("q/broken.sql".to_owned(), "drop table t".to_owned());
    world.state().files.insert("q/notes.txt".to_owned(), "canary".to_owned());
    world.connect(ANNA, "a=").await;
    let own = |request: u32, query: &str| json!({"action": "run", "requestId": id(request), "query": query});
    world.say("a=", own(1, "own")).await;
    assert_eq!(world.types("a="), ["accepted"]);
    assert!(world.log().contains("broken.sql"));
    world.state().files.insert("q/later.sql".to_owned(), file("later"));
    world.say("a=", own(2, "later")).await;
    assert_eq!(world.received("a=")[0]["code"], "unknown-query");
    world.pass(300);
    world.say("a=", own(2, "later")).await;
    assert_eq!(world.types("a="), ["accepted"]);
    assert_eq!(world.call(ANNA, "GET", "/queries").await["body"]["queries"].as_array().unwrap().len(), 5);
}
