//! What becomes of a token after each answer that Slack may give to the calls for one, and Secrets Manager to the calls that store it.

use std::path::Path;

use loopback::answers::{Case, Errors, answers, check_table};
use loopback::reply;
use serde_json::json;

use crate::world::*;

/// An installation whose code is exchanged by a call that is answered like this.
async fn exchanged(case: &Case) -> String {
    let world = World::new().await;
    world.slack([case.answer.clone()]);
    let consent = world.begin().await;
    let page = world.come_back(&consent).await;
    assert_eq!(world.calls().len(), 1, "{}: a code works once", case.name);
    assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }), "{}", case.name);
    format!("the page says so with status {}, and the former token is kept", page.status)
}

/// A refresh in which the first call of `operation`, or to Slack, is answered like this; the schedule's next one follows.
async fn refreshed(operation: Option<&'static str>, case: &Case) -> String {
    let world = World::new().await;
    let token = json!({ "token": "xoxe.xoxp-canary-1", "refresh_token": "xoxe-canary-1", "expires": NOW + 60 });
    world.put_secret(TOKEN, &token.to_string());
    let renewed = json!({
        "ok": true, "access_token": "xoxe.xoxp-canary-2", "refresh_token": "xoxe-canary-2", "expires_in": 43200, "token_type": "user",
    });
    let used = json!({"ok": false, "error": "invalid_refresh_token"});
    match operation {
        None => world.slack([case.answer.clone(), reply(200, if case.takes_effect { used } else { renewed })]),
        Some(operation) => {
            world.state().cases.insert(operation, case.clone());
            world.slack([reply(200, renewed), reply(200, used)])
        }
    };
    let mut ends = Vec::new();
    for _ in 0..2 {
        let end = world.invoke(json!({ "refresh": true })).await;
        ends.push(end.map(|_| ()).map_err(|error| error.name()));
        if world.stored()["token"] == "xoxe.xoxp-canary-2" {
            break;
        }
        world.pass(3600);
    }
    match &ends[..] {
        [_] => "it is renewed".to_owned(),
        [Ok(()), Ok(())] => "another run seems to renew it, and the next one renews it".to_owned(),
        [Err(first), Ok(())] => format!("the refresh fails with {first}, and the next one renews it"),
        [Err(first), Err(second)] => format!("the refresh fails with {first}, and the next one with {second}"),
        other => panic!("{}: {other:?}", case.name),
    }
}

#[tokio::test]
async fn each_answer_of_slack_and_secrets_manager_has_one_result() {
    let mut rows = Vec::new();
    for case in answers(Errors::Plain) {
        rows.push((format!("Slack, a code: {}", case.name), exchanged(&case).await));
    }
    for case in answers(Errors::Plain) {
        rows.push((format!("Slack, a refresh: {}", case.name), refreshed(None, &case).await));
    }
    for (service, operation) in [
        ("Secrets Manager", "GetSecretValue"),
        ("Secrets Manager", PROOF),
        ("Secrets Manager", "PutSecretValue"),
        ("Secrets Manager", "UpdateSecretVersionStage"),
        ("DynamoDB", "PutItem"),
        ("DynamoDB", "DeleteItem"),
    ] {
        for case in answers(Errors::Json) {
            rows.push((format!("{service}, {operation}: {}", case.name), refreshed(Some(operation), &case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "slack-oauth: one answer of a service, and what becomes of the token", &rows);
}
