//! The same delivery again, in each state that the first one can leave behind.

use std::time::Duration;

use loopback::{Answer, reply};
use qlik_reload::{Error, Permanent, Retryable};
use serde_json::{Value, json};

use crate::world::*;

fn delivery() -> Value {
    json!({"appId": APP, "deliveryId": "rule/2024-05-01T10:00:00Z"})
}

fn kind(result: Result<Value, Error>) -> String {
    result.expect_err("a failure").name()
}

#[tokio::test]
async fn the_same_event_twice_is_one_reload() {
    let mut world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("RELOADING"))]);
    world.invoke(delivery()).await.unwrap();
    world.request_id = "request-2";
    let again = world.invoke(delivery()).await.unwrap();
    assert_eq!((&again["reloadId"], &again["status"]), (&json!(RELOAD), &json!("RELOADING")));
    assert_eq!((world.count(Route::Post), world.count(Route::App)), (1, 1));
    assert_eq!(world.count(Route::Reload), 2, "the second delivery looked at the first one's reload");
}

#[tokio::test]
async fn a_different_tick_or_app_is_a_different_reload() {
    let world = World::new().await;
    let mut other = reload("RELOADING");
    other["appId"] = json!(OTHER_APP);
    world.qlik(Route::Post, [reply(201, reload("RELOADING")), reply(201, other), reply(201, reload("RELOADING"))]);
    for event in [
        delivery(),
        json!({"appId": OTHER_APP, "deliveryId": "rule/2024-05-01T10:00:00Z"}),
        json!({"appId": APP, "deliveryId": "rule/2024-05-01T10:05:00Z"}),
    ] {
        world.invoke(event).await.unwrap();
    }
    assert_eq!(world.count(Route::Post), 3);
}

#[tokio::test]
async fn without_a_delivery_id_lambdas_request_id_distinguishes_a_retry_from_a_new_event() {
    let mut world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    world.invoke(event()).await.unwrap();
    world.invoke(event()).await.unwrap();
    assert_eq!(world.count(Route::Post), 1);
    world.request_id = "request-2";
    world.invoke(event()).await.unwrap();
    assert_eq!(world.count(Route::Post), 2);
}

#[tokio::test]
async fn an_unreplaced_placeholder_is_not_a_delivery_id() {
    let mut world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING")), reply(201, reload("RELOADING"))]);
    let event = json!({"appId": APP, "deliveryId": "<aws.scheduler.schedule-arn>/<aws.scheduler.scheduled-time>"});
    world.invoke(event.clone()).await.unwrap();
    world.request_id = "request-2";
    world.invoke(event).await.unwrap();
    assert_eq!(world.count(Route::Post), 2, "two ticks are two reloads");
}

#[tokio::test]
async fn a_successful_reload_is_reported_again_without_a_call() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("SUCCEEDED"))]);
    world.invoke(delivery()).await.unwrap();
    let calls = world.calls();
    assert_eq!(world.invoke(delivery()).await.unwrap()["status"], "SUCCEEDED");
    assert_eq!(world.calls(), calls);
}

#[tokio::test]
async fn a_permanent_failure_is_reported_again_without_a_call_for_an_hour() {
    let world = World::new().await;
    world.qlik(Route::App, [refusal(404)]);
    let first = world.invoke(delivery()).await.unwrap_err();
    let reads = world.secret_reads();
    for _ in 0..2 {
        assert_eq!(world.invoke(delivery()).await.unwrap_err(), first);
    }
    assert_eq!((world.calls(), world.secret_reads()), (1, reads));
    world.pass(Duration::from_secs(3601));
    world.invoke(delivery()).await.unwrap_err();
    assert_eq!(world.calls(), 2, "sent again later, it is tried again");
}

#[tokio::test]
async fn a_failed_reload_is_not_started_again_by_the_retries_its_error_causes() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("FAILED"))]);
    for _ in 0..3 {
        assert_eq!(kind(world.invoke(delivery()).await), "ReloadFailed");
    }
    assert_eq!((world.count(Route::Post), world.count(Route::Reload)), (1, 1));
}

