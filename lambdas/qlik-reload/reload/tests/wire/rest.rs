//! The REST interface: its statuses, and what it does not reveal.

use std::time::Duration;

use loopback::{Answer, reply};
use serde_json::{Value, json};

use crate::world::*;

fn post(body: impl ToString, headers: Value) -> Value {
    json!({
        "resource": "/reloads", "path": "/base/reloads", "httpMethod": "POST", "headers": headers, "multiValueHeaders": {},
        "queryStringParameters": null, "pathParameters": null, "requestContext": {"stage": "Prod"},
        "body": body.to_string(), "isBase64Encoded": false,
    })
}

fn get(id: &str) -> Value {
    json!({
        "resource": "/reloads/{reloadId}", "path": format!("/reloads/{id}"), "httpMethod": "GET", "headers": null,
        "pathParameters": {"reloadId": id}, "requestContext": {"stage": "Prod"}, "body": null, "isBase64Encoded": false,
    })
}

/// The status and the body of the response.
async fn call(world: &World, event: Value) -> (u64, Value) {
    let answer = world.invoke(event).await.expect("a REST request always gets a response");
    assert_eq!(answer["headers"]["Content-Type"], "application/json");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

async fn accepting() -> World {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]);
    world
}

#[tokio::test]
async fn a_reload_is_accepted_without_waiting_for_it() {
    let world = accepting().await;
    let (status, body) = call(&world, post(event(), json!(null))).await;
    assert_eq!((status, body), (202, json!({"reloadId": RELOAD, "status": "QUEUED", "appId": APP})));
    assert_eq!((world.count(Route::Reload), world.slept()), (0, Duration::ZERO));
}

#[tokio::test]
async fn the_same_idempotency_key_is_one_reload_and_the_same_answer() {
    let mut world = accepting().await;
    let first = call(&world, post(event(), json!({"idempotency-key": "k1"}))).await;
    world.request_id = "request-2";
    let again = call(&world, post(format!(" {} ", event()), json!({"Idempotency-Key": "k1"}))).await;
    assert_eq!(first, again);
    assert_eq!(world.count(Route::Post), 1);
    call(&world, post(event(), json!({"Idempotency-Key": "k2"}))).await;
    assert_eq!(world.count(Route::Post), 2);
}

#[tokio::test]
async fn the_same_idempotency_key_with_a_different_body_is_a_conflict() {
    let world = accepting().await;
    call(&world, post(event(), json!({"Idempotency-Key": "k1"}))).await;
    let other = json!({"appId": APP, "variables": {"a": VALUE}});
    let (status, body) = call(&world, post(other, json!({"Idempotency-Key": "k1"}))).await;
    assert_eq!(status, 409);
    assert!(body["message"].as_str().unwrap().contains("was used for a different request"), "{body}");
}

#[tokio::test]
async fn the_same_idempotency_key_while_the_first_is_running_is_a_conflict() {
    let world = accepting().await;
    call(&world, post(event(), json!({"Idempotency-Key": "k1"}))).await;
    {
        let mut state = world.state();
        let item = state.table.values_mut().next().unwrap();
        item["status"] = json!({"S": "INPROGRESS"});
        item.as_object_mut().unwrap().remove("data");
    }
    assert_eq!(call(&world, post(event(), json!({"Idempotency-Key": "k1"}))).await.0, 409);
    assert_eq!(world.count(Route::Post), 1);
}

#[tokio::test]
async fn a_bad_request_is_answered_with_one_sentence_and_no_call() {
    for (event, expected) in [
        (post("", json!({})), "the body is not JSON at line 1, column 0"),
        (post("{\"appId\": canary}", json!({})), "the body is not JSON at line 1, column 11"),
        (post(json!({}), json!({})), "appId is missing"),
        (post(json!({"appId": "../users/me"}), json!({})), "is not an app ID"),
        (post(json!({"appId": APP, "deliveryId": "d"}), json!({})), "send the header Idempotency-Key instead"),
        (post(json!({"appId": APP, "waitFor": "finished"}), json!({})), "GET /reloads/{reloadId}"),
        (post(json!({"appId": APP, "x": VALUE}), json!({})), "unknown field `x`; must be one of appId"),
        (post(event(), json!({"Idempotency-Key": "a b"})), "Idempotency-Key"),
        (post(event(), json!({"Idempotency-Key": ""})), "Idempotency-Key"),
        (post(" ".repeat(64 * 1024 + 1), json!({})), "the body has 65537 bytes"),
        (get("..%2fusers"), "reload ID `..%2fusers` is not valid"),
        (get(""), "reload ID `` is not valid"),
        (get(&"a".repeat(65)), "is not valid"),
    ] {
        let world = World::new().await;
        let (status, body) = call(&world, event).await;
        let message = body["message"].as_str().unwrap();
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(expected), "{message}");
        assert_eq!((world.calls(), world.secret_reads()), (0, 0));
    }
    let world = World::new().await;
    let mut binary = post(event(), json!({}));
    binary["isBase64Encoded"] = json!(true);
    assert_eq!(call(&world, binary).await.0, 400);
}

