//! From a slot to the end of a job.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dynamo::Fault;
use crate::world::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A world in which job `a` runs.
async fn running() -> World {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.sweep().await;
    world
}

fn files(world: &World, id: &str) -> Value {
    serde_json::from_str(world.job(id, "files").as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_job_that_quicksight_queued_is_running_and_never_started_again() {
    let world = running().await;
    for _ in 0..3 {
        world.sweep().await;
    }
    assert_eq!((world.at("a"), world.job("a", "remoteStatus")), ("RUNNING".to_owned(), json!("QUEUED")));
    assert_eq!(world.starts(), 1);
}

#[tokio::test]
async fn all_files_of_a_completed_job_are_recorded_by_either_kind_of_address() {
    let world = running().await;
    world.complete(
        "a",
        &["s3://reports/t/acme/d1/a/1.pdf", "https://reports.s3.eu-west-1.amazonaws.com/t/acme/d1/a/2%203.pdf"],
    );
    assert_eq!(world.sweep().await["ended"], 1);
    assert_eq!(
        files(&world, "a"),
        json!([{"format": "PDF", "key": "t/acme/d1/a/1.pdf"}, {"format": "PDF", "key": "t/acme/d1/a/2 3.pdf"}])
    );
    assert_eq!((world.at("a"), world.job("a", "open"), world.slots_taken()), ("COMPLETED".to_owned(), json!(null), 0));
    assert_eq!(world.job("a", "expires"), json!("1767899746"), "30 days later, in seconds");
}

#[tokio::test]
async fn a_result_without_its_own_file_fails_with_a_reason_and_blocks_no_other_job() {
    let elsewhere = "s3://reports/t/globex/d1/a/1.pdf";
    for (uris, reason) in
        [(vec![], "NO_FILE"), (vec![elsewhere], "FILE_OUT_OF_PLACE"), (vec!["junk"], "FILE_OUT_OF_PLACE")]
    {
        let world = running().await;
        world.queued("b", 2);
        world.complete("a", &uris);
        world.sweep().await;
        assert_eq!((world.at("a"), world.at("b")), ("FAILED".to_owned(), "RUNNING".to_owned()));
        assert!(world.job("a", "reason").as_str().unwrap().contains(reason));
    }
}

#[tokio::test]
async fn a_failed_jobs_reason_is_kept() {
    let world = running().await;
    let result =
        json!({"JobStatus": "FAILED", "ErrorInfo": {"ErrorType": "INTERNAL", "ErrorMessage": "no such sheet"}});
    world.state().remote.insert("a".to_owned(), ("FAILED", result));
    world.sweep().await;
    assert_eq!((world.at("a"), world.job("a", "remoteStatus")), ("FAILED".to_owned(), json!("FAILED")));
    assert_eq!(world.job("a", "reason"), json!(r#"{"type":"INTERNAL","message":"no such sheet"}"#));
}

#[tokio::test]
async fn a_file_ends_its_job_and_starts_the_next_and_a_repeated_event_does_nothing() {
    let world = running().await;
    world.queued("b", 2);
    world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
    assert_eq!(world.created("reports", "t/acme/d1/a/1.pdf").await["ended"], 1);
    assert_eq!((world.at("a"), world.at("b")), ("COMPLETED".to_owned(), "RUNNING".to_owned()));
    let nothing = json!({"followed": 0, "claimed": 0, "ended": 0, "failures": 0});
    for (bucket, key) in [
        ("reports", "t/acme/d1/a/1.pdf"),
        ("reports", "t/acme/d1/unknown/1.pdf"),
        ("reports", "t/globex/d1/b/1.pdf"),
        ("reports", "t/acme/d1/b"),
        ("reports", "t/acme/../b/1.pdf"),
        ("other", "t/acme/d1/b/1.pdf"),
    ] {
        assert_eq!(world.created(bucket, key).await, nothing, "{bucket} {key}");
    }
}

#[tokio::test]
async fn a_job_about_which_quicksight_does_not_answer_for_an_hour_is_delivered() {
    let world = running().await;
    world.state().broken.push("a".to_owned());
    for _ in 0..12 {
        world.sweep().await;
        world.pass(Duration::from_secs(5 * 60));
    }
    assert_eq!((world.at("a"), world.slots_taken()), ("RUNNING".to_owned(), 1));
    world.state().broken.clear();
    world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("COMPLETED".to_owned(), 0));
}

#[tokio::test]
async fn a_job_about_which_quicksight_never_answers_blocks_no_other_and_finally_fails() {
    let world = World::new(2).await;
    world.queued("a", 1);
    world.queued("b", 2);
    world.sweep().await;
    world.state().broken.push("a".to_owned());
    world.complete("b", &["s3://reports/t/acme/d1/b/1.pdf"]);
    world.sweep().await;
    assert_eq!(world.at("b"), "COMPLETED");
    world.pass(6 * HOUR);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 1), "it may still run");
    assert!(world.job("a", "reason").as_str().unwrap().contains("for 6 hours"));
    world.pass(42 * HOUR);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken(), world.job("a", "open")), ("FAILED".to_owned(), 0, json!(null)));
}

