//! Revoking a token.

use loopback::{Answer, reply};
use serde_json::json;

use crate::browser::*;
use crate::world::*;

#[tokio::test]
async fn a_token_is_revoked_at_slack_and_then_deleted() {
    let world = World::new().await;
    world.slack([reply(200, json!({"ok": true, "revoked": true}))]);
    let token = REVOKE.token();
    let page = world.open(request("GET", "/revoke", &format!("t={token}"))).await;
    assert!(page.status == 200 && page.html.contains(r#"action="revoke""#) && page.html.contains("Revoke the token"));
    assert!(page.headers["Content-Security-Policy"].as_str().unwrap().contains("form-action 'self';"));
    assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }));
    let page = world.open(submit("/revoke", &token)).await;
    assert!(page.status == 200 && page.html.contains("Slack is disconnected"), "{page:?}");
    assert_eq!((world.stored(), world.calls()), (json!({}), vec!["/api/auth.revoke".to_owned()]));
    assert_eq!(world.state().calls[0].header("authorization"), format!("Bearer {OLD_TOKEN}"));
    assert_eq!(world.open(submit("/revoke", &token)).await.status, 410);
}

#[tokio::test]
async fn a_rotating_token_is_deleted_with_its_refresh_token() {
    let world = World::new().await;
    let token = json!({ "token": OLD_TOKEN, "refresh_token": "xoxe-canary-1", "expires": NOW + 60 });
    world.put_secret(TOKEN, &token.to_string());
    world.slack([reply(200, json!({"ok": false, "error": "invalid_auth"})), reply(200, json!({"ok": true}))]);
    assert_eq!(world.open(submit("/revoke", &REVOKE.token())).await.status, 200);
    let bearers: Vec<String> = world.state().calls.iter().map(|call| call.header("authorization").to_owned()).collect();
    assert_eq!(bearers, ["Bearer xoxe-canary-1".to_owned(), format!("Bearer {OLD_TOKEN}")]);
    assert_eq!(world.stored(), json!({}));
}

#[tokio::test]
async fn a_token_that_slack_did_not_revoke_is_kept() {
    for (answer, expected) in [
        (Answer::HangUp, 502),
        (reply(500, ""), 502),
        (reply(200, json!({"ok": false, "error": "fatal_error"})), 502),
        (reply(200, json!({"ok": false, "error": "not_allowed_token_type"})), 400),
        (reply(200, "[]"), 502),
    ] {
        let world = World::new().await;
        world.slack([answer]);
        assert_eq!(world.open(submit("/revoke", &REVOKE.token())).await.status, expected);
        assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }));
    }
}

#[tokio::test]
async fn without_a_token_slack_is_not_called() {
    let world = World::new().await;
    world.put_secret(TOKEN, "{}");
    let page = world.open(submit("/revoke", &REVOKE.token())).await;
    assert!(page.status == 200 && page.html.contains("was not connected"), "{page:?}");
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn a_link_is_not_used_up_by_waiting_for_another_run() {
    let world = World::new().await;
    world.slack([reply(200, json!({"ok": true}))]);
    world.hold_lease(60);
    assert_eq!(world.open(submit("/revoke", &REVOKE.token())).await.status, 503);
    world.pass(60);
    assert_eq!(world.open(submit("/revoke", &REVOKE.token())).await.status, 200);
}
