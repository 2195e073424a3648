//! How ends are reported: in parts, once, to the right connection, whatever goes wrong.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::{ANNA, BERT, World, id};

/// A world in which Anna's request is running, and its event.
async fn running() -> World {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    assert_eq!(world.types("a="), ["accepted"]);
    world
}

/// Ends the first statement with `rows` texts of a thousand bytes each; returns its event.
fn finish(world: &World, rows: usize) -> Value {
    let text = json!("é".repeat(500));
    let rows: Vec<[Value; 1]> = (0..rows).map(|_| [text.clone()]).collect();
    let rows: Vec<&[Value]> = rows.iter().map(|row| row.as_slice()).collect();
    world.statement(0, |statement| {
        statement.finish(&[&rows]);
        statement.event("FINISHED")
    })
}

fn notified(is: bool) -> Result<Value, queries::Error> {
    Ok(json!({"notified": is}))
}

/// What Lambda shows as the type of an error.
fn name(result: Result<Value, queries::Error>) -> String {
    lambda_runtime::Diagnostic::from(result.unwrap_err()).error_type
}

#[tokio::test]
async fn an_event_that_is_faster_than_the_record_of_its_statement_finds_the_request() {
    let world = World::new().await;
    world.connect(ANNA, "a=").await;
    world.faults("UpdateItem", &[Fault::Denies]);
    world.run("a=", &id(1)).await;
    assert!(world.item(ANNA, &id(1), "statement").is_null());
    world.ends(0).await;
    assert_eq!(world.types("a="), ["accepted", "rows"]);
    let rows = world.call(ANNA, "GET", &format!("/requests/{}/rows", id(1))).await;
    assert_eq!(rows["statusCode"], 200, "the statement is recorded by now");
    // The run that submitted it is slower than all of this.
    let statement = world.statement(0, |statement| statement.id.parse().unwrap());
    assert_eq!(world.table().running(&queries::Request::key(ANNA, &id(1)), &statement).await, Ok(None));
    assert_eq!(world.item(ANNA, &id(1), "state"), "finished");
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_is_reported_once() {
    let world = running().await;
    let event = finish(&world, 1);
    assert_eq!(world.finished(event.clone()).await, notified(true));
    assert_eq!(world.finished(event.clone()).await, notified(false));
    assert_eq!(world.types("a="), ["rows"]);

    world.run("a=", &id(2)).await;
    let event = world.statement(1, |statement| {
        statement.finish(&[&[&[json!(1)]]]);
        statement.event("FINISHED")
    });
    let both = tokio::join!(world.finished(event.clone()), world.finished(event));
    assert!(both == (notified(true), notified(false)) || both == (notified(false), notified(true)), "{both:?}");
    assert_eq!(world.types("a="), ["accepted", "rows"]);
}

#[tokio::test]
async fn an_event_without_a_request_is_an_error_and_one_of_another_tenant_is_ignored() {
    let world = running().await;
    let mut event = finish(&world, 1);
    event["detail"]["statementName"] = json!(format!("acme-query-{}", "0".repeat(64)));
    assert!(name(world.finished(event.clone()).await) == "UnknownRequest");
    for name in ["acme-query-query-x", "other-query-x"] {
        event["detail"]["statementName"] = json!(name);
        assert_eq!(world.finished(event.clone()).await, notified(false));
    }
    for event in [json!({}), json!({"source": "aws.s3"}), json!({"detail": {"statementName": "acme-query-x"}})] {
        assert!(name(world.finished(event).await) == "UnknownEvent");
    }
    assert!(world.types("a=").is_empty());
}

#[tokio::test]
async fn an_event_of_a_cluster_is_reported_like_one_of_a_workgroup() {
    let world = running().await;
    let mut event = finish(&world, 1);
    event["resources"] = json!(["arn:aws:redshift:eu-west-1:123456789012:cluster:c"]);
    assert_eq!(world.finished(event).await, notified(true));
}

#[tokio::test]
async fn a_large_result_is_sent_in_parts() {
    let world = running().await;
    let event = finish(&world, 300);
    assert_eq!(world.finished(event).await, notified(true));
    let parts = world.received("a=");
    assert!(parts.len() > 9, "{}", parts.len());
    let mut rows = 0;
    for (seq, part) in parts.iter().enumerate() {
        assert_eq!((&part["seq"], &part["last"]), (&json!(seq), &json!(seq == parts.len() - 1)));
        rows += part["rows"].as_array().unwrap().len();
    }
    assert_eq!((rows, &parts[0]["total"]), (300, &json!(300)));
}

#[tokio::test]
async fn a_result_of_more_than_a_megabyte_or_with_a_huge_row_is_one_to_fetch() {
    let world = running().await;
    let event = finish(&world, 1100);
    world.finished(event).await.unwrap();
    let ready = json!({"type": "ready", "requestId": id(1), "rows": 1100, "capped": false, "page": format!("/requests/{}/rows", id(1))});
    assert_eq!(world.received("a="), [ready]);
    assert!(!world.state().warehouse.calls.contains(&"GetStatementResult".to_owned()), "it is not even read");

    world.run("a=", &id(2)).await;
    let event = world.statement(1, |statement| {
        statement.finish(&[&[&[json!("x".repeat(40_000))]]]);
        statement.event("FINISHED")
    });
    world.finished(event).await.unwrap();
    assert_eq!(world.types("a="), ["accepted", "ready"]);
}

#[tokio::test]
async fn pages_that_lead_back_to_one_that_was_read_are_not_followed() {
    for circle in [&["page-1", "page-1"][..], &["page-1", "page-2", "page-1"]] {
        let world = running().await;
        let event = world.statement(0, |statement| {
            statement.finish(&[&[&[json!(1)]], &[&[json!(2)]], &[&[json!(3)]]]);
            statement.next = circle.iter().map(|token| (*token).to_owned()).collect();
            statement.event("FINISHED")
        });
        assert_eq!(world.finished(event).await, notified(true));
        assert_eq!(world.types("a="), ["ready"]);
        let asked = world.state().warehouse.calls.iter().filter(|call| *call == "GetStatementResult").count();
        assert_eq!(asked, circle.len());
        // Who fetches it by pages is notified so, and not sent in circles.
        let page = world.call(ANNA, "GET", &format!("/requests/{}/rows?page={}", id(1), circle.last().unwrap())).await;
        assert_eq!(page["statusCode"] == 503, circle.len() == 2);
    }
}

#[tokio::test]
async fn a_result_that_was_cut_says_so() {
    let world = World::with(&[("MAX_ROWS", "2")]).await;
    world.connect(ANNA, "a=").await;
    world.run("a=", &id(1)).await;
    assert!(world.statement(0, |statement| statement.asked["Sql"].as_str().unwrap().ends_with("\nlimit 2")));
    let event = finish(&world, 2);
    world.finished(event).await.unwrap();
    assert_eq!(world.received("a=")[1]["capped"], true);
}

#[tokio::test]
async fn a_failure_is_reported_without_the_databases_text() {
    let world = running().await;
    let event = world.statement(0, |statement| {
        statement.fail("ERROR: relation \"canary\" select 1; Detail: 'canary'");
        statement.event("FAILED")
    });
    // The log may contain names of objects; this one is a value.
    let event_without = world.statement(0, |statement| {
        statement.fail("ERROR: division by zero\n  Detail: canary");
        event
    });
    world.finished(event_without).await.unwrap();
    let received = world.received("a=");
    assert_eq!((&received[0]["type"], &received[0]["code"]), (&json!("error"), &json!("failed")));
    assert!(!received[0].to_string().contains("division"));
    let reference = received[0]["reference"].as_str().unwrap();
    assert!(world.log().contains(reference), "operators find it by {reference}");
    let state = world.call(ANNA, "GET", &format!("/requests/{}", id(1))).await;
    assert_eq!((&state["body"]["state"], &state["body"]["reference"]), (&json!("failed"), &received[0]["reference"]));
}

#[tokio::test]
async fn a_statement_that_redshift_stopped_by_itself_is_not_reported_as_cancelled() {
    for (status, error, code) in [
        ("FAILED", "ERROR: Query (150) canceled on user's request", "timed-out"),
        ("FAILED", "ERROR: Query (28572825) cancelled on user's request [ErrorId: 1-66]", "timed-out"),
        ("FAILED", "ERROR: Query (5) cancelled by WLM abort action of Query Monitoring Rule \"canary\"", "timed-out"),
        ("FAILED", "ERROR: canceling statement due to statement timeout", "timed-out"),
        ("FAILED", "ERROR: Query (150) is too large", "failed"),
        ("ABORTED", "", "failed"),
    ] {
        let world = running().await;
        let event = world.statement(0, |statement| {
            statement.fail(error);
            statement.status = status;
            statement.event(status)
        });
        assert_eq!(world.finished(event).await, notified(true));
        let message = &world.received("a=")[0];
        assert_eq!((&message["type"], &message["code"]), (&json!("error"), &json!(code)), "{status} {error}");
    }
}

#[tokio::test]
async fn a_statement_that_its_owner_cancelled_is_reported_as_cancelled_in_redshifts_words_too() {
    for status in ["ABORTED", "FAILED"] {
        let world = running().await;
        world.say("a=", json!({"action": "cancel", "requestId": id(1)})).await;
        let event = world.statement(0, |statement| {
            statement.fail("ERROR: Query (150) canceled on user's request");
            statement.status = status;
            statement.event(status)
        });
        assert_eq!(world.finished(event).await, notified(true));
        assert_eq!(world.types("a="), ["cancelled"]);
    }
}

#[tokio::test]
async fn an_event_before_the_end_that_it_reports_is_retried() {
    let world = running().await;
    let event = world.statement(0, |statement| statement.event("FINISHED"));
    assert!(name(world.finished(event.clone()).await) == "StillRunning");
    assert!(world.types("a=").is_empty());
    finish(&world, 1);
    assert_eq!(world.finished(event).await, notified(true), "the lease was released");
}

#[tokio::test]
async fn a_lost_connection_loses_its_items_but_the_result_is_kept() {
    let world = running().await;
    world.connect(BERT, "b=").await;
    world.run("b=", &id(1)).await;
    world.vanish("a=");
    let posted = world.state().posted;
    let event = finish(&world, 300);
    assert_eq!(world.finished(event.clone()).await, notified(true));
    assert_eq!(world.state().posted, posted + 1, "a 410 is not retried, and no other part is sent");
    let kinds = world.kinds();
    assert_eq!((kinds["connection connection"], kinds["connection request"]), (1, 1), "Bert's still exist: {kinds:?}");
    assert_eq!(world.finished(event).await, notified(false));
    assert_eq!(world.item(ANNA, &id(1), "state"), "finished");
    world.connect(ANNA, "a2=").await;
    world.say("a2=", json!({"action": "resume", "requestId": id(1), "seq": -1})).await;
    assert!(world.types("a2=").len() > 9);
}

#[tokio::test]
async fn a_busy_gateway_is_retried_with_pauses_but_not_forever() {
    let world = running().await;
    let event = finish(&world, 1);
    world.state().posts.extend([(429, "LimitExceededException"); 5]);
    assert_eq!(world.finished(event).await, notified(true));
    assert_eq!(world.types("a="), ["rows"]);
    let slept = world.time.slept().as_millis();
    assert!((1..=5_000).contains(&slept), "{slept} ms");

    world.run("a=", &id(2)).await;
    world.state().posts.extend([(429, "LimitExceededException"); 6]);
    let event = world.statement(1, |statement| {
        statement.finish(&[&[&[json!(1)]]]);
        statement.event("FINISHED")
    });
    assert!(world.finished(event.clone()).await.unwrap_err().to_string().contains("LimitExceededException"));
    assert_eq!(world.finished(event).await, notified(true), "Lambda's next attempt continues");
    assert_eq!(world.types("a="), ["accepted", "rows"]);
}

#[tokio::test]
async fn a_result_that_the_gateway_finds_too_large_is_one_to_fetch() {
    let world = running().await;
    let event = finish(&world, 300);
    world.state().posts.push_back((413, "PayloadTooLargeException"));
    assert_eq!(world.finished(event).await, notified(true));
    assert_eq!(world.types("a="), ["ready"]);
}

#[tokio::test]
async fn a_run_that_dies_in_the_middle_is_resumed_from_what_was_recorded() {
    let world = running().await;
    let event = finish(&world, 300);
    // Ten parts arrive, eight of them are recorded. Then the run dies, and nothing else of it happens.
    world.state().posts.extend([(200, ""); 10]);
    world.state().posts.push_back((403, "ForbiddenException"));
    world.faults("UpdateItem", &[Fault::Works, Fault::Works, Fault::Denies]);
    assert!(world.finished(event.clone()).await.is_err());
    assert_eq!(world.received("a=").len(), 10);
    assert_eq!(world.finished(event.clone()).await, notified(false), "its lease holds");
    world.pass(61);
    assert_eq!(world.sweep().await, json!({"seen": 1, "notified": 1, "failures": 0}));
    let rest = world.received("a=");
    assert_eq!(rest[0]["seq"], 8);
    assert_eq!(rest.last().unwrap()["last"], true);
}

#[tokio::test]
async fn a_connection_that_takes_over_in_the_middle_gets_the_missing_parts() {
    let world = running().await;
    world.connect(ANNA, "a2=").await;
    let event = finish(&world, 300);
    let key = queries::Request::key(ANNA, &id(1));
    world.state().on_post = Some(Box::new(move |state| {
        let item = state.dynamo.items.get_mut(&(format!("request#{key}"), "request".to_owned())).unwrap();
        item["connection"] = json!({"S": "a2="});
        item["sent"] = json!({"N": "1"});
    }));
    assert_eq!(world.finished(event).await, notified(true));
    let second = world.received("a2=");
    assert_eq!(second[0]["seq"], 2);
    assert_eq!(second.last().unwrap()["last"], true);
}

#[tokio::test]
async fn a_user_who_is_no_longer_signed_in_gets_no_rows() {
    let world = running().await;
    let event = finish(&world, 1);
    world.pass(3600);
    world.state().on_post = Some(Box::new(|state| state.browsers.get_mut("a=").unwrap().clear()));
    assert_eq!(world.finished(event).await, notified(true));
    assert!(!world.state().browsers.contains_key("a="), "the connection is closed");
    world.connect(ANNA, "a2=").await;
    world.say("a2=", json!({"action": "resume", "requestId": id(1), "seq": -1})).await;
    assert_eq!(world.types("a2="), ["rows"]);
}

#[tokio::test]
async fn two_requests_of_one_connection_are_both_answered() {
    let world = running().await;
    world.run("a=", &id(2)).await;
    world.ends(1).await;
    world.ends(0).await;
    let answered: Vec<Value> =
        world.received("a=").iter().skip(1).map(|message| message["requestId"].clone()).collect();
    assert_eq!(answered, [json!(id(2)), json!(id(1))]);
}
