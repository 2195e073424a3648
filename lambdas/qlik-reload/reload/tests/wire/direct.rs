//! Direct events: what is sent to Qlik, how a reload is followed, and how failures are classified.

use std::time::Duration;

use loopback::{Answer, reply};
use qlik_reload::{Error, Permanent, Retryable};
use serde_json::{Value, json};

use crate::world::*;

#[track_caller]
fn permanent(result: Result<Value, Error>, expected: Permanent) -> String {
    match result {
        Err(Error::Permanent { kind, message }) if kind == expected => message,
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

#[track_caller]
fn retryable(result: Result<Value, Error>, expected: Retryable) -> String {
    match result {
        Err(Error::Retryable { kind, message, .. }) if kind == expected => message,
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

/// Qlik accepts the reload and then reports these statuses, one per status check.
async fn following<const N: usize>(statuses: [&str; N]) -> World {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]);
    world.qlik(Route::Reload, statuses.map(|status| reply(200, reload(status))));
    world
}

#[tokio::test]
async fn a_reload_is_started_once_and_followed_until_qlik_works_on_it() {
    let world = following(["QUEUED", "RELOADING", "SUCCEEDED"]).await;
    let result = world.invoke(event()).await.unwrap();
    assert_eq!(result["reloadId"], RELOAD);
    assert_eq!(result["appId"], APP);
    assert_eq!(result["status"], "RELOADING");
    assert_eq!(result["message"], "the application began the reload process with status: RELOADING");
    assert_eq!((world.count(Route::Post), world.count(Route::Reload)), (1, 2));
    assert_eq!(world.slept(), Duration::from_secs(6));
    assert_eq!((world.claim("status"), world.claim("expires")), ("COMPLETED".into(), "1714647606".into()));
}

#[tokio::test]
async fn no_status_check_is_needed_when_the_first_answer_says_enough() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "RELOADING");
    assert_eq!(world.count(Route::Reload), 0);
}

#[tokio::test]
async fn success_ends_the_status_checks() {
    let world = following(["SUCCEEDED"]).await;
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "SUCCEEDED");
    assert_eq!(world.count(Route::Reload), 1);
}

#[tokio::test]
async fn waiting_for_the_end_continues_past_reloading() {
    let world = following(["RELOADING", "RELOADING", "SUCCEEDED"]).await;
    let result = world.invoke(json!({"appId": APP, "waitFor": "finished"})).await.unwrap();
    assert_eq!(result["status"], "SUCCEEDED");
    assert_eq!(world.count(Route::Reload), 3);
}

#[tokio::test]
async fn a_failed_reload_is_an_error_with_qliks_code_and_text() {
    let world = following([]).await;
    let mut failed = reload("FAILED");
    failed["errorCode"] = json!("EngineFailed");
    failed["errorMessage"] = json!(format!("table not found\nat Bearer {KEY} eyJhbGciOiJ"));
    world.qlik(Route::Reload, [reply(200, failed)]);
    let message = permanent(world.invoke(event()).await, Permanent::ReloadFailed);
    assert_eq!(
        message,
        format!("reload {RELOAD} ended FAILED (EngineFailed): table not found at Bearer [redacted] [redacted]")
    );
}

#[tokio::test]
async fn a_failure_of_a_reload_with_variables_shows_no_text() {
    let world = following([]).await;
    let mut failed = reload("FAILED");
    failed["errorMessage"] = json!(format!("cannot load {VALUE}"));
    world.qlik(Route::Reload, [reply(200, failed)]);
    let event = json!({"appId": APP, "variables": {"vFile": VALUE}});
    let message = permanent(world.invoke(event).await, Permanent::ReloadFailed);
    assert!(message.contains("not shown"), "{message}");
}

#[tokio::test]
async fn every_other_end_is_a_failure() {
    let world = following(["CANCELING", "CANCELED"]).await;
    permanent(world.invoke(event()).await, Permanent::ReloadCanceled);
    assert_eq!(world.claim("status"), "COMPLETED");

    let world = following(["EXCEEDED_LIMIT"]).await;
    retryable(world.invoke(event()).await, Retryable::ReloadLimitExceeded);
    assert_eq!(world.claims(), 0, "the delivery is released");
}