#[tokio::test]
async fn other_paths_and_methods_are_not_found() {
    let world = World::new().await;
    for (method, resource) in [("DELETE", "/reloads/{reloadId}"), ("GET", "/reloads"), ("POST", "/apps"), ("GET", "/")]
    {
        let mut event = get(RELOAD);
        event["httpMethod"] = json!(method);
        event["resource"] = json!(resource);
        assert_eq!(call(&world, event).await.0, 404);
    }
    let http_api =
        json!({"version": "2.0", "requestContext": {"http": {"method": "POST", "path": "/reloads"}}, "body": "{}"});
    assert_eq!(call(&world, http_api).await.0, 404);
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn each_failure_of_a_post_has_its_status() {
    let throttled = Answer::Reply { status: 429, headers: vec![("Retry-After", "100".into())], body: "{}".into() };
    for (route, answer, expected) in [
        (Route::App, refusal(404), 404),
        (Route::App, refusal(401), 502),
        (Route::App, refusal(403), 502),
        (Route::App, refusal(500), 502),
        (Route::App, reply(302, ""), 502),
        (Route::Post, refusal(400), 400),
        (Route::Post, throttled, 429),
        (Route::Post, refusal(503), 502),
    ] {
        let world = accepting().await;
        world.qlik(Route::List, [page([])]).qlik(route, [answer]);
        let (status, body) = call(&world, post(event(), json!({}))).await;
        assert_eq!(status, expected, "{body}");
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[tokio::test]
async fn too_many_requests_says_when_to_retry() {
    let world = World::new().await;
    let throttled = Answer::Reply { status: 429, headers: vec![("Retry-After", "100".into())], body: "{}".into() };
    world.qlik(Route::Post, [throttled]);
    let answer = world.invoke(post(event(), json!({}))).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["headers"]["Retry-After"]), (&json!(429), &json!("100")));
}

#[tokio::test]
async fn an_unreachable_service_is_503_and_one_that_does_not_answer_504() {
    let world = World::with(&[("QLIK_ENDPOINT_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(call(&world, post(event(), json!({}))).await.0, 503);
    let world = World::new().await;
    world.state().secrets = [Err("ResourceNotFoundException")].into();
    assert_eq!(call(&world, post(event(), json!({}))).await.0, 503);
    let world = World::new().await;
    world.state().table_faults = [TableFault::Denies].into();
    assert_eq!(call(&world, post(event(), json!({}))).await.0, 503);
    let world = World::new().await;
    world.qlik(Route::Reload, [Answer::TimeOut]);
    assert_eq!(call(&world, get(RELOAD)).await.0, 504);
}

#[tokio::test]
async fn an_app_outside_the_allowed_apps_is_not_found() {
    let world = World::with(&[("ALLOWED_APPS", OTHER_APP)]).await;
    assert_eq!(call(&world, post(event(), json!({}))).await.0, 404);
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_reload_is_reported_with_its_code_but_without_qliks_text() {
    let world = World::new().await;
    let mut failed = reload("FAILED");
    failed["errorCode"] = json!("EngineFailed");
    failed["errorMessage"] = json!(format!("cannot load {VALUE}"));
    failed["log"] = json!(VALUE);
    world.qlik(Route::Reload, [reply(200, failed)]);
    let (status, body) = call(&world, get(RELOAD)).await;
    assert_eq!(status, 200);
    assert_eq!(body, json!({"reloadId": RELOAD, "status": "FAILED", "appId": APP, "errorCode": "EngineFailed"}));
}

#[tokio::test]
async fn a_reload_of_an_app_outside_the_allowed_apps_is_not_found() {
    let world = World::with(&[("ALLOWED_APPS", OTHER_APP)]).await;
    world.qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    let hidden = call(&world, get(RELOAD)).await;
    assert_eq!(hidden.0, 404);
    world.qlik(Route::Reload, [refusal(404)]);
    assert_eq!(call(&world, get(RELOAD)).await, hidden, "nobody can see whether there is one");
    let world = World::with(&[("ALLOWED_APPS", APP)]).await;
    world.qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    assert_eq!(call(&world, get(RELOAD)).await.0, 200);
}

#[tokio::test]
async fn a_reload_that_qlik_does_not_know_is_not_found() {
    let world = World::new().await;
    world.qlik(Route::Reload, [refusal(404)]);
    assert_eq!(call(&world, get(RELOAD)).await.0, 404);
}

#[tokio::test]
async fn a_request_can_share_an_active_reload() {
    let world = World::new().await;
    world.qlik(Route::List, [page([reload("RELOADING")])]);
    let (status, body) = call(&world, post(json!({"appId": APP, "skipIfActive": true}), json!({}))).await;
    assert_eq!(status, 202);
    assert_eq!(body, json!({"reloadId": RELOAD, "status": "RELOADING", "appId": APP, "alreadyActive": true}));
    assert_eq!(world.count(Route::Post), 0);
}

#[tokio::test]
async fn the_response_is_sent_before_api_gateway_times_out() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    world.qlik(Route::Post, [refusal(503)]).qlik(Route::List, [refusal(503)]);
    call(&world, post(event(), json!({}))).await;
    assert!(world.slept() < Duration::from_secs(24), "{:?}", world.slept());
}
