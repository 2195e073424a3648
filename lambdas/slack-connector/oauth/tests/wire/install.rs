//! From the start link to the stored token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use loopback::{Answer, reply};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::*;

#[tokio::test]
async fn a_consent_becomes_a_stored_token() {
    let world = World::new().await;
    let consent = world.begin().await;
    for (name, expected) in [
        ("client_id", "123.456"),
        ("user_scope", "admin.analytics:read"),
        ("redirect_uri", "https://a1.execute-api.eu-west-1.amazonaws.com/callback"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(consent.fields[name], expected);
    }
    assert_eq!(consent.fields["state"].len(), 43);
    let page = world.come_back(&consent).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.html.contains("Acme &amp; Söhne can be queried now"), "{}", page.html);
    assert_eq!(world.stored(), json!({ "token": NEW_TOKEN }));

    assert_eq!(world.calls(), ["/api/oauth.v2.access"]);
    let form = world.form(0);
    assert_eq!((form["code"].as_str(), &form["redirect_uri"]), (CODE, &consent.fields["redirect_uri"]));
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])), consent.fields["code_challenge"]);
    let basic = format!("Basic {}", STANDARD.encode(format!("123.456:{CLIENT_SECRET}")));
    assert_eq!(world.state().calls[0].header("authorization"), basic);
    assert!(!world.state().table.contains_key("lease#token"), "the lease was released");
}

#[tokio::test]
async fn the_first_token_is_stored_in_a_secret_without_a_value() {
    let world = World::new().await;
    world.state().secrets.remove(TOKEN);
    let consent = world.begin().await;
    assert_eq!(world.come_back(&consent).await.status, 200);
    assert_eq!(world.stored(), json!({ "token": NEW_TOKEN }));
}

#[tokio::test]
async fn a_rotating_token_is_stored_with_its_expiry_and_refresh_token() {
    let world = World::new().await;
    let mut answer = granted();
    answer["authed_user"]["access_token"] = json!("xoxe.xoxp-canary-1");
    answer["authed_user"]["refresh_token"] = json!("xoxe-canary-1");
    answer["authed_user"]["expires_in"] = json!(43200);
    world.slack([reply(200, answer)]);
    let consent = world.begin().await;
    assert_eq!(world.come_back(&consent).await.status, 200);
    let expected = json!({ "token": "xoxe.xoxp-canary-1", "refresh_token": "xoxe-canary-1", "expires": NOW + 43200 });
    assert_eq!(world.stored(), expected);
}

#[tokio::test]
async fn cookies_may_only_be_in_the_header_and_are_read_from_one_place() {
    for (cookies, header, expected) in [
        (json!([]), Some("other=1; {own}"), 200),
        (json!([]), Some("{own}; {own}"), 400),
        (json!([]), Some("x{own}"), 400),
        (json!(["other=1"]), Some("{own}"), 400),
        (json!(["{own}"]), Some("{own}"), 200),
    ] {
        let world = World::new().await;
        let consent = world.begin().await;
        let mut event = consent.callback();
        let text = json!({"cookies": cookies, "header": header}).to_string().replace("{own}", &consent.cookie);
        let filled: Value = serde_json::from_str(&text).unwrap();
        event["cookies"] = filled["cookies"].clone();
        event["headers"]["Cookie"] = filled["header"].clone();
        assert_eq!(world.open(event).await.status, expected, "{cookies} {header:?}");
    }
}

/// Wrong callbacks, derived from the right one.
type Change = fn(&mut Value);

