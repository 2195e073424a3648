//! The stand-in for Qlik, over real HTTP.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stand_ins::qlik::{App, Qlik, QlikOptions};

const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";
const AT_ONCE: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn without_the_key_every_call_is_401_and_nothing_is_started() {
    let qlik = start(AT_ONCE, AT_ONCE).await;
    let answer = reqwest::Client::new().post(format!("{}/api/v1/reloads", qlik.url)).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(qlik.log().len(), 1);
    assert_eq!(qlik.log()[0].status, 401);
}

#[tokio::test]
async fn a_reload_is_created_as_queued_with_the_fields_qlik_sends() {
    let qlik = start(NEVER, NEVER).await;
    let (status, reload, _) =
        call(&qlik, Method::POST, "/reloads", json!({"appId": APP, "partial": true, "weight": 2})).await;
    assert_eq!((status, &reload["status"], &reload["type"]), (201, &json!("QUEUED"), &json!("external")));
    assert_eq!((&reload["appId"], &reload["partial"], &reload["weight"]), (&json!(APP), &json!(true), &json!(2)));
    assert!(reload["creationTime"].as_str().unwrap().ends_with('Z'), "{reload}");
    let id = reload["id"].as_str().unwrap();
    assert_eq!(reload["links"]["self"]["href"], format!("{}/api/v1/reloads/{id}", qlik.url));
}

#[tokio::test]
async fn a_reload_is_queued_then_reloading_then_ended() {
    for (queued, reloading, expected) in
        [(NEVER, NEVER, "QUEUED"), (AT_ONCE, NEVER, "RELOADING"), (AT_ONCE, AT_ONCE, "SUCCEEDED")]
    {
        let qlik = start(queued, reloading).await;
        assert_eq!(status_after_start(&qlik, APP).await, expected);
    }
}

#[tokio::test]
async fn some_apps_do_not_succeed() {
    let qlik = start(AT_ONCE, AT_ONCE).await;
    for (app, expected) in [
        (App::FAILS, "FAILED"),
        (App::IS_CANCELED, "CANCELED"),
        (App::EXCEEDS_LIMIT, "EXCEEDED_LIMIT"),
        (App::STAYS_QUEUED, "QUEUED"),
    ] {
        assert_eq!(status_after_start(&qlik, app).await, expected);
    }
    for (app, expected) in [(APP, 200), (App::MISSING, 404), (App::FORBIDDEN, 403)] {
        assert_eq!(call(&qlik, Method::GET, &format!("/apps/{app}"), Value::Null).await.0, expected);
    }
}

#[tokio::test]
async fn the_fifty_first_reload_of_a_minute_is_throttled_with_a_retry_time() {
    let qlik = start(AT_ONCE, AT_ONCE).await;
    for _ in 0..50 {
        assert_eq!(call(&qlik, Method::POST, "/reloads", json!({"appId": APP})).await.0, 201);
    }
    let (status, error, retry_after) = call(&qlik, Method::POST, "/reloads", json!({"appId": APP})).await;
    assert_eq!((status, &error["errors"][0]["code"]), (429, &json!("HTTP-429")));
    assert!((1..=60).contains(&retry_after.unwrap()));
    assert_eq!(qlik.reloads_of(APP).len(), 50);
}

#[tokio::test]
async fn reloads_are_listed_by_app_and_filter_newest_first() {
    let qlik = start(AT_ONCE, NEVER).await;
    for app in [APP, App::STAYS_QUEUED, APP] {
        call(&qlik, Method::POST, "/reloads", json!({"appId": app})).await;
    }
    let ids: Vec<_> = qlik.reloads_of(APP).into_iter().map(|reload| reload.id).collect();
    let (_, page, _) = call(
        &qlik,
        Method::GET,
        &format!("/reloads?appId={APP}&filter=type%20eq%20%22external%22&sort=-creationTime&log=false&limit=100"),
        Value::Null,
    )
    .await;
    let listed: Vec<_> = page["data"].as_array().unwrap().iter().map(|reload| reload["id"].as_str().unwrap()).collect();
    assert_eq!(listed, [&ids[1], &ids[0]]);
    let (_, page, _) = call(&qlik, Method::GET, "/reloads?filter=(status%20eq%20%22QUEUED%22)", Value::Null).await;
    assert_eq!(page["data"][0]["appId"], App::STAYS_QUEUED);
    assert_eq!(call(&qlik, Method::GET, "/reloads?filter=size%20eq%201", Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_reload_can_be_canceled_until_it_has_ended() {
    let qlik = start(NEVER, NEVER).await;
    let (_, reload, _) = call(&qlik, Method::POST, "/reloads", json!({"appId": APP})).await;
    let path = format!("/reloads/{}/actions/cancel", reload["id"].as_str().unwrap());
    assert_eq!(call(&qlik, Method::POST, &path, Value::Null).await.0, 202);
    assert_eq!(qlik.reloads_of(APP)[0].status, "CANCELED");
    assert_eq!(call(&qlik, Method::POST, &path, Value::Null).await.0, 409);
}

#[tokio::test]
async fn requests_that_qlik_would_refuse_are_refused() {
    let qlik = start(AT_ONCE, AT_ONCE).await;
    let many: Value = (0..21).map(|n| (format!("v{n}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    for body in [
        json!({}),
        json!({"appId": APP, "variables": many}),
        json!({"appId": APP, "variables": {"a": "x".repeat(257)}}),
    ] {
        assert_eq!(call(&qlik, Method::POST, "/reloads", body).await.0, 400);
    }
    assert_eq!(qlik.reloads_of(APP), []);
}

async fn start(queued: Duration, reloading: Duration) -> Qlik {
    Qlik::start(QlikOptions { api_key: "the-key".to_owned(), queued, reloading }).await.unwrap()
}

async fn status_after_start(qlik: &Qlik, app: &str) -> String {
    let (_, reload, _) = call(qlik, Method::POST, "/reloads", json!({"appId": app})).await;
    let path = format!("/reloads/{}", reload["id"].as_str().unwrap());
    call(qlik, Method::GET, &path, Value::Null).await.1["status"].as_str().unwrap().to_owned()
}

/// Status, body, and seconds of Retry-After.
async fn call(qlik: &Qlik, method: Method, path: &str, body: Value) -> (u16, Value, Option<u64>) {
    let request = reqwest::Client::new().request(method, format!("{}/api/v1{path}", qlik.url));
    let request = request.header("authorization", "Bearer the-key").header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(), retry_after)
}