#[tokio::test]
async fn an_answer_ends_the_silence() {
    let world = running().await;
    for _ in 0..4 {
        world.state().broken.push("a".to_owned());
        world.sweep().await;
        world.pass(3 * HOUR);
        world.state().broken.clear();
        world.sweep().await;
    }
    assert_eq!((world.at("a"), world.job("a", "silent")), ("RUNNING".to_owned(), json!(null)));
}

#[tokio::test]
async fn a_job_that_was_given_up_and_completes_after_all_is_delivered() {
    for silent in [true, false] {
        let world = running().await;
        if silent {
            world.state().broken.push("a".to_owned());
            world.sweep().await;
        }
        world.pass(24 * HOUR);
        world.sweep().await;
        assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 1));
        world.state().broken.clear();
        world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
        world.sweep().await;
        assert_eq!((world.at("a"), world.slots_taken()), ("COMPLETED".to_owned(), 0));
        assert_eq!((world.job("a", "open"), world.job("a", "reason")), (json!(null), json!(null)));
        assert_eq!(files(&world, "a").as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn a_job_that_runs_for_a_day_is_given_up_and_keeps_its_slot_for_another_day_at_most() {
    let world = running().await;
    world.pass(24 * HOUR);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 1));
    world.pass(23 * HOUR);
    world.sweep().await;
    assert_eq!(world.slots_taken(), 1);
    world.pass(HOUR);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken(), world.job("a", "open")), ("FAILED".to_owned(), 0, json!(null)));
}

#[tokio::test]
async fn a_completed_job_whose_result_is_never_ready_has_its_slot_for_an_hour_more() {
    let world = running().await;
    world.state().remote.insert("a".to_owned(), ("COMPLETED", Value::Null));
    world.sweep().await;
    world.pass(HOUR - Duration::from_secs(1));
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("RUNNING".to_owned(), 1));
    world.pass(Duration::from_secs(1));
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 0));
    assert!(world.job("a", "reason").as_str().unwrap().contains("NO_RESULT"));
}

#[tokio::test]
async fn a_status_that_nobody_knows_ends_the_job_with_its_result_or_after_an_hour() {
    let world = running().await;
    world.state().remote.insert("a".to_owned(), ("CANCELLED", json!({"JobStatus": "CANCELLED"})));
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 0));
    assert!(world.job("a", "reason").as_str().unwrap().contains("CANCELLED"));
    let world = running().await;
    world.state().remote.insert("a".to_owned(), ("CANCELLED", Value::Null));
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("RUNNING".to_owned(), 1), "it may be a new word for running");
    world.pass(HOUR);
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken()), ("FAILED".to_owned(), 0));
    assert!(world.job("a", "reason").as_str().unwrap().contains("CANCELLED"));
}

#[tokio::test]
async fn the_slot_of_a_job_that_was_deleted_by_hand_is_freed_when_quicksight_is_done() {
    let world = running().await;
    world.state().dynamo.jobs.clear();
    world.pass(Duration::from_secs(301));
    world.sweep().await;
    assert_eq!(world.slots_taken(), 1, "it still runs");
    world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
    world.sweep().await;
    assert_eq!(world.slots_taken(), 0);
}

#[tokio::test]
async fn the_slot_of_a_job_that_was_deleted_by_hand_is_freed_in_the_end_whatever_quicksight_says() {
    for broken in [true, false] {
        let world = running().await;
        world.state().dynamo.jobs.clear();
        if broken {
            world.state().broken.push("a".to_owned());
        }
        world.pass(47 * HOUR);
        world.sweep().await;
        assert_eq!(world.slots_taken(), 1);
        world.pass(HOUR);
        world.sweep().await;
        assert_eq!(world.slots_taken(), 0);
    }
}

#[tokio::test]
async fn a_job_that_quicksight_no_longer_knows_fails_after_an_hour_and_not_at_the_first_answer() {
    let world = running().await;
    world.pass(Duration::from_secs(600));
    let known = world.state().remote.remove("a").unwrap();
    world.sweep().await;
    world.pass(HOUR / 2);
    world.sweep().await;
    assert_eq!((world.at("a").as_str(), world.slots_taken()), ("RUNNING", 1));
    // It was a wrong answer, and the next one is another.
    world.state().remote.insert("a".to_owned(), known);
    world.sweep().await;
    world.state().remote.remove("a");
    world.sweep().await;
    world.pass(HOUR - Duration::from_secs(1));
    world.sweep().await;
    assert_eq!((world.at("a").as_str(), world.slots_taken()), ("RUNNING", 1));
    world.pass(Duration::from_secs(1));
    world.sweep().await;
    assert_eq!((world.at("a").as_str(), world.slots_taken()), ("FAILED", 0));
    assert!(world.job("a", "reason").as_str().unwrap().contains("VANISHED"));
}