#[tokio::test]
async fn a_callback_that_this_browser_did_not_begin_changes_nothing() {
    let changes: [(&str, Change); 8] = [
        ("no state", |event| event["rawQueryString"] = json!(format!("code={CODE}"))),
        ("empty state", |event| event["rawQueryString"] = json!(format!("code={CODE}&state="))),
        ("another state", |event| {
            event["rawQueryString"] = json!(format!("code={CODE}&state={}", "A".repeat(43)));
        }),
        ("a malformed state", |event| event["rawQueryString"] = json!(format!("code={CODE}&state=../x"))),
        ("no cookie", |event| event["cookies"] = json!([])),
        ("another browser's cookie", |event| {
            event["cookies"] = json!([format!("__Host-slack-install={}", "A".repeat(43))]);
        }),
        ("two cookies", |event| {
            let own = event["cookies"][1].clone();
            event["cookies"] = json!([own, format!("__Host-slack-install={}", "A".repeat(43))]);
        }),
        ("the state twice", |event| {
            let twice = format!("{0}&state={1}", event["rawQueryString"].as_str().unwrap(), "A".repeat(43));
            event["rawQueryString"] = json!(twice);
        }),
    ];
    for (what, change) in changes {
        let world = World::new().await;
        let consent = world.begin().await;
        let mut event = consent.callback();
        change(&mut event);
        let page = world.open(event).await;
        assert_eq!((page.status, world.calls().len()), (400, 0), "{what}: {page:?}");
        assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }), "{what}");
        assert!(page.cookies.is_empty(), "{what}: the cookie of the browser that began is kept");
        // A wrong callback does not use up the state of the right one.
        assert_eq!(world.come_back(&consent).await.status, 200, "{what}");
    }
    let world = World::new().await;
    let consent = world.begin().await;
    let mut event = consent.callback();
    event["rawQueryString"] = json!(format!("code={CODE}"));
    assert!(
        world.open(event).await.html.contains("was started at Slack"),
        "a person who installs from Slack's pages reads the reason"
    );
}

#[tokio::test]
async fn a_state_works_once_and_for_ten_minutes() {
    let world = World::new().await;
    let consent = world.begin().await;
    world.pass(599);
    assert_eq!(world.come_back(&consent).await.status, 200);
    assert_eq!(world.come_back(&consent).await.status, 400);
    assert_eq!(world.calls().len(), 1);

    let world = World::new().await;
    let consent = world.begin().await;
    world.pass(600);
    assert_eq!(world.come_back(&consent).await.status, 400);
    assert_eq!((world.calls().len(), world.stored()), (0, json!({ "token": OLD_TOKEN })));
}

#[tokio::test]
async fn only_one_of_parallel_callbacks_with_one_state_calls_slack() {
    let world = World::new().await;
    let consent = world.begin().await;
    let pages = tokio::join!(world.come_back(&consent), world.come_back(&consent), world.come_back(&consent));
    let mut statuses = [pages.0.status, pages.1.status, pages.2.status];
    statuses.sort_unstable();
    assert_eq!((statuses, world.calls().len()), ([200, 400, 400], 1));
}

#[tokio::test]
async fn slacks_grant_is_checked_before_anything_is_stored() {
    let changed = |pointer: &str, value: Value| {
        let mut answer = granted();
        *answer.pointer_mut(pointer).unwrap() = value;
        answer
    };
    for (answer, expected) in [
        (changed("/enterprise/id", json!("E99999999")), "organization E99999999; this tenant's is E12345678"),
        (changed("/enterprise/id", json!("<script>")), "organization without an ID"),
        (changed("/enterprise", Value::Null), "organization without an ID"),
        (changed("/is_enterprise_install", json!(false)), "was installed on a workspace"),
        (changed("/is_enterprise_install", Value::Null), "choose the whole organization E12345678"),
        (
            json!({"ok": true, "is_enterprise_install": false, "enterprise": null, "team": {"id": "T1"}}),
            "a workspace that is not part of an Enterprise organization",
        ),
        (
            changed("/authed_user/scope", json!("admin.analytics:readonly,chat:write")),
            "did not grant admin.analytics:read",
        ),
        (changed("/authed_user/scope", Value::Null), "did not grant admin.analytics:read"),
        (changed("/authed_user", Value::Null), "did not grant admin.analytics:read"),
        (changed("/authed_user/access_token", Value::Null), "no user token"),
        (changed("/authed_user/access_token", json!("xoxb-canary")), "no user token"),
        (changed("/authed_user/access_token", json!("xoxp-canary\r\nx: 1")), "no user token"),
        (changed("/authed_user/token_type", json!("bot")), "no user token"),
        (json!({"ok": true}), "was installed on a workspace"),
        (json!({"ok": false, "error": "invalid_code"}), "too old; start again with a new start link (invalid_code)."),
        (json!({"ok": false, "error": "code_already_used"}), "(code_already_used)"),
        (json!({"ok": false, "error": "bad_client_secret"}), "client secret is not the app"),
        (
            json!({"ok": false, "error": "bad_redirect_uri"}),
            "add https://a1.execute-api.eu-west-1.amazonaws.com/callback",
        ),
        (json!({"ok": false, "error": "invalid_code_verifier"}), "not started in this browser"),
        (json!({"ok": false, "error": "something_new"}), "Slack refused (something_new)"),
        (json!({"ok": false, "error": format!("<b>{CODE}</b>")}), "with an undocumented code"),
        (json!({"ok": false}), "with an undocumented code"),
    ] {
        let world = World::new().await;
        world.slack([reply(200, &answer)]);
        let consent = world.begin().await;
        let page = world.come_back(&consent).await;
        assert!(matches!(page.status, 400 | 502) && page.html.contains(expected), "{answer}: {page:?}");
        assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }), "{answer}");
    }
}