#[tokio::test]
async fn a_reload_that_stays_queued_is_accepted_when_the_time_is_up() {
    let world = following(["QUEUED"]).await;
    let result = world.invoke(event()).await.unwrap();
    assert_eq!(result["status"], "QUEUED");
    assert_eq!(world.slept(), Duration::from_secs(54), "60 seconds less the reserve of 5, in steps of 3");
}

#[tokio::test]
async fn a_reload_that_has_not_ended_when_the_time_is_up_is_followed_by_the_retry() {
    for milliseconds in (0..3000).step_by(500) {
        for status in ["QUEUED", "RELOADING"] {
            let mut world = following([status]).await;
            world.time_left = Duration::from_millis(60_000 + milliseconds);
            let event = json!({"appId": APP, "waitFor": "finished"});
            let message = retryable(world.invoke(event.clone()).await, Retryable::StillRunning);
            assert!(message.contains(&format!("was still {status}")), "{message}");
            world.qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
            assert_eq!(world.invoke(event).await.unwrap()["status"], "SUCCEEDED");
            assert_eq!(world.count(Route::Post), 1);
        }
    }
}

#[tokio::test]
async fn an_active_reload_of_the_app_is_shared_if_the_delivery_asks_for_that() {
    for status in ["QUEUED", "RELOADING"] {
        let world = World::new().await;
        let mut active = reload(status);
        active["type"] = json!("chronos");
        active["creationTime"] = json!("2024-05-01T08:00:00Z");
        world.qlik(Route::List, [page([active])]).qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
        let event = json!({"appId": APP, "skipIfActive": true, "waitFor": "finished"});
        let result = world.invoke(event.clone()).await.unwrap();
        assert_eq!((&result["reloadId"], &result["status"]), (&json!(RELOAD), &json!("SUCCEEDED")));
        assert_eq!(result["alreadyActive"], true);
        assert_eq!(world.count(Route::Post), 0);
        let query = world.request(Route::List).target;
        assert!(query.contains("filter=%28status+eq+%22QUEUED%22%29+or+%28status+eq+%22RELOADING%22%29"), "{query}");
        world.invoke(event).await.unwrap();
        assert_eq!((world.count(Route::Post), world.count(Route::List)), (0, 1), "the redelivery has the same reload");
    }
}

#[tokio::test]
async fn without_an_active_reload_one_is_started() {
    let world = World::new().await;
    let idle = ["SUCCEEDED", "FAILED", "CANCELING", "CANCELED", "EXCEEDED_LIMIT"].map(reload);
    world.qlik(Route::List, [page(idle)]).qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    let result = world.invoke(json!({"appId": APP, "skipIfActive": true})).await.unwrap();
    assert!(result.get("alreadyActive").is_none(), "{result}");
    assert_eq!((world.count(Route::Post), world.request(Route::Post).body), (1, json!({"appId": APP}).to_string()));
}

#[tokio::test]
async fn an_event_can_name_its_app_in_its_detail() {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    let detail = json!({"order": {"app-id": APP}, "other": ["\"", 1]});
    let event = |path: &str| json!({"appIdFrom": path, "detail": detail, "deliveryId": path});
    assert_eq!(world.invoke(event("$.detail.order.app-id")).await.unwrap()["appId"], APP);
    for path in ["$.detail.order", "$.detail.app", "$.detail.order.app-id.x", "$.detail", "$.source", ""] {
        let message = permanent(world.invoke(event(path)).await, Permanent::InvalidRequest);
        assert!(message.contains(if path.len() > 9 { path } else { "appIdFrom" }), "{path}: {message}");
    }
    let hostile = json!({"appIdFrom": "$.detail.a", "detail": {"a": format!("{APP}\", \"weight\": \"10")}});
    permanent(world.invoke(hostile).await, Permanent::InvalidRequest);
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn an_unknown_status_is_polled_until_the_time_is_up_and_is_not_a_success() {
    let world = following(["PAUSED \u{1b}[2J"]).await;
    let message = retryable(world.invoke(event()).await, Retryable::ReloadUnknown);
    assert!(message.contains("UNKNOWN") && message.contains("`PAUSED2J`"), "{message}");
    assert_eq!(world.count(Route::Reload), 18);

    let world = following(["CANCELING"]).await;
    let message = retryable(world.invoke(event()).await, Retryable::StillRunning);
    assert!(message.contains("CANCELING"), "{message}");
}

#[tokio::test]
async fn requests_have_the_token_and_the_functions_name_and_only_the_options_that_were_set() {
    let world = following(["RELOADING"]).await;
    world.invoke(event()).await.unwrap();
    for route in [Route::App, Route::Post, Route::Reload] {
        let request = world.request(route);
        assert_eq!(request.header("authorization"), format!("Bearer {KEY}"));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("user-agent"), concat!("ferrostack-qlik-reload/", env!("CARGO_PKG_VERSION")));
    }
    assert_eq!(world.request(Route::App).target, format!("/api/v1/apps/{APP}"));
    assert_eq!(world.request(Route::Post).body, json!({"appId": APP}).to_string());
    assert_eq!(world.request(Route::Reload).target, format!("/api/v1/reloads/{RELOAD}"));
}