#[tokio::test]
async fn a_reload_over_the_limit_is_started_again_by_the_next_delivery() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("EXCEEDED_LIMIT")), reply(201, reload("RELOADING"))]);
    assert_eq!(kind(world.invoke(delivery()).await), "ReloadLimitExceeded");
    world.invoke(delivery()).await.unwrap();
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (2, 0));
}

#[tokio::test]
async fn a_reload_whose_following_failed_is_followed_and_not_started_again() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [refusal(500)]);
    assert_eq!(kind(world.invoke(delivery()).await), "QlikUnavailable");
    assert_eq!(world.claim("status"), "INPROGRESS");
    world.qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["status"], "SUCCEEDED");
    assert_eq!((world.count(Route::Post), world.count(Route::App)), (1, 1));
    assert_eq!(world.claim("status"), "COMPLETED");
}

#[tokio::test]
async fn an_unknown_status_is_checked_again_by_the_next_delivery() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("PAUSED"))]).qlik(Route::Reload, [reply(200, reload("PAUSED"))]);
    assert_eq!(kind(world.invoke(delivery()).await), "ReloadUnknown");
    world.qlik(Route::Reload, [reply(200, reload("CANCELED"))]);
    assert_eq!(kind(world.invoke(delivery()).await), "ReloadCanceled");
    assert_eq!(world.count(Route::Post), 1);
}

/// Leaves the claim as a run that was killed right after its POST does, `noted` or not.
async fn killed_run(noted: bool) -> World {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("RELOADING"))]);
    world.invoke(delivery()).await.unwrap();
    let mut state = world.state();
    let item = state.table.values_mut().next().unwrap();
    item["status"] = json!({"S": "INPROGRESS"});
    if !noted {
        item.as_object_mut().unwrap().remove("data");
    }
    state.calls.clear();
    drop(state);
    world
}

#[tokio::test]
async fn nothing_is_started_while_another_run_is_working() {
    let world = killed_run(false).await;
    assert_eq!(kind(world.invoke(delivery()).await), "InProgress");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_reload_that_another_run_follows_is_followed_too_without_changing_the_claim() {
    let world = killed_run(true).await;
    let before = world.state().table.clone();
    assert_eq!(world.invoke(delivery()).await.unwrap()["status"], "RELOADING");
    assert_eq!((world.count(Route::Post), world.count(Route::Reload)), (0, 1));
    assert_eq!(world.state().table, before);
}

#[tokio::test]
async fn after_a_killed_run_the_reload_it_noted_is_followed() {
    let world = killed_run(true).await;
    world.pass(Duration::from_secs(61));
    assert_eq!(world.invoke(delivery()).await.unwrap()["status"], "RELOADING");
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (0, 0));
    assert_eq!(world.claim("status"), "COMPLETED");
}

#[tokio::test]
async fn after_a_killed_run_a_reload_it_may_have_started_is_looked_for_and_adopted() {
    let world = killed_run(false).await;
    world.pass(Duration::from_secs(61));
    world.qlik(Route::List, [page([reload("QUEUED")])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (0, 1));
    let query = world.request(Route::List).target;
    for part in [&format!("appId={APP}"), "filter=type+eq+%22external%22", "sort=-creationTime", "log=false"] {
        assert!(query.contains(part), "{query} lacks {part}");
    }
}

#[tokio::test]
async fn after_a_killed_run_that_started_nothing_the_reload_is_started() {
    let mut world = killed_run(false).await;
    world.state().table.retain(|id, _| !id.starts_with("reload#"));
    world.time_left = Duration::from_secs(900);
    world.pass(Duration::from_secs(61));
    let other = |field: &str, value: Value| {
        let mut reload = reload("QUEUED");
        reload["id"] = json!(OTHER_RELOAD);
        reload[field] = value;
        reload
    };
    world.qlik(
        Route::List,
        [page([
            other("appId", json!(OTHER_APP)),
            other("type", json!("chronos")),
            other("partial", json!(true)),
            other("weight", json!(5)),
            other("variables", json!({"a": VALUE})),
            other("creationTime", json!("2024-05-01T09:59:57Z")),
            other("creationTime", json!("yesterday")),
            json!({"id": "not a reload", "appId": APP, "status": "QUEUED"}),
        ])],
    );
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 1);
    assert!(world.slept() >= Duration::from_secs(119), "until two minutes after the end of the killed run");
}

