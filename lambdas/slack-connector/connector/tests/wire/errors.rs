//! How Slack, Secrets Manager and time can disturb a query, and that none of it becomes an empty table.

use std::time::Duration;

use athena_federation::Kind;
use loopback::{Answer, reply};
use serde_json::json;

use crate::world::{NEW_TOKEN, TOKEN, World, file, limited, listed, members, no, read};

const DAY: &str = "2026-11-10";

#[tokio::test]
async fn a_refusal_by_slack_is_an_error_that_names_its_code() {
    for (code, kind, says) in [
        ("token_revoked", Kind::AccessDenied, "install the Slack app again"),
        ("token_expired", Kind::AccessDenied, "install the Slack app again"),
        ("invalid_auth", Kind::AccessDenied, "install the Slack app again"),
        ("missing_scope", Kind::AccessDenied, "admin.analytics:read"),
        ("not_an_admin", Kind::AccessDenied, "administrator"),
        ("feature_not_enabled", Kind::NotConfigured, "owner of the Slack organization"),
        ("org_level_email_display_disabled", Kind::NotConfigured, "owner of the Slack organization"),
        ("invalid_date", Kind::Unavailable, DAY),
        ("fatal_error", Kind::Unavailable, "run the query again"),
        ("brand_new_error", Kind::Unavailable, "leave that day out"),
    ] {
        let world = World::new().await;
        world.slack([no(code)]);
        let error = world.refused(DAY).await;
        assert!(
            error.kind == kind && error.message.contains(says) && error.message.contains(code),
            "{code}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_ok_but_has_no_file_is_an_error() {
    let world = World::new().await;
    for answer in [
        reply(200, json!({"ok": true})),
        file(r#"{"ok":false,"error":"token_revoked"}"#),
        reply(200, ""),
        reply(200, "<html>"),
    ] {
        world.slack([answer]);
        world.refused(DAY).await;
    }
}

#[tokio::test]
async fn a_day_without_a_file_has_no_rows_unless_slack_has_deleted_it() {
    let world = World::new().await;
    for code in ["file_not_found", "data_not_available"] {
        world.slack([no(code)]);
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 0);
        let error = world.refused("2020-11-10").await;
        assert!(error.message.contains("2020-11-10 is no longer available"), "{error}");
    }
    assert!(world.log().contains("no file of this day"));
}

#[tokio::test]
async fn an_unfinished_day_is_left_out_of_an_open_window_and_fails_a_query_that_names_it() {
    let world = World::new().await;
    world.slack([no("file_not_yet_available")]);
    assert_eq!(world.read("2026-11-20").await.unwrap().num_rows(), 0);
    assert!(world.log().contains("it is left out"));
    let mut named = read("2026-11-20");
    named["constraints"]["summary"] = listed("date", &["2026-11-20"], true);
    let error = world.invoke(named).await.unwrap_err();
    assert!(error.message.contains("not finished the file of 2026-11-20"), "{error}");
    // Two weeks are not a delay.
    assert_eq!(world.refused("2026-11-06").await.kind, Kind::Unavailable);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_if_there_is_time() {
    let world = World::new().await;
    world.slack([limited(30), limited(45), file(&members(DAY))]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
    let waited = world.time.slept();
    assert!((75..77).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test]
async fn a_rate_limit_beyond_the_time_is_athenas_throttle_error_before_any_row() {
    for (time_left, answer) in [(55, limited(30)), (900, limited(u64::MAX)), (50, no("ratelimited"))] {
        let mut world = World::new().await;
        world.time_left = Duration::from_secs(time_left);
        world.slack([answer]);
        let error = world.refused(DAY).await;
        assert_eq!(error.error_type(), "com.amazonaws.athena.connector.lambda.exceptions.FederationThrottleException");
        assert!(world.state().objects.is_empty() && world.time.slept().is_zero());
    }
}

#[tokio::test]
async fn a_fault_before_the_first_row_is_retried_once() {
    let stalled = Answer::Stall { status: 200 };
    for fault in [reply(503, ""), Answer::HangUp, no("internal_error"), Answer::TimeOut, stalled] {
        is_retried_once(fault).await;
    }
}

async fn is_retried_once(fault: Answer) {
    let world = World::new().await;
    world.slack([fault.clone(), file(&members(DAY))]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3, "{fault:?}");
    let world = World::new().await;
    world.slack([fault.clone(), fault.clone(), file(&members(DAY))]);
    assert_eq!(world.refused(DAY).await.kind, Kind::Unavailable, "{fault:?}");
    assert_eq!(world.state().calls.len(), 2);
}

#[tokio::test]
async fn a_file_that_arrives_too_slowly_is_an_error_before_lambda_ends_the_function() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(20);
    world.slack([Answer::Stall { status: 200 }]);
    let error = world.refused(DAY).await;
    assert!(error.kind == Kind::Unavailable && error.message.contains("within this function's time"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    let headers = vec![("Location", "http://127.0.0.1:1/".to_owned())];
    world.slack([Answer::Reply { status: 302, headers, body: Vec::new() }]);
    assert!(world.refused(DAY).await.message.contains("HTTP 302"));
}

#[tokio::test]
async fn a_token_that_was_rotated_meanwhile_is_read_again_once() {
    let world = World::new().await;
    world.state().secrets = [TOKEN, NEW_TOKEN].map(|token| Ok(json!({"token": token}).to_string())).into();
    world.slack([no("token_expired"), file(&members(DAY))]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
    assert_eq!(world.state().calls[1].header("authorization"), format!("Bearer {NEW_TOKEN}"));
    // Without a different token, Slack is not called again.
    let world = World::new().await;
    world.slack([no("token_expired")]);
    world.refused(DAY).await;
    let state = world.state();
    assert_eq!((state.calls.len(), state.secret_reads), (1, 2));
}

#[tokio::test]
async fn a_secret_without_a_token_is_an_error_before_slack_is_called() {
    for (secret, kind, says) in [
        (Err("ResourceNotFoundException"), Kind::NotConfigured, "not connected"),
        (Err("AccessDeniedException"), Kind::Unavailable, "AccessDeniedException"),
        (Ok(TOKEN.to_owned()), Kind::NotConfigured, "usable"),
        (Ok(String::new()), Kind::NotConfigured, "not connected"),
        (Ok("{}".to_owned()), Kind::NotConfigured, "not connected"),
        (Ok(json!({"key": TOKEN}).to_string()), Kind::NotConfigured, "not connected"),
        (Ok(json!({"token": format!("{TOKEN}\nx")}).to_string()), Kind::NotConfigured, "usable"),
    ] {
        let world = World::new().await;
        world.state().secrets = [secret].into();
        let error = world.refused(DAY).await;
        assert!(error.kind == kind && error.message.contains(says), "{error:?}");
        assert!(world.state().calls.is_empty());
    }
}