#[tokio::test]
async fn options_are_passed_on() {
    let world = following(["RELOADING"]).await;
    let event = json!({"appId": APP, "partial": true, "weight": 3, "variables": {"a": VALUE, "b": "é".repeat(256)}});
    world.invoke(event.clone()).await.unwrap();
    let sent: Value = serde_json::from_str(&world.request(Route::Post).body).unwrap();
    assert_eq!(sent, event);
}

#[tokio::test]
async fn an_invalid_event_is_refused_before_any_call() {
    let many: serde_json::Map<String, Value> = (0..21).map(|number| (format!("v{number}"), json!("x"))).collect();
    for (event, expected) in [
        (json!({}), "appId is missing"),
        (json!([]), "the event is a list"),
        (json!({"appId": 7}), "appId is a number"),
        (json!({"appId": ""}), "appId `` is not an app ID"),
        (json!({"appId": "../users/me"}), "appId `../users/me` is not an app ID"),
        (json!({"appId": format!("{{{APP}}}")}), "is not an app ID"),
        (json!({"appId": format!("{APP}0")}), "is not an app ID"),
        (json!({"appId": APP.to_uppercase()}), "is not an app ID"),
        (json!({"appId": APP.replace('6', "g")}), "is not an app ID"),
        (json!({"appId": APP.replace('-', "0")}), "is not an app ID"),
        (json!({"appId": "687ef393-f0ad-4c64-ac59-6db96712601%"}), "is not an app ID"),
        (json!({"appId": APP, "tenantUrl": VALUE}), "unknown field `tenantUrl`; must be one of appId, partial, weight"),
        (json!({"appId": APP, "partial": "true"}), "partial is a different text; must be true or false"),
        (json!({"appId": APP, "partial": null}), "partial is null"),
        (json!({"appId": APP, "weight": 0}), "must be a whole number from 1 to 10"),
        (json!({"appId": APP, "weight": 11}), "must be a whole number from 1 to 10"),
        (json!({"appId": APP, "weight": 1.5}), "must be a whole number from 1 to 10"),
        (json!({"appId": APP, "waitFor": "later"}), "waitFor is a different text; must be `started` or `finished`"),
        (json!({"appId": APP, "deliveryId": ""}), "deliveryId is not valid"),
        (json!({"appId": APP, "deliveryId": "a b"}), "deliveryId is not valid"),
        (json!({"appId": APP, "deliveryId": "x".repeat(257)}), "deliveryId is not valid"),
        (json!({"appId": APP, "variables": many}), "variables has 21 entries; must be at most 20"),
        (json!({"appId": APP, "variables": {"a": VALUE.repeat(13)}}), "`a` has a value of 273 characters"),
        (json!({"appId": APP, "variables": {"a": "é".repeat(257)}}), "`a` has a value of 257 characters"),
        (json!({"appId": APP, "variables": {"": "x"}}), "has 0 characters"),
        (json!({"appId": APP, "variables": {"n".repeat(257): "x"}}), "has 257 characters"),
        (json!({"appId": APP, "variables": {"a": [VALUE]}}), "the variable `a` is a list"),
        (json!({"appId": APP, "variables": VALUE}), "variables is a different text"),
        (json!({"detail-type": "Scheduled Event", "id": "1", "detail": {}}), "whole EventBridge event"),
    ] {
        let world = World::new().await;
        let message = permanent(world.invoke(event.clone()).await, Permanent::InvalidRequest);
        assert!(message.contains(expected), "{event}: {message}");
        assert_eq!((world.calls(), world.secret_reads(), world.claims()), (0, 0, 0), "{event}");
    }
}

