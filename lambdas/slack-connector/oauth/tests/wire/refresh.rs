//! Renewing a rotating token.

use loopback::{Answer, reply};
use serde_json::{Value, json};

use crate::world::*;

/// A world whose token expires in this many seconds.
async fn world(seconds: u64) -> World {
    let world = World::new().await;
    let token = json!({ "token": "xoxe.xoxp-canary-1", "refresh_token": "xoxe-canary-1", "expires": NOW + seconds });
    world.put_secret(TOKEN, &token.to_string());
    world.slack([reply(200, renewed())]);
    world
}

/// Slack's response with the next token.
fn renewed() -> Value {
    json!({
        "ok": true, "access_token": "xoxe.xoxp-canary-2", "refresh_token": "xoxe-canary-2", "expires_in": 43200,
        "token_type": "user", "scope": "admin.analytics:read", "user_id": "U1", "enterprise": {"id": ENTERPRISE},
    })
}

async fn refresh(world: &World) -> Result<Value, slack_oauth::Error> {
    world.invoke(json!({ "refresh": true })).await
}

#[tokio::test]
async fn a_token_is_renewed_four_hours_before_it_expires() {
    let world = world(4 * 3600).await;
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    let expected = json!({ "token": "xoxe.xoxp-canary-2", "refresh_token": "xoxe-canary-2", "expires": NOW + 43200 });
    assert_eq!(world.stored(), expected);
    let form = world.form(0);
    assert_eq!((form["grant_type"].as_str(), form["refresh_token"].as_str()), ("refresh_token", "xoxe-canary-1"));
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "the token is not due yet" })));
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_token_below_the_user_is_accepted_as_well() {
    let world = world(60).await;
    let token = json!({ "access_token": "xoxe.xoxp-canary-3", "refresh_token": "xoxe-canary-3", "expires_in": 10, "token_type": "user" });
    world.slack([reply(200, json!({ "ok": true, "authed_user": token }))]);
    refresh(&world).await.unwrap();
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-3");
}

#[tokio::test]
async fn slack_is_not_called_when_there_is_nothing_to_renew() {
    for (value, reason) in [
        (json!({ "token": OLD_TOKEN }), "the token does not rotate"),
        (json!({}), "there is no token"),
        (
            json!({ "token": OLD_TOKEN, "refresh_token": "xoxe-canary", "expires": NOW + 4 * 3600 + 1 }),
            "the token is not due yet",
        ),
    ] {
        let world = World::new().await;
        world.put_secret(TOKEN, &value.to_string());
        assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": reason })));
        assert!(world.calls().is_empty() && world.state().table.is_empty());
    }
    let world = World::new().await;
    world.state().secrets.remove(TOKEN);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "there is no token" })));
}

#[tokio::test]
async fn only_one_of_parallel_refreshes_calls_slack() {
    let world = world(60).await;
    let ran = tokio::join!(refresh(&world), refresh(&world), refresh(&world), refresh(&world));
    let done =
        [ran.0, ran.1, ran.2, ran.3].into_iter().filter(|answer| answer.as_ref().unwrap()["refreshed"] == true).count();
    assert_eq!((done, world.calls().len()), (1, 1));
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-2");
}

#[tokio::test]
async fn the_lease_of_a_dead_run_expires() {
    let world = world(60).await;
    world.hold_lease(90);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "another run is renewing it" })));
    world.pass(90);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
}

#[tokio::test]
async fn a_failed_refresh_is_an_error_and_leaves_the_token_unchanged() {
    for (answer, kind, expected) in [
        (reply(200, json!({"ok": false, "error": "invalid_refresh_token"})), "SlackRefused", "install the app again"),
        (reply(200, json!({"ok": false, "error": "ratelimited"})), "SlackUnavailable", "(ratelimited)"),
        (
            reply(200, json!({"ok": true, "access_token": "xoxe.xoxp-canary", "token_type": "user"})),
            "SlackUnavailable",
            "successor",
        ),
        (reply(200, json!({"ok": true})), "SlackUnavailable", "no user token"),
        (Answer::HangUp, "SlackUnavailable", "broke off"),
    ] {
        let world = world(60).await;
        world.slack([answer]);
        let error = refresh(&world).await.unwrap_err();
        assert!(error.name() == kind && error.message.contains(expected), "{error}");
        assert_eq!((world.stored()["token"].as_str(), world.calls().len()), (Some("xoxe.xoxp-canary-1"), 1));
        assert!(!world.state().table.contains_key("lease#token"), "the lease was released");
    }
}