#[tokio::test]
async fn the_token_is_unchanged_if_slack_does_not_answer() {
    let throttled = Answer::Reply { status: 429, headers: vec![("Retry-After", "30".into())], body: Vec::new() };
    let elsewhere = Answer::Reply { status: 302, headers: vec![("Location", "/api/other".into())], body: Vec::new() };
    for (answer, expected) in [
        (throttled, "in 30 seconds"),
        (elsewhere, "status 302"),
        (reply(500, CODE), "status 500"),
        (reply(200, "<html>"), "not the JSON"),
        (reply(200, " ".repeat(64 * 1024 + 1)), "longer than any"),
        (reply(200, json!({"ok": false, "error": "fatal_error"})), "(fatal_error)"),
        (Answer::HangUp, "broke off"),
        (Answer::TimeOut, "in time"),
        (Answer::Stall { status: 200 }, "in time"),
    ] {
        let world = World::new().await;
        world.slack([answer]);
        let consent = world.begin().await;
        let page = world.come_back(&consent).await;
        assert!(page.status == 502 && page.html.contains(expected), "{expected}: {page:?}");
        assert_eq!((world.calls().len(), world.stored()), (1, json!({ "token": OLD_TOKEN })), "{expected}");
    }
}

#[tokio::test]
async fn a_person_who_declines_reads_that_nothing_was_changed() {
    for (reason, expected) in
        [("access_denied", "declined"), ("invalid_scope", "(invalid_scope)"), ("%3Cb%3E", "Slack refused")]
    {
        let world = World::new().await;
        let consent = world.begin().await;
        let mut event = consent.callback();
        event["rawQueryString"] = json!(format!("error={reason}&state={}", consent.fields["state"]));
        let page = world.open(event).await;
        assert!(page.status == 400 && page.html.contains(expected), "{page:?}");
        assert_eq!((world.calls().len(), world.stored()), (0, json!({ "token": OLD_TOKEN })));
    }
}

#[tokio::test]
async fn a_failing_service_is_reported_in_the_log_and_not_on_the_page() {
    for operation in ["DeleteItem", "PutItem", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"] {
        let world = World::new().await;
        let consent = world.begin().await;
        world.state().faults.insert(operation, Fault::Denies);
        let page = world.come_back(&consent).await;
        assert!(page.status == 503 && !page.html.contains("AccessDenied"), "{operation}: {page:?}");
        assert_eq!(world.stored(), json!({ "token": OLD_TOKEN }), "{operation}");
    }
}

#[tokio::test]
async fn a_lost_answer_from_secrets_manager_does_not_lose_the_token() {
    for operation in ["PutSecretValue", "UpdateSecretVersionStage"] {
        let world = World::new().await;
        let consent = world.begin().await;
        world.state().faults.insert(operation, Fault::LosesAnswer);
        assert_eq!(world.come_back(&consent).await.status, 200, "{operation}");
        assert_eq!(world.stored(), json!({ "token": NEW_TOKEN }), "{operation}");
    }
}

#[tokio::test]
async fn an_installation_waits_for_a_short_lease_and_gives_up_on_a_long_one() {
    let world = World::new().await;
    let consent = world.begin().await;
    world.hold_lease(2);
    assert_eq!(world.come_back(&consent).await.status, 200);

    let world = World::new().await;
    let consent = world.begin().await;
    world.hold_lease(60);
    let page = world.come_back(&consent).await;
    assert_eq!((page.status, world.calls().len()), (503, 0));
}

#[tokio::test]
async fn a_token_that_changed_during_the_call_to_slack_is_kept() {
    let world = World::new().await;
    let consent = world.begin().await;
    world.state().meanwhile = Some(json!({ "token": "xoxp-canary-meanwhile" }));
    assert_eq!(world.come_back(&consent).await.status, 409);
    assert_eq!(world.stored(), json!({ "token": "xoxp-canary-meanwhile" }));
}