#[tokio::test]
async fn an_app_outside_the_allowed_apps_is_refused_before_any_call() {
    let world = World::with(&[("ALLOWED_APPS", OTHER_APP)]).await;
    permanent(world.invoke(event()).await, Permanent::AppNotAllowed);
    assert_eq!((world.calls(), world.secret_reads()), (0, 0));

    let world = World::with(&[("ALLOWED_APPS", &format!("{OTHER_APP},{APP}"))]).await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    world.invoke(event()).await.unwrap();
}

#[tokio::test]
async fn an_app_that_cannot_be_read_is_reported_with_the_reason_and_never_reloaded() {
    for (status, kind) in [
        (400, Permanent::QlikRefused),
        (401, Permanent::Unauthorized),
        (403, Permanent::Forbidden),
        (404, Permanent::AppNotFound),
        (418, Permanent::QlikRefused),
        (204, Permanent::QlikUnexpected),
    ] {
        let world = World::new().await;
        world.qlik(Route::App, [refusal(status)]);
        let message = permanent(world.invoke(event()).await, kind);
        assert!(message.contains(&status.to_string()), "{message}");
        assert_eq!((world.count(Route::App), world.count(Route::Post)), (1, 0));
    }
}

#[tokio::test]
async fn a_refused_post_is_reported_with_the_reason_and_not_repeated() {
    for (status, kind) in [
        (400, Permanent::QlikRefused),
        (401, Permanent::Unauthorized),
        (403, Permanent::Forbidden),
        (404, Permanent::AppNotFound),
    ] {
        let world = World::new().await;
        world.qlik(Route::Post, [refusal(status)]);
        permanent(world.invoke(event()).await, kind);
        assert_eq!(world.count(Route::Post), 1);
    }
}

#[tokio::test]
async fn an_error_shows_qliks_text_without_tokens_and_at_most_512_bytes_of_it() {
    let world = World::new().await;
    let long = format!("Bearer {KEY} {KEY} eyJ0eXAiOiJKV1Qi.abc {}", "x".repeat(6000));
    world.qlik(Route::App, [reply(404, long)]);
    let message = permanent(world.invoke(event()).await, Permanent::AppNotFound);
    assert!(message.contains(": Bearer [redacted] [redacted] [redacted] xxx"), "{message}");
    assert!(message.len() < 512 + 200, "{}", message.len());
}

#[tokio::test]
async fn an_error_to_a_request_with_variables_shows_only_qliks_codes() {
    let world = World::new().await;
    world.qlik(Route::Post, [refusal_quoting(400, VALUE)]);
    let event = json!({"appId": APP, "variables": {"vFile": VALUE}});
    let message = permanent(world.invoke(event).await, Permanent::QlikRefused);
    assert!(message.ends_with("(400: HTTP-400)"), "{message}");
}

#[tokio::test]
async fn too_many_requests_waits_as_long_as_qlik_asks() {
    let throttled =
        |after: &str| Answer::Reply { status: 429, headers: vec![("Retry-After", after.into())], body: "{}".into() };
    for after in ["7", "Wed, 01 May 2024 10:00:07 GMT"] {
        let world = World::new().await;
        world.qlik(Route::Post, [throttled(after), reply(201, reload("RELOADING"))]);
        world.invoke(event()).await.unwrap();
        assert_eq!((world.count(Route::Post), world.count(Route::List)), (2, 0));
        let slept = world.slept();
        assert!(slept >= Duration::from_secs(7) && slept <= Duration::from_secs(8), "{slept:?}");
    }

    let world = World::new().await;
    world.qlik(Route::Post, [throttled("2")]);
    retryable(world.invoke(event()).await, Retryable::Throttled);
    assert_eq!(world.count(Route::Post), 3, "three attempts per run");
    assert!(world.state().table.is_empty(), "nothing was started, so the delivery is released");

    let world = World::new().await;
    world.qlik(Route::Post, [throttled("3600")]);
    retryable(world.invoke(event()).await, Retryable::Throttled);
    assert_eq!(
        (world.count(Route::Post), world.slept()),
        (1, Duration::ZERO),
        "an hour does not fit, so the wait is not started"
    );
}

