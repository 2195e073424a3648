//! The answers, and that each event gets exactly one.

use serde_json::{Value, json};
use warehouse_tests::{SIGNATURE, later};

use crate::probe::{ID, create, world};

#[tokio::test]
async fn a_create_answers_success_with_an_id_of_stack_resource_and_schema() {
    let world = world().await;
    world.handle(create()).await.unwrap();
    assert_eq!(
        world.answer(),
        json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": ID,
            "StackId": create()["StackId"],
            "RequestId": create()["RequestId"],
            "LogicalResourceId": "InWarehouse",
        })
    );
    let put = &world.put()[0];
    assert_eq!(put.target, format!("/answer?X-Amz-Signature={SIGNATURE}"));
    assert_eq!(put.header("content-type"), "");
    assert_eq!(put.header("content-length"), put.body.len().to_string());
    assert!(put.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")));
}

#[tokio::test]
async fn the_id_changes_only_with_warehouse_and_schema() {
    let update = |property: &str, value: Value| {
        let mut event = later(&create(), "Update", ID);
        event["ResourceProperties"][property] = value;
        event
    };
    for (event, id) in [
        (update("Name", json!("other")), ID),
        (update("Schema", json!("other")), "acme-setup/InWarehouse/workgroup:w/d/other"),
        (
            update("Warehouse", json!({"Cluster": "c", "Database": "d", "DbUser": "u"})),
            "acme-setup/InWarehouse/cluster:c/d/probes",
        ),
    ] {
        let world = world().await;
        world.handle(event).await.unwrap();
        assert_eq!(
            (world.answer()["Status"].as_str(), world.answer()["PhysicalResourceId"].as_str()),
            (Some("SUCCESS"), Some(id))
        );
    }
}

#[tokio::test]
async fn invalid_properties_fail_a_create_with_a_reason_and_its_delete_changes_nothing() {
    for (property, value, problem) in [
        ("Warehouse", json!({"Database": "d"}), "set exactly one"),
        ("Schema", json!(""), "the name \"\" is empty"),
        ("Name", json!(1), "invalid type"),
    ] {
        let world = crate::probe::world().await;
        let mut event = create();
        event["ResourceProperties"][property] = value;
        world.handle(event.clone()).await.unwrap();
        let answer = world.answer();
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer["Reason"].as_str().unwrap().contains(problem), "{answer}");
        assert_eq!(answer["PhysicalResourceId"], "acme-setup/InWarehouse/not-made");

        let world = crate::probe::world().await;
        event["RequestType"] = json!("Delete");
        event["PhysicalResourceId"] = answer["PhysicalResourceId"].clone();
        world.handle(event).await.unwrap();
        assert_eq!(world.answer()["Status"], "SUCCESS");
        assert_eq!(world.statements(), [""; 0]);
    }
}

#[tokio::test]
async fn a_delete_only_removes_what_has_its_id() {
    for (id, statements) in [(ID, 3), ("acme-setup/InWarehouse/not-made", 0), ("acme-setup-InWarehouse-1X2Y3Z", 0)] {
        let world = world().await;
        world.handle(later(&create(), "Delete", id)).await.unwrap();
        assert_eq!(
            (world.answer()["Status"].as_str(), world.answer()["PhysicalResourceId"].as_str()),
            (Some("SUCCESS"), Some(id))
        );
        assert_eq!(world.statements().len(), statements, "{:#?}", world.statements());
        assert!(!world.statements().iter().any(|sql| sql.contains("drop table") || sql.contains("drop schema")));
    }
}

#[tokio::test]
async fn an_incomplete_event_is_still_answered() {
    for event in [json!({}), json!({"RequestType": "Renew"}), json!({"RequestType": "Create", "ResourceProperties": 1})]
    {
        let world = world().await;
        world.handle(event).await.unwrap();
        assert_eq!(world.answer()["Status"], "FAILED");
    }
}

#[tokio::test]
async fn no_answer_is_sent_to_an_address_that_is_not_cloudformations() {
    let world = world().await;
    for url in [json!(null), json!("http://collector.example/"), json!("file:///etc/passwd"), json!("x")] {
        let mut event = world.event(create());
        event.payload["ResponseURL"] = url;
        let error = world.handler().handle(event).await.unwrap_err();
        assert!(error.to_string().contains("ResponseURL"), "{error}");
    }
    assert!(world.put().is_empty() && world.statements().is_empty());
}

#[tokio::test]
async fn a_repeated_event_submits_nothing_new() {
    let world = world().await;
    world.handle(create()).await.unwrap();
    let statements = world.statements();
    world.handle(create()).await.unwrap();
    assert_eq!(world.statements(), statements);
    let bodies: Vec<_> = world.put().into_iter().map(|put| put.body).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn an_answer_stays_within_its_limit_however_long_the_names() {
    let world = world().await;
    let mut event = create();
    event["ResourceProperties"]["Schema"] = json!("\u{1}\u{ffff}".repeat(3000));
    event["StackId"] = json!(format!("arn:aws:cloudformation:us-east-1:123456789012:stack/{}/1", "s".repeat(128)));
    event["LogicalResourceId"] = json!("L".repeat(255));
    world.handle(event).await.unwrap();
    assert!(world.put()[0].body.len() <= 4096);
    assert_eq!(world.answer()["Status"], "FAILED");
}
