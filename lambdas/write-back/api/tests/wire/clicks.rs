//! Opening a link does nothing, unless the tenant wants it to.

use serde_json::{Value, json};

use crate::world::*;

fn with_header(token: &str, method: &str, name: &str, value: &str) -> Value {
    let mut event = event(method, "/quote", json!({"t": token}), Value::Null);
    event["headers"][name] = json!(value);
    event
}

#[tokio::test]
async fn looking_never_writes() {
    let world = World::new().await;
    let token = world.token(&ROW);
    let head = world.send(event("HEAD", "/quote", json!({"t": token}), Value::Null)).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let options = world.send(event("OPTIONS", "/quote", json!({"t": token}), Value::Null)).await;
    assert_eq!((options.status, &options.headers["Allow"]), (204, &json!("GET, HEAD, OPTIONS, POST")));
    assert_eq!(options.headers["Access-Control-Allow-Origin"], Value::Null);
    assert_eq!(world.get(&token).await.status, 200);
    assert_eq!((world.calls("PutItem"), world.calls("ExecuteStatement")), (0, 0));
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let world = World::new().await;
    for method in ["PUT", "DELETE", "PATCH", "TRACE"] {
        let page = world.send(event(method, "/quote", json!({}), Value::Null)).await;
        assert_eq!((page.status, &page.headers["Allow"]), (405, &json!("GET, HEAD, OPTIONS, POST")));
    }
    let page = world.send(event("POST", "/quote/status", json!({}), Value::Null)).await;
    assert_eq!((page.status, &page.headers["Allow"]), (405, &json!("GET, HEAD, OPTIONS")));
    assert_eq!(world.send(event("GET", "/quotes", json!({}), Value::Null)).await.status, 404);
    assert_eq!(world.send(json!({"source": "aws.events"})).await.status, 404);
    let mut json_body = post(&[("t", &world.token(&ROW))]);
    json_body["headers"]["content-type"] = json!("application/json");
    assert_eq!(world.send(json_body).await.status, 415);
    assert_eq!(world.state().calls.len(), 0);
}

#[tokio::test]
async fn with_write_on_click_a_click_writes_once() {
    let world = World::with(&[("WRITE_ON_CLICK", "true")]).await;
    let token = world.token(&ROW);
    for _ in 0..2 {
        let page = world.get(&token).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Quote generated"), "{}", page.body);
    }
    assert_eq!(world.statuses(), ["generated"]);
}

#[tokio::test]
async fn with_write_on_click_prefetching_still_writes_nothing() {
    let world = World::with(&[("WRITE_ON_CLICK", "true")]).await;
    let token = world.token(&ROW);
    for (method, name, value) in [
        ("GET", "Sec-Purpose", "prefetch"),
        ("GET", "sec-purpose", "prefetch;prerender"),
        ("GET", "Purpose", "Prefetch"),
        ("GET", "X-Purpose", "preview"),
        ("GET", "X-Moz", "prefetch"),
        ("HEAD", "Accept", "*/*"),
        ("OPTIONS", "Accept", "*/*"),
    ] {
        world.send(with_header(&token, method, name, value)).await;
    }
    assert_eq!((world.calls("PutItem"), world.calls("ExecuteStatement")), (0, 0));
}

#[tokio::test]
async fn with_write_on_click_a_form_that_must_be_filled_in_is_shown() {
    let inputs = r#"[{"name":"comment","label":"Comment","type":"text","required":true}]"#;
    let world = World::with(&[("WRITE_ON_CLICK", "true"), ("INPUTS", inputs)]).await;
    let page = world.get(&world.token(&ROW)).await;
    assert!(page.body.contains("<form method=\"post\""), "{}", page.body);
    assert_eq!(world.calls("PutItem"), 0);
}