#[tokio::test]
async fn a_server_error_is_tried_three_times_and_then_left_to_the_next_delivery() {
    for (answer, kind) in [
        (refusal(500), Retryable::QlikUnavailable),
        (refusal(503), Retryable::QlikUnavailable),
        (Answer::HangUp, Retryable::QlikUnavailable),
    ] {
        let world = World::new().await;
        world.qlik(Route::App, [answer]);
        retryable(world.invoke(event()).await, kind);
        assert_eq!((world.count(Route::App), world.count(Route::Post)), (3, 0));
        assert!(world.state().table.is_empty());
    }
}

#[tokio::test]
async fn one_failed_status_check_does_not_stop_the_following() {
    let world = following([]).await;
    world.qlik(Route::Reload, [refusal(502), Answer::HangUp, reply(200, reload("RELOADING"))]);
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "RELOADING");
}

#[tokio::test]
async fn an_unreachable_qlik_is_retryable_and_releases_the_delivery() {
    let world = World::with(&[("QLIK_ENDPOINT_URL", "http://127.0.0.1:9")]).await;
    retryable(world.invoke(event()).await, Retryable::QlikUnreachable);
    assert!(world.state().table.is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    let elsewhere = format!("http://{}/api/v1/reloads/stolen", world.address);
    let redirect = |status| Answer::Reply { status, headers: vec![("Location", elsewhere.clone())], body: Vec::new() };
    for status in [301, 302, 307, 308] {
        world.qlik(Route::App, [redirect(status)]);
        let before = world.calls();
        let result = world.invoke(json!({"appId": APP, "deliveryId": format!("d{status}")})).await;
        let message = permanent(result, Permanent::QlikUnexpected);
        assert!(message.contains("redirect"), "{message}");
        assert_eq!(world.calls(), before + 1);
    }
    world.qlik(Route::App, [reply(200, "{}")]).qlik(Route::Post, [redirect(307)]);
    permanent(world.invoke(event()).await, Permanent::QlikUnexpected);
    assert_eq!((world.count(Route::Post), world.count(Route::Reload)), (1, 0));
}

#[tokio::test]
async fn the_log_of_a_reload_is_skipped() {
    let world = following([]).await;
    let mut long = reload("SUCCEEDED");
    long["log"] = json!("\"x\\".repeat(5 * 1024 * 1024));
    world.qlik(Route::Reload, [reply(200, long)]);
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let world = following([]).await;
    let mut endless = reload("SUCCEEDED");
    endless["log"] = json!(vec!["x"; 1024 * 1024]);
    world.qlik(Route::Reload, [reply(200, endless), reply(200, reload("RELOADING"))]);
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "RELOADING");
    assert!(world.log().contains("too long"));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_awaited() {
    let world = following([]).await;
    world.qlik(Route::Reload, [Answer::Stall { status: 200 }, reply(200, reload("RELOADING"))]);
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "RELOADING");
    assert!(world.log().contains("did not respond in time"));
}

#[tokio::test]
async fn a_function_with_too_little_time_says_so_before_it_starts_anything() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(5);
    let message = retryable(world.invoke(event()).await, Retryable::TimedOut);
    assert!(message.contains("no time is left"), "{message}");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn the_log_has_one_json_line_per_step() {
    let world = following(["RELOADING"]).await;
    world.invoke(event()).await.unwrap();
    let log = world.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<&str> =
        lines.iter().filter(|line| line["level"] == "INFO").filter_map(|line| line["step"].as_str()).collect();
    assert_eq!(steps, ["received", "claim", "secret", "post", "poll", "end"]);
    assert!(lines.iter().all(|line| line["span"]["request_id"] == "request-1"), "{log}");
}