#[tokio::test]
async fn of_several_reloads_since_the_first_is_adopted() {
    let world = killed_run(false).await;
    world.pass(Duration::from_secs(61));
    let mut later = reload("QUEUED");
    later["id"] = json!(OTHER_RELOAD);
    later["creationTime"] = json!("2024-05-01T10:00:30Z");
    world.qlik(Route::List, [page([later, reload("QUEUED")])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
}

#[tokio::test]
async fn a_post_without_an_answer_is_looked_for_before_the_next_is_sent() {
    for lost in [Answer::TimeOut, Answer::HangUp, refusal(500), refusal(502), refusal(504)] {
        let world = World::new().await;
        world.qlik(Route::Post, [lost]).qlik(Route::List, [page([reload("RELOADING")])]);
        assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
        assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 1));
        assert!(world.slept() >= Duration::from_secs(3), "the reload gets time to appear in the list");
    }
}

#[tokio::test]
async fn a_post_cut_off_by_the_end_of_the_run_is_looked_for_by_the_next() {
    let mut world = World::new().await;
    world.qlik(Route::Post, [Answer::TimeOut]).qlik(Route::List, [page([reload("RELOADING")])]);
    world.time_left = Duration::from_millis(7900);
    assert_eq!(kind(world.invoke(delivery()).await), "TimedOut");
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 0), "no time was left to look");
    world.time_left = Duration::from_secs(60);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn a_post_that_started_nothing_is_sent_again() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    world.qlik(Route::Post, [refusal(503), reply(201, reload("RELOADING"))]).qlik(Route::List, [page([])]);
    world.invoke(delivery()).await.unwrap();
    let mut calls: Vec<Route> = world.state().calls.iter().map(|(route, _)| *route).collect();
    calls.dedup();
    assert_eq!(calls, [Route::App, Route::Post, Route::List, Route::Post]);
    assert!(world.slept() >= Duration::from_secs(120), "the reload gets time to appear in the list");
}

#[tokio::test]
async fn a_reload_that_begins_late_and_is_listed_late_is_not_started_twice() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    let mut late = reload("RELOADING");
    late["creationTime"] = json!("2024-05-01T10:00:55Z");
    let mut pages: Vec<Answer> = vec![page([]); 25];
    pages.push(page([late]));
    world.qlik(Route::Post, [Answer::TimeOut]);
    world.state().answer_with(Route::List, pages);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 26));
}

#[tokio::test]
async fn a_run_whose_time_ends_before_the_reload_can_be_ruled_out_leaves_it_to_the_next() {
    let world = World::new().await;
    world.qlik(Route::Post, [refusal(502), reply(201, reload("RELOADING"))]).qlik(Route::List, [page([])]);
    assert_eq!(kind(world.invoke(delivery()).await), "QlikUnavailable");
    world.pass(Duration::from_secs(60));
    world.invoke(delivery()).await.unwrap();
    assert_eq!(world.count(Route::Post), 2);
}

#[tokio::test]
async fn a_reload_of_another_delivery_is_never_adopted() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    let mut other = reload("RELOADING");
    other["id"] = json!(OTHER_RELOAD);
    world.state().belongs_to_another(OTHER_RELOAD);
    world.qlik(Route::Post, [refusal(502), reply(201, reload("RELOADING"))]).qlik(Route::List, [page([other])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 2);
}

