//! Faults, and that each event still gets exactly one answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use function::Clock;
use loopback::{Answer, Request, reply};
use serde_json::json;
use warehouse_tests::SIGNATURE;

use crate::probe::{create, world_with};

#[tokio::test]
async fn an_answer_that_is_refused_twice_arrives_at_the_third_attempt_with_the_same_body() {
    let refused = Arc::new(Mutex::new(0));
    let world = world_with(move |_, request| {
        let mut refused = refused.lock().unwrap();
        *refused += usize::from(request.method == "PUT");
        (request.method == "PUT" && *refused < 3).then(|| reply(500, ""))
    })
    .await;
    world.handle(create()).await.unwrap();
    let bodies: Vec<_> = world.put().into_iter().map(|put| put.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]) && bodies[0].contains("SUCCESS"));
}

#[tokio::test]
async fn an_answer_that_never_arrives_fails_the_event_so_that_it_is_delivered_again() {
    let world = world_with(|_, request| (request.method == "PUT").then(|| reply(403, "expired"))).await;
    let error = world.handle(create()).await.unwrap_err();
    assert!(!error.to_string().contains(SIGNATURE));
    assert_eq!(world.put().len(), 3);
}

#[tokio::test]
async fn a_statement_that_does_not_end_in_time_is_cancelled_and_fails() {
    let world = world_with(|_, request| {
        (request.header("x-amz-target") == "RedshiftData.DescribeStatement")
            .then(|| reply(200, json!({"Id": "x", "Status": "STARTED"})))
    })
    .await;
    world.handle(create()).await.unwrap();
    let answer = world.answer();
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["Reason"], "could not create the schema: the statement did not end in time");
    assert_eq!(world.statements().len(), 1);
}

#[tokio::test]
async fn a_warehouse_that_stays_paused_fails_when_the_time_runs_out() {
    let world = world_with(|_, request| {
        let paused = json!({"__type": "ValidationException", "Message": "The cluster is paused"});
        (request.method == "POST").then(|| reply(400, paused))
    })
    .await;
    world.handle(create()).await.unwrap();
    let reason = world.answer()["Reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("could not create the schema: ") && reason.contains("paused"), "{reason}");
}

#[tokio::test]
async fn a_statement_that_loses_a_conflict_is_tried_again_until_the_time_is_over() {
    for (error, conflicts, status) in [
        ("ERROR: tuple concurrently updated", 1, "SUCCESS"),
        ("ERROR: could not complete because of conflict with concurrent transaction", 6, "SUCCESS"),
        ("ERROR: 1023 DETAIL: Serializable isolation violation on table - 1, transactions: 2, 3", 6, "SUCCESS"),
        ("ERROR: deadlock detected", usize::MAX, "FAILED"),
    ] {
        let left = Arc::new(Mutex::new(conflicts));
        let world = world_with(move |_, request| {
            let mut left = left.lock().unwrap();
            let is_lost = request.header("x-amz-target") == "RedshiftData.DescribeStatement" && *left > 0;
            is_lost.then(|| {
                *left -= 1;
                reply(200, json!({"Id": "x", "Status": "FAILED", "Error": error}))
            })
        })
        .await;
        world.handle(create()).await.unwrap();
        assert_eq!(world.answer()["Status"], status, "{error}");
        let submitted = world.statements();
        assert!(submitted.len() > conflicts.min(20), "{error}: {submitted:#?}");
    }
}

#[tokio::test]
async fn a_signature_that_is_not_valid_yet_is_not_the_end() {
    for code in ["InvalidSignatureException", "ExpiredTokenException"] {
        let left = Arc::new(Mutex::new(1));
        let world = world_with(move |_, request| {
            let mut left = left.lock().unwrap();
            let is_refused = request.method == "POST" && *left > 0;
            is_refused.then(|| {
                *left -= 1;
                reply(403, json!({"__type": code, "message": "Signature expired"}))
            })
        })
        .await;
        world.handle(create()).await.unwrap();
        assert_eq!(world.answer()["Status"], "SUCCESS", "{code}");
    }
}

#[tokio::test]
async fn a_failed_statement_is_reported_with_its_step_and_without_values() {
    let world = world_with(|_, request| {
        let failed =
            json!({"Id": "x", "Status": "FAILED", "Error": "ERROR: permission denied for 'canary'\n Detail: canary"});
        (request.header("x-amz-target") == "RedshiftData.DescribeStatement").then(|| reply(200, failed))
    })
    .await;
    world.handle(create()).await.unwrap();
    assert_eq!(world.answer()["Reason"], "could not create the schema: ERROR: permission denied for …");
}

#[test]
fn a_panic_is_answered_with_one_failed() {
    custom_resource::answer_when_panicking();
    // The panic ends the runtime's thread, so the bucket is served by another.
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let throttled = json!({"__type": "ThrottlingException", "Message": "x"});
    let world = serving
        .block_on(world_with(move |_, request| (request.method == "POST").then(|| reply(400, throttled.clone()))));
    // The function waits before it retries; this clock cannot wait.
    let clock = Clock::new(|| SystemTime::UNIX_EPOCH, |_| panic!("planted"));
    let (handler, event) = (world.handler_with(clock), world.event(create()));
    let panicked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(handler.handle(event)).unwrap();
    });
    assert!(panicked.join().is_err());
    let answer = world.answer();
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["PhysicalResourceId"], "acme-setup/InWarehouse/not-made");
}

#[tokio::test]
async fn a_run_that_is_dropped_halfway_answers_failed() {
    let serving = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = runtime.block_on(world_with(|_, request| (request.method == "POST").then_some(Answer::Silence)));
        (world, runtime)
    });
    let (world, runtime) = serving.join().unwrap();
    let handler = world.handler();
    let run = handler.handle(world.event(create()));
    assert!(tokio::time::timeout(Duration::from_millis(50), run).await.is_err());
    assert_eq!(world.answer()["Status"], "FAILED");
    runtime.shutdown_background();
}

/// Lost requests, lost answers, throttling and errors in random places, with Lambda's two additional deliveries.
#[test]
fn there_is_one_answer_and_each_statement_runs_once_whatever_is_lost() {
    let runs: Vec<_> = (0..8).map(|seed| std::thread::spawn(move || one_run(seed))).collect();
    for run in runs {
        run.join().unwrap();
    }
}

fn one_run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let random = Arc::new(Mutex::new(Rng::with_seed(seed)));
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let (faults, records) = (Arc::clone(&random), Arc::clone(&taken));
        let world = world_with(move |_, request: &Request| {
            let put = request.method == "PUT";
            let fault = match faults.lock().unwrap().u32(0..if put { 4 } else { 40 }) {
                0 => Some(Answer::HangUp),
                1 => Some(reply(500, "{}")),
                2 if !put => Some(reply(400, json!({"__type": "ThrottlingException", "Message": "x"}))),
                _ => None,
            };
            if put && fault.is_none() {
                records.lock().unwrap().push(request.body.clone());
            }
            fault
        })
        .await;
        let mut deliveries = 0;
        while deliveries < 3 {
            deliveries += 1;
            if world.handle(create()).await.is_ok() {
                break;
            }
        }
        let answers = taken.lock().unwrap().clone();
        assert!(answers.len() == 1 || (deliveries == 3 && answers.is_empty()), "seed {seed}: {answers:?}");
        let sent: Vec<_> = world.put().into_iter().map(|put| put.body).collect();
        assert!(sent.iter().all(|body| *body == sent[0]), "seed {seed}: {sent:?}");
        assert!(sent[0].contains("SUCCESS"), "seed {seed}: {sent:?}");
    });
}