#[tokio::test]
async fn the_slot_of_a_tenant_that_is_gone_is_freed_after_three_days() {
    let world = World::new(1).await;
    let since = 1_765_307_746_000_u64;
    let slot = json!({"slot": {"S": "slot#0"}, "job": {"S": "globex/d1/x"}, "tenant": {"S": "globex"}, "since": {"N": since.to_string()}});
    world.state().dynamo.slots.insert("slot#0".to_owned(), slot);
    world.pass(71 * HOUR);
    world.sweep().await;
    assert_eq!(world.slots_taken(), 1);
    world.pass(HOUR);
    world.sweep().await;
    assert_eq!(world.slots_taken(), 0);
}

#[tokio::test]
async fn a_job_that_the_index_does_not_show_yet_keeps_its_slot() {
    let world = running().await;
    world.state().dynamo.jobs.get_mut("a").unwrap().as_object_mut().unwrap().remove("open");
    world.pass(Duration::from_secs(301));
    world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
    world.sweep().await;
    assert_eq!(world.slots_taken(), 1);
}

#[tokio::test]
async fn a_slot_that_was_removed_by_hand_does_not_block_the_end() {
    let world = running().await;
    world.state().dynamo.slots.clear();
    world.complete("a", &["s3://reports/t/acme/d1/a/1.pdf"]);
    world.sweep().await;
    assert_eq!(world.at("a"), "COMPLETED");
}

#[tokio::test]
async fn a_poll_only_reads_the_open_jobs_however_many_have_ended() {
    let world = World::new(5).await;
    for n in 0..10_000 {
        let id = format!("old-{n}");
        let ended = json!({"dashboardId": {"S": "d1"}, "jobId": {"S": id}, "state": {"S": "COMPLETED"}});
        world.state().dynamo.jobs.insert(id, ended);
    }
    for n in 0..50 {
        world.queued(&format!("new-{n:02}"), n);
    }
    assert_eq!(world.sweep().await["claimed"], 5);
    assert_eq!(world.state().dynamo.items_read, 50, "the queue; no slot is taken and nobody waits");
    world.state().dynamo.items_read = 0;
    world.sweep().await;
    assert_eq!(
        world.state().dynamo.items_read,
        5 + 45 + 2 * 6,
        "what runs, what waits, and twice the slots and the place in line"
    );
    assert_eq!(world.state().dynamo.count("Scan"), 4, "of the slot table");
}

#[tokio::test]
async fn every_page_of_the_index_is_read() {
    let world = World::new(7).await;
    world.state().dynamo.page = 2;
    for n in 0..7 {
        world.queued(&format!("job-{n}"), n);
    }
    assert_eq!(world.sweep().await["claimed"], 7);
    assert_eq!(world.sweep().await["followed"], 7);
}

#[tokio::test]
async fn an_unreadable_item_is_skipped() {
    let world = World::new(1).await;
    world.queued("a", 1);
    world.queued("b", 2);
    world.state().dynamo.jobs.get_mut("a").unwrap()["state"] = json!({"S": "SOMETHING"});
    let sweep = world.sweep().await;
    assert_eq!((&sweep["claimed"], &sweep["failures"]), (&json!(1), &json!(1)));
    assert_eq!(world.at("b"), "RUNNING");
}

#[tokio::test]
async fn a_poll_ends_before_its_time_runs_out() {
    let mut world = World::new(5).await;
    world.queued("a", 1);
    world.time_left = Duration::ZERO;
    assert_eq!(world.sweep().await["claimed"], 0);
    assert_eq!(world.at("a"), "QUEUED");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_an_error_without_its_name() {
    let world = running().await;
    world.state().dynamo.faults = [Fault::Denies].into();
    let error = world.invoke(json!({"sweep": true})).await.unwrap_err();
    assert_eq!(error, "the index of open jobs cannot be used: AccessDeniedException");
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_the_same_claim() {
    let world = World::new(1).await;
    world.queued("a", 1);
    // The started jobs, the slots, the queued jobs and again the slots are read; then comes the claim.
    world.state().dynamo.faults = [Fault::Works, Fault::Works, Fault::Works, Fault::Works, Fault::LosesAnswer].into();
    world.sweep().await;
    assert_eq!((world.at("a"), world.slots_taken(), world.starts()), ("RUNNING".to_owned(), 1, 1));
}

#[tokio::test]
async fn any_other_event_is_refused() {
    let world = World::new(1).await;
    for event in [json!({}), json!({"sweep": "yes"}), json!({"source": "aws.s3"}), json!([])] {
        assert!(world.invoke(event).await.unwrap_err().contains(r#"{"sweep":true}"#));
    }
}
