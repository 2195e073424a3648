//! From the queue into a slot.

use std::time::Duration;

use loopback::Answer;
use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn the_oldest_jobs_get_the_free_slots_and_the_rest_waits() {
    let world = World::new(2).await;
    for (id, created) in [("c", 3), ("a", 1), ("b", 2)] {
        world.queued(id, created);
    }
    assert_eq!(world.sweep().await["claimed"], 2);
    assert_eq!([world.at("a"), world.at("b"), world.at("c")], ["RUNNING", "RUNNING", "QUEUED"]);
    assert_eq!((world.starts(), world.slots_taken()), (2, 2));
}

#[tokio::test]
async fn a_burst_of_30_jobs_runs_five_at_a_time_to_its_end() {
    let world = World::new(5).await;
    let ids: Vec<String> = (0..30).map(|number| format!("job-{number:02}")).collect();
    for (n, id) in ids.iter().enumerate() {
        world.queued(id, n as u64);
    }
    for _ in 0..12 {
        world.sweep().await;
        let running: Vec<String> =
            world.state().remote.iter().filter(|job| job.1.0 == "QUEUED").map(|job| job.0.clone()).collect();
        for id in running {
            world.complete(&id, &[&format!("s3://reports/t/acme/d1/{id}/a.pdf")]);
        }
        world.pass(Duration::from_secs(60));
    }
    for id in &ids {
        assert_eq!(world.at(id), "COMPLETED", "{id}");
    }
    assert_eq!((world.high_water(), world.starts(), world.slots_taken()), (5, 30, 0));
}

#[tokio::test]
async fn quicksight_receives_the_job_exactly_as_requested() {
    let world = World::new(1).await;
    let parameters = r#"{"StringParameters":[{"Name":"Region","Values":["EMEA"]}],
        "IntegerParameters":[{"Name":"Year","Values":[9007199254740993]}],
        "DecimalParameters":[{"Name":"Rate","Values":[0.1,-12.50]}],
        "DateTimeParameters":[{"Name":"From","Values":[1735689600,"2025-01-01T01:00:00+01:00"]}]}"#;
    world.queued_with("a", 1, serde_json::from_str(parameters).unwrap());
    world.sweep().await;
    let start = world.state().starts[0].clone();
    assert_eq!(
        start,
        json!({
            "SnapshotJobId": "a",
            "UserConfiguration": {"AnonymousUsers": [{"RowLevelPermissionTags": [{"Key": "tenant", "Value": "canary-tag"}]}]},
            "SnapshotConfiguration": {
                "FileGroups": [{"Files": [{
                    "SheetSelections": [{"SheetId": "s1", "SelectionScope": "ALL_VISUALS"}], "FormatType": "PDF",
                }]}],
                "DestinationConfiguration": {"S3Destinations": [{"BucketConfiguration": {
                    "BucketName": "reports", "BucketPrefix": "t/acme/d1/a/", "BucketRegion": "eu-west-1",
                }}]},
                "Parameters": {
                    "StringParameters": [{"Name": "Region", "Values": ["EMEA"]}],
                    "IntegerParameters": [{"Name": "Year", "Values": [9_007_199_254_740_993_u64]}],
                    "DecimalParameters": [{"Name": "Rate", "Values": [0.1, -12.5]}],
                    "DateTimeParameters": [{"Name": "From", "Values": [1_735_689_600, 1_735_689_600]}],
                },
            },
        })
    );
}

#[tokio::test]
async fn no_room_requeues_the_job_and_waits_before_the_next_attempt() {
    for (status, kind) in [
        (429, "LimitExceededException"),
        (429, "ThrottlingException"),
        (400, "Throttling"),
        (409, "ConflictException"),
        (503, "ServiceUnavailable"),
    ] {
        let world = World::new(5).await;
        world.queued("a", 1);
        world.queued("b", 2);
        world.state().refusals.insert("a".to_owned(), refusal(status, kind));
        world.sweep().await;
        assert_eq!(
            (world.at("a"), world.job("a", "attempts"), world.slots_taken()),
            ("QUEUED".to_owned(), json!("1"), 0)
        );
        assert_eq!(world.starts(), 1, "one attempt, and no room for the next job either");
        world.state().refusals.clear();
        world.sweep().await;
        assert_eq!((world.at("a"), world.at("b")), ("QUEUED".to_owned(), "RUNNING".to_owned()));
        world.pass(Duration::from_secs(61));
        world.sweep().await;
        assert_eq!(world.at("a"), "RUNNING");
    }
}

#[tokio::test]
async fn a_repeating_sweep_tries_again_before_the_next_tick_and_ends_in_time() {
    let world = World::new(5).await;
    world.queued("a", 1);
    world.queued("b", 2);
    world.state().refusals.insert("a".to_owned(), refusal(429, "ThrottlingException"));
    world.invoke(json!({"sweep": true, "every": 5})).await.unwrap();
    assert_eq!(world.at("b"), "RUNNING", "the job after it did not wait for the next tick");
    assert!(world.starts() > 2, "a was attempted {} times, including b", world.starts());
    let took = world.time.slept();
    assert!(took > Duration::from_secs(40) && took < world.time_left.mul_f64(0.8), "{took:?}");
}

