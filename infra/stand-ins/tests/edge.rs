//! The server in front of the query app's page passes it on as CloudFront does, and names the services of this machine.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use loopback::{Answer, Request};
use serde_json::{Value, json};
use stand_ins::edge::{Behind, Edge};

/// An edge in front of a distribution, and the distribution's place.
async fn edge() -> (Edge, String) {
    let behind = loopback::serve(async |request: Request| {
        let policy = "default-src 'none'; connect-src 'self' https://api.example ; form-action 'none'";
        let headers =
            vec![("content-security-policy", policy.to_owned()), ("x-host", request.header("host").to_owned())];
        let config = json!({"api": "https://api.example/live", "socket": "wss://socket.example/live", "signUp": true});
        let (status, body) = match request.target.as_str() {
            "/config.json" => (200, config.to_string()),
            "/" => (200, "<html>".to_owned()),
            _ => (403, "<Error/>".to_owned()),
        };
        Answer::Reply { status, headers, body: body.into_bytes() }
    })
    .await;
    let edge = Edge::start().await.unwrap();
    let emulator = format!("http://{behind}");
    edge.serve(Behind {
        emulator: emulator.clone(),
        distribution: "d1.cloudfront.net".to_owned(),
        api: format!("{emulator}/api/live"),
        socket: "ws://127.0.0.1:9/socket/live".to_owned(),
    });
    (edge, emulator)
}

#[tokio::test]
async fn the_page_is_served_by_the_distribution_and_may_also_connect_to_this_machine() {
    let (edge, emulator) = edge().await;
    let page = reqwest::get(format!("{}/", edge.url)).await.unwrap();
    assert_eq!(page.headers()["x-host"], "d1.cloudfront.net");
    let policy = format!(
        "default-src 'none'; connect-src 'self' {emulator} ws://127.0.0.1:9 https://api.example ; form-action 'none'"
    );
    assert_eq!(page.headers()["content-security-policy"], policy.as_str());
    assert_eq!(page.text().await.unwrap(), "<html>");
    assert_eq!(reqwest::get(format!("{}/missing", edge.url)).await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_configuration_names_the_services_here_and_keeps_the_rest() {
    let (edge, emulator) = edge().await;
    let config = reqwest::get(format!("{}/config.json", edge.url)).await.unwrap().text().await.unwrap();
    let expected = json!({
        "api": format!("{emulator}/api/live"),
        "socket": "ws://127.0.0.1:9/socket/live",
        "cognito": format!("{emulator}/"),
        "signUp": true,
    });
    assert_eq!(serde_json::from_str::<Value>(&config).unwrap(), expected);
}

#[tokio::test]
async fn without_a_distribution_the_answer_says_so() {
    let edge = Edge::start().await.unwrap();
    assert_eq!(reqwest::get(&edge.url).await.unwrap().status(), 503);
}
