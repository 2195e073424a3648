//! Which requests get into the queue, and the response to those that do not.

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::*;

fn with(field: &str, value: Value) -> Value {
    let mut body = pdf();
    body[field] = value;
    body
}

#[tokio::test]
async fn a_submission_is_one_write_and_no_other_call() {
    let world = World::with(&[("RECIPIENT_DOMAINS", r#"["example.com"]"#)]).await;
    let body = json!({
        "dashboardId": "d1", "sheetId": "s1", "format": "CSV", "visualId": ["v1"],
        "bucketConfiguration": {"BucketPrefix": "monthly/emea/"}, "recipients": ["canary@example.com"],
        "parameters": {"StringParameters": [{"Name": "Region", "Values": ["EMEA"]}]},
    });
    let (status, answer) = world.submit(&body).await;
    let id = answer["SnapshotJobId"].as_str().unwrap().to_owned();
    assert_eq!((status, &answer["Status"]), (202, &json!("QUEUED")));
    assert!(id.starts_with("CSV_") && id.len() == 36, "{id}");
    assert_eq!(world.calls(), 1);
    let state = world.state();
    assert_eq!(state.dynamo.count("TransactWriteItems"), 1);
    assert_eq!((state.dynamo.job(&id, "state"), state.dynamo.job(&id, "open")), (json!("QUEUED"), json!("queued")));
    let request: Value = serde_json::from_str(state.dynamo.job(&id, "request").as_str().unwrap()).unwrap();
    assert_eq!(request["tags"], json!([{"key": "tenant", "value": "canary-tag"}]));
    assert_eq!((&request["folder"], &request["recipients"]), (&json!("monthly/emea/"), &json!(["canary@example.com"])));
}

#[tokio::test]
async fn parameters_are_kept_and_shown_exactly() {
    let world = World::new().await;
    let parameters = concat!(
        r#"{"StringParameters":[{"Name":"S","Values":["é"]}],"#,
        r#""IntegerParameters":[{"Name":"I","Values":[9007199254740993,-9223372036854775808]}],"#,
        r#""DecimalParameters":[{"Name":"D","Values":[0.1,1.50,1e3]}],"#,
        r#""DateTimeParameters":[{"Name":"T","Values":[1735689600,"2025-01-01","2025-01-01T08:00:00Z"]}]}"#
    );
    let body = format!(r#"{{"dashboardId":"d1","sheetId":"s1","format":"PDF","parameters":{parameters}}}"#);
    let (status, answer) = world.call(post(body, json!({}))).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer["SnapshotJobId"].as_str().unwrap().to_owned();
    assert!(world.state().dynamo.job(&id, "request").as_str().unwrap().contains(parameters));
    for event in [about("GET describe_job", "d1", &id), list(json!({"dashboardId": "d1"}))] {
        let shown = world.invoke(&event.to_string()).await.unwrap();
        assert!(shown["body"].as_str().unwrap().contains(parameters), "{shown}");
    }
}

#[tokio::test]
async fn a_bad_request_is_answered_with_one_sentence_before_any_call() {
    let world = World::with(&[("RECIPIENT_DOMAINS", r#"["example.com"]"#)]).await;
    let moments = |value: Value| json!({"DateTimeParameters": [{"Name": "T", "Values": [value]}]});
    let decimals = |text: &str| json!({"DecimalParameters": [{"Name": "D", "Values": [text]}]});
    for (body, expected) in [
        (json!({}), "`dashboardId` is missing"),
        (json!([]), "not a report request"),
        (with("dashboardId", json!("d1/../d2")), "`dashboardId` is `d1/../d2`; must be 1 to 512"),
        (with("dashboardId", json!("d".repeat(513))), "`dashboardId` is"),
        (with("sheetId", json!("")), "`sheetId` is ``"),
        (with("sheetId", json!(7)), "invalid type: integer `7`"),
        (with("format", json!("DOCX")), "`format` is `DOCX`; must be PDF, CSV or EXCEL"),
        (with("format", json!("pdf")), "`format` is `pdf`"),
        (with("format", json!("CSV")), "`visualId` has 0 entries; must be 1 for CSV"),
        (with("format", json!("EXCEL")), "`visualId` has 0 entries; must be 1 to 5 for EXCEL"),
        (with("visualId", json!(["v1"])), "`visualId` has 1 entries; must be 0 for PDF"),
        (with("RowLevelPermissionTags", json!([])), "unknown field `RowLevelPermissionTags`"),
        (with("sessionTags", json!([])), "unknown field `sessionTags`"),
        (with("userConfiguration", json!({})), "unknown field `userConfiguration`"),
        (with("parameters", json!({"Tags": []})), "unknown field `Tags`"),
        (with("parameters", decimals("0.1")), "`parameters.DecimalParameters` gives `D` the value `\"0.1\"`"),
        (with("parameters", json!({"IntegerParameters": [{"Name": "I", "Values": [0.5]}]})), "invalid type"),
        (with("parameters", json!({"StringParameters": [{"Name": "S", "Values": []}]})), "0 values; must be 1 to 100"),
        (with("parameters", json!({"DateTimeParameters": [{"Name": "T", "Values": ["soon"]}]})), "seconds since 1970"),
        (with("parameters", moments(json!(1_735_689_600_123_u64))), "gives `T` the value `1735689600123`"),
        (with("parameters", moments(json!("0000-01-01"))), "`parameters.DateTimeParameters` gives `T`"),
        (with("parameters", moments(json!(253_402_300_800_u64))), "in the years 1 to 9999"),
        (with("bucketConfiguration", json!({"BucketName": "mine"})), "unknown field `BucketName`"),
        (with("recipients", json!(["a@example.com, b@example.com"])), "`recipients` has"),
        (with("recipients", json!(["a@example.com\r\nBcc: b@example.com"])), "`recipients` has"),
        (with("recipients", json!(["<a@example.com>"])), "`recipients` has"),
        (with("recipients", json!(["canary b@example.com"])), "`recipients` has `canary b@example.com`; must be plain"),
        (with("recipients", json!(["a@example.org"])), "outside the tenant's domains; allowed: example.com"),
        (with("recipients", json!(["a@example.org@EXAMPLE.com"])), "`recipients` has `a@example.org@EXAMPLE.com`"),
        (with("recipients", json!(vec!["a@example.com"; 51])), "at most 50"),
    ] {
        let (status, message) = world.refused(post(&body, json!({}))).await;
        assert_eq!(status, 400, "{body}");
        assert!(message.contains(expected), "{message} ({body})");
    }
    for prefix in ["../../other", "/x", "a//b", "%2e%2e/", "a b", "a\\b", ".", "//"] {
        let body = with("bucketConfiguration", json!({"BucketPrefix": prefix}));
        let (status, message) = world.refused(post(&body, json!({}))).await;
        assert!(status == 400 && message.contains("bucketConfiguration.BucketPrefix"), "{prefix}: {message}");
    }
    for (text, expected) in [("{", "not a report request"), ("", "not a report request")] {
        let (status, message) = world.refused(post(text, json!({}))).await;
        assert!(status == 400 && message.contains(expected), "{message}");
    }
    assert_eq!(world.refused(post("x".repeat(128 * 1024 + 1), json!({}))).await.0, 413);
    assert_eq!(world.refused(post(pdf(), json!({"idempotency-key": "a b"}))).await.0, 400);
    let mut binary = post(pdf(), json!({}));
    binary["isBase64Encoded"] = json!(true);
    assert_eq!(world.refused(binary).await.0, 400);
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn other_methods_and_resources_are_not_found() {
    let world = World::new().await;
    for (method, resource, status) in [
        ("PUT", "", 405),
        ("DELETE", "", 405),
        ("POST", "/describe_job/{dashboardId}/{jobId}", 405),
        ("GET", "/{dashboardId}/{jobId}", 405),
        ("GET", "/other", 404),
    ] {
        let event = request(method, resource, json!({"dashboardId": "d1", "jobId": "j"}), json!(null));
        assert_eq!(world.refused(event).await.0, status, "{method} {resource}");
    }
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn the_same_key_is_the_same_job_and_a_different_request_with_it_a_conflict() {
    let world = World::new().await;
    let key = json!({"Idempotency-Key": "order-1"});
    let (_, first) = world.call(post(pdf(), key.clone())).await;
    let (status, second) = world.call(post(pdf(), key.clone())).await;
    assert_eq!((status, &second), (202, &first));
    let csv = json!({"dashboardId": "d1", "sheetId": "s1", "format": "CSV", "visualId": ["v1"]});
    for other in [with("sheetId", json!("s2")), csv] {
        assert_eq!(world.refused(post(other, key.clone())).await.0, 409);
    }
    assert_eq!(world.state().dynamo.jobs.len(), 1);
    // The same key of a different tenant is a different job.
    let other = World::sharing(world.state.clone(), &[("TENANT", "globex")]).await;
    let (_, others) = other.call(post(pdf(), key)).await;
    assert_ne!(others["SnapshotJobId"], first["SnapshotJobId"]);
}

#[tokio::test]
async fn without_a_key_each_request_is_a_job_of_its_own() {
    let world = World::new().await;
    assert_ne!(world.job().await, world.job().await);
}

#[tokio::test]
async fn a_write_with_a_lost_answer_is_one_job_and_a_failing_table_is_503() {
    let world = World::new().await;
    world.state().dynamo.faults = [Fault::LosesAnswer].into();
    world.job().await;
    assert_eq!(world.state().dynamo.jobs.len(), 1);
    world.state().dynamo.faults = [Fault::Denies].into();
    assert_eq!(
        world.refused(post(pdf(), json!({}))).await,
        (503, "the tables cannot be used: AccessDeniedException".to_owned())
    );
}

#[tokio::test]
async fn only_the_tenants_dashboards_are_accepted_if_they_are_listed() {
    let world = World::with(&[("DASHBOARDS", r#"["d1","d2"]"#)]).await;
    world.job().await;
    let (status, message) = world.refused(post(with("dashboardId", json!("d3")), json!({}))).await;
    assert!(status == 400 && message.contains("`d3`"), "{message}");
}

#[tokio::test]
async fn callers_can_only_have_reports_sent_if_the_tenant_lists_domains() {
    let world = World::new().await;
    let (status, message) = world.refused(post(with("recipients", json!(["canary@example.com"])), json!({}))).await;
    assert!(status == 400 && message.contains("allowed: none"), "{message}");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_tag_from_a_claim_is_read_from_the_authorizer_or_the_caller_is_refused() {
    let tags = r#"[{"key":"tenant","value":"canary-tag"},{"key":"customer","claim":"custom:customer"}]"#;
    let world = World::with(&[("ROW_LEVEL_TAGS", tags)]).await;
    for authorizer in
        [json!({"claims": {"custom:customer": "canary-claim"}}), json!({"custom:customer": "canary-claim"})]
    {
        let mut event = post(pdf(), json!({}));
        event["requestContext"]["authorizer"] = authorizer;
        let (_, answer) = world.call(event).await;
        let id = answer["SnapshotJobId"].as_str().unwrap().to_owned();
        let request = world.state().dynamo.job(&id, "request");
        assert!(request.as_str().unwrap().contains(r#"{"key":"customer","value":"canary-claim"}"#));
    }
    for authorizer in [json!(null), json!({}), json!({"custom:customer": ""}), json!({"custom:customer": ["x"]})] {
        let mut event = post(pdf(), json!({"custom:customer": "canary-claim"}));
        event["requestContext"]["authorizer"] = authorizer;
        assert_eq!(world.refused(event).await.0, 403);
    }
}

#[tokio::test]
async fn a_claim_that_may_mean_more_than_one_value_is_refused() {
    let world = World::with(&[("ROW_LEVEL_TAGS", r#"[{"key":"customer","claim":"customer"}]"#)]).await;
    for value in
        ["*", " * ", "canary-claim,globex", "canary-claim;globex", "canary-claim|globex", "canary-claim\nx", "*,x"]
    {
        for mut event in [post(pdf(), json!({})), list(json!({}))] {
            event["requestContext"]["authorizer"] = json!({"claims": {"customer": value}});
            let (status, message) = world.refused(event).await;
            assert!(status == 403 && message.contains("`customer`"), "{value}: {message}");
        }
    }
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_scheduled_report_is_one_job_per_delivery() {
    let world = World::new().await;
    let event = concat!(
        r#"{"scheduledReport":{"dashboardId":"d1","sheetId":"s1","format":"CSV","visualId":["v1"],"recipients":["canary@example.com"],"#,
        r#""parameters":{"DecimalParameters":[{"Name":"D","Values":[1.50]}]}},"#,
        r#""deliveryId":"arn:aws:scheduler:eu-west-1:111122223333:schedule/g/s/2025-12-09T19:00:00Z"}"#
    );
    let first = world.invoke(event).await.unwrap();
    assert_eq!(world.invoke(event).await.unwrap(), first);
    assert_eq!(world.state().dynamo.jobs.len(), 1);
    let id = first["SnapshotJobId"].as_str().unwrap().to_owned();
    assert!(world.state().dynamo.job(&id, "request").as_str().unwrap().contains("[1.50]"));
    for event in [
        r#"{}"#,
        r#"{"scheduledReport":{}}"#,
        r#"{"scheduledReport":{"dashboardId":"d1"},"deliveryId":"x"}"#,
        r#"{"scheduledReport":{"dashboardId":"d1","sheetId":"s1","format":"PDF","tags":[]},"deliveryId":"x"}"#,
    ] {
        assert!(world.invoke(event).await.is_err(), "{event}");
    }
}

#[tokio::test]
async fn a_scheduled_report_of_a_tenant_with_tags_from_claims_is_refused() {
    let world = World::with(&[("ROW_LEVEL_TAGS", r#"[{"key":"customer","claim":"customer"}]"#)]).await;
    let event = r#"{"scheduledReport":{"dashboardId":"d1","sheetId":"s1","format":"PDF"},"deliveryId":"x"}"#;
    assert!(world.invoke(event).await.unwrap_err().contains("has no caller"));
    assert_eq!(world.calls(), 0);
}