#[tokio::test]
async fn a_repeating_sweep_ends_at_once_when_nothing_is_open() {
    let world = World::new(5).await;
    world.invoke(json!({"sweep": true, "every": 5})).await.unwrap();
    assert_eq!(world.time.slept(), Duration::ZERO);
}

#[tokio::test]
async fn a_job_that_quicksight_rejects_fails_with_its_reason_and_the_next_one_starts() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.queued("b", 2);
    world.state().refusals.insert("a".to_owned(), refusal(400, "InvalidParameterValueException"));
    world.sweep().await;
    world.sweep().await;
    let reason = json!({"type": "InvalidParameterValueException", "message": "it says why"}).to_string();
    assert_eq!(world.at("a"), "FAILED");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(world.job("a", "reason").as_str().unwrap()).unwrap().to_string(),
        reason
    );
    assert_eq!((world.at("b"), world.slots_taken()), ("RUNNING".to_owned(), 1));
}

#[tokio::test]
async fn any_refusal_frees_the_slot_at_once_and_the_job_has_quicksights_code() {
    for (status, kind) in [
        (400, "ValidationException"),
        (400, "NobodyHasHeardOfThisException"),
        (403, "AccessDenied"),
        (413, "RequestEntityTooLargeException"),
    ] {
        let world = World::new(1).await;
        world.queued("a", 1);
        world.queued("b", 2);
        world.state().refusals.insert("a".to_owned(), refusal(status, kind));
        world.sweep().await;
        assert_eq!((world.at("a"), world.at("b")), ("FAILED".to_owned(), "RUNNING".to_owned()), "{kind}");
        assert!(world.job("a", "reason").as_str().unwrap().contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn a_start_does_not_use_a_connection_that_died_while_the_function_was_frozen() {
    let world = World::frozen_between_calls(2).await;
    for (id, created) in [("a", 1), ("b", 2)] {
        world.queued(id, created);
        world.sweep().await;
        assert_eq!(world.at(id), "RUNNING", "{id}");
    }
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_is_found_and_not_sent_again() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.state().lost.push("a".to_owned());
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("STARTING".to_owned(), 1));
    world.sweep().await;
    assert_eq!((world.at("a"), world.job("a", "remoteStatus")), ("RUNNING".to_owned(), json!("QUEUED")));
    world.complete("a", &["s3://reports/t/acme/d1/a/a.pdf"]);
    world.sweep().await;
    assert_eq!((world.at("a"), world.starts()), ("COMPLETED".to_owned(), 1));
}

#[tokio::test]
async fn a_lost_start_is_sent_again_with_the_same_id_after_the_lease_and_given_up_after_eight() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.state().refusals.insert("a".to_owned(), Answer::HangUp);
    world.sweep().await;
    world.pass(Duration::from_secs(299));
    world.sweep().await;
    assert_eq!(world.starts(), 1, "it may still arrive");
    for _ in 0..12 {
        world.pass(Duration::from_secs(301));
        world.sweep().await;
    }
    let ids: Vec<_> = world.state().starts.iter().map(|start| start["SnapshotJobId"].clone()).collect();
    assert_eq!(ids, vec![json!("a"); 9]);
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 0));
    assert!(world.job("a", "reason").as_str().unwrap().contains("in 9 attempts"));
}

#[tokio::test]
async fn a_job_that_exists_after_all_runs() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.state().refusals.insert("a".to_owned(), refusal(409, "ResourceExistsException"));
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("RUNNING".to_owned(), 1));
}

#[tokio::test]
async fn a_job_that_waited_a_day_expires_with_a_reason() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.pass(Duration::from_secs(25 * 60 * 60));
    world.sweep().await;
    assert_eq!((world.at("a"), world.starts()), ("EXPIRED".to_owned(), 0));
    assert_eq!(world.job("a", "open"), json!(null));
    assert!(world.job("a", "reason").as_str().unwrap().contains("within 24 hours"));
}

#[tokio::test]
async fn a_slot_is_left_for_a_tenant_that_has_waited_longer() {
    let world = World::new(1).await;
    world.queued("a", 1);
    let now = 1_765_307_746_000_u64;
    let waits = |since: u64, seen: u64| json!({"slot": {"S": "waiting#globex"}, "since": {"N": since.to_string()}, "seen": {"N": seen.to_string()}});
    world.state().dynamo.slots.insert("waiting#globex".to_owned(), waits(now - 60_000, now - 30_000));
    world.sweep().await;
    assert_eq!(world.at("a"), "QUEUED");
    assert!(world.state().dynamo.slots.contains_key("waiting#acme"), "it is in the line itself");
    // After two minutes without a poll, it no longer counts as waiting.
    world.pass(Duration::from_secs(120));
    world.sweep().await;
    assert_eq!(world.at("a"), "RUNNING");
    assert!(!world.state().dynamo.slots.contains_key("waiting#acme"));
}