#[tokio::test]
async fn a_refresh_token_that_another_run_has_just_used_is_not_sent_again() {
    let world = world(60).await;
    let renewed = json!({ "token": "xoxe.xoxp-canary-2", "refresh_token": "xoxe-canary-2", "expires": NOW + 43200 });
    world.state().before_lease = Some(renewed);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "another run was faster" })));
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn a_new_token_that_could_not_be_made_current_is_made_current_by_the_next_refresh() {
    let world = world(60).await;
    world.state().faults.insert("UpdateSecretVersionStage", Fault::Denies);
    assert_eq!(refresh(&world).await.unwrap_err().name(), "SecretUnavailable");
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-1");
    world.state().faults.clear();
    world.slack([reply(200, json!({"ok": false, "error": "invalid_refresh_token"}))]);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-2");
    assert_eq!(world.calls().len(), 1, "the used refresh token was not sent again");
}

#[tokio::test]
async fn a_token_whose_successor_could_not_be_stored_is_not_used_up() {
    let world = world(60).await;
    world.state().faults.insert("PutSecretValue", Fault::Denies);
    assert_eq!(refresh(&world).await.unwrap_err().name(), "SecretUnavailable");
    assert!(world.calls().is_empty(), "Slack was not called");
    world.state().faults.clear();
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    assert_eq!(world.form(0)["refresh_token"], "xoxe-canary-1");
}

#[tokio::test]
async fn a_token_that_was_waiting_until_it_is_due_itself_is_renewed() {
    let world = world(60).await;
    world.state().faults.insert("UpdateSecretVersionStage", Fault::Denies);
    refresh(&world).await.unwrap_err();
    world.state().faults.clear();
    world.pass(43200);
    let next = json!({"ok": true, "access_token": "xoxe.xoxp-canary-3", "refresh_token": "xoxe-canary-3", "expires_in": 43200, "token_type": "user"});
    world.slack([reply(200, next)]);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    assert_eq!(world.form(1)["refresh_token"], "xoxe-canary-2");
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-3");
}

#[tokio::test]
async fn a_token_that_was_overtaken_is_never_made_current() {
    let world = world(60).await;
    let due = json!({ "token": "xoxe.xoxp-canary-5", "refresh_token": "xoxe-canary-5", "expires": NOW + 60 });
    world.state().meanwhile = Some(due);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "another run was faster" })));
    let next = json!({"ok": true, "access_token": "xoxe.xoxp-canary-6", "refresh_token": "xoxe-canary-6", "expires_in": 43200, "token_type": "user"});
    world.slack([reply(200, next)]);
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    assert_eq!(world.form(1)["refresh_token"], "xoxe-canary-5");
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-6");
}

#[tokio::test]
async fn a_token_is_stored_again_if_secrets_manager_does_not_answer() {
    let world = world(60).await;
    world.state().repeated = Some(("PutSecretValue", 5));
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": true })));
    assert_eq!(world.stored()["token"], "xoxe.xoxp-canary-2");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn an_installation_takes_precedence_over_a_refresh() {
    let world = world(60).await;
    world.state().meanwhile = Some(json!({ "token": "xoxp-canary-installed" }));
    assert_eq!(refresh(&world).await, Ok(json!({ "refreshed": false, "reason": "another run was faster" })));
    assert_eq!(world.stored(), json!({ "token": "xoxp-canary-installed" }));
}

#[tokio::test]
async fn every_other_event_is_refused() {
    for event in [
        json!({}),
        json!({"refresh": false}),
        json!({"refresh": true, "token": OLD_TOKEN}),
        json!("refresh"),
        Value::Null,
    ] {
        let world = World::new().await;
        assert_eq!(world.invoke(event).await.unwrap_err().name(), "InvalidEvent");
    }
}