#[tokio::test]
async fn an_adopted_reload_belongs_to_the_delivery_that_adopted_it() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    world.qlik(Route::Post, [refusal(502)]).qlik(Route::List, [page([reload("RELOADING")])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    let mut own = reload("RELOADING");
    own["id"] = json!(OTHER_RELOAD);
    world.qlik(Route::Post, [refusal(502), reply(201, own)]);
    let next = json!({"appId": APP, "deliveryId": "next-tick"});
    assert_eq!(world.invoke(next).await.unwrap()["reloadId"], OTHER_RELOAD);
}

#[tokio::test]
async fn a_reload_that_another_delivery_took_first_is_replaced() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    let mut second = reload("RELOADING");
    second["id"] = json!(OTHER_RELOAD);
    world.state().belongs_to_another(RELOAD);
    world.qlik(Route::Post, [reply(201, reload("RELOADING")), reply(201, second)]).qlik(Route::List, [page([])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], OTHER_RELOAD);
}

#[tokio::test]
async fn an_accepted_post_whose_answer_cannot_be_read_is_never_sent_again() {
    let mut foreign = reload("QUEUED");
    foreign["appId"] = json!(OTHER_APP);
    let unreadable =
        [Answer::Stall { status: 201 }, reply(201, "<html>"), reply(200, reload("QUEUED")), reply(201, foreign)];
    for answer in unreadable {
        let world = World::new().await;
        world.qlik(Route::Post, [answer]).qlik(Route::List, [page([]), page([reload("RELOADING")])]);
        assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
        assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 2));
    }
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, "")]).qlik(Route::List, [page([])]);
    assert_eq!(kind(world.invoke(delivery()).await), "QlikUnavailable");
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn when_the_search_fails_nothing_is_sent_and_the_next_delivery_searches_again() {
    let world = World::new().await;
    world.qlik(Route::Post, [refusal(500)]).qlik(Route::List, [refusal(500)]);
    assert_eq!(kind(world.invoke(delivery()).await), "QlikUnavailable");
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 3));
    world.pass(Duration::from_secs(60));
    world.qlik(Route::List, [page([reload("RELOADING")])]);
    assert_eq!(world.invoke(delivery()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn the_same_delivery_id_with_a_different_request_is_refused() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    world.invoke(delivery()).await.unwrap();
    let mut other = delivery();
    other["partial"] = json!(true);
    let error = world.invoke(other).await.unwrap_err();
    assert!(matches!(error, Error::Permanent { kind: Permanent::KeyReused, .. }), "{error:?}");
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn an_expired_claim_counts_as_none_even_if_dynamodb_has_not_deleted_it() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    world.invoke(delivery()).await.unwrap();
    world.pass(Duration::from_secs(26 * 60 * 60));
    world.invoke(delivery()).await.unwrap();
    assert_eq!(world.count(Route::Post), 2);
}

#[tokio::test]
async fn in_progress_is_a_temporary_failure() {
    let world = killed_run(false).await;
    let error = world.invoke(delivery()).await.unwrap_err();
    assert!(matches!(error, Error::Retryable { kind: Retryable::InProgress, .. }), "{error:?}");
}

#[tokio::test]
async fn a_reload_that_an_earlier_run_took_is_found_before_any_other() {
    let world = World::new().await;
    let owner = format!("delivery#{APP}#tick");
    let taken = json!({"id": {"S": format!("reload#{RELOAD}")}, "owner": {"S": owner}, "expires": {"N": "2000000000"}});
    world.state().table.insert(format!("reload#{RELOAD}"), taken);
    let mut other = reload("QUEUED");
    other["id"] = json!(OTHER_RELOAD);
    world.qlik(Route::Post, [Answer::HangUp]).qlik(Route::List, [page([other, reload("QUEUED")])]);
    world.qlik(Route::Reload, [reply(200, reload("RELOADING"))]);
    let report = world.invoke(json!({"appId": APP, "deliveryId": "tick", "waitFor": "started"})).await.unwrap();
    assert_eq!(report["reloadId"], RELOAD);
    assert!(!world.state().table.contains_key(&format!("reload#{OTHER_RELOAD}")), "it is left to its own delivery");
}
