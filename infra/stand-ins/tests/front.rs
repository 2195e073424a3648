//! The front passes on what it receives, marked as encrypted, as a proxy that terminates TLS does.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use loopback::{Answer, Request};
use stand_ins::front::Front;

/// Behind the front: answers with what it received.
async fn front() -> Front {
    let behind = loopback::serve(async |request: Request| {
        let [host, proto] = ["host", "x-forwarded-proto"].map(|name| request.header(name).to_owned());
        let body = format!("{} {} {host} {proto} {}", request.method, request.target, request.body);
        let status = if request.target == "/missing" { 404 } else { 200 };
        let body = if request.method == "HEAD" { Vec::new() } else { body.into_bytes() };
        Answer::Reply { status, headers: vec![("x-amz-request-id", "42".to_owned())], body }
    })
    .await;
    Front::start(&format!("http://{behind}")).await.unwrap()
}

#[tokio::test]
async fn method_path_query_host_and_body_are_kept_and_the_protocol_is_added() {
    let front = front().await;
    let http = reqwest::Client::new();
    // A caller cannot mark it differently.
    let request = http.put(format!("{}/bucket/a%20b?x=1", front.url)).header("x-forwarded-proto", "http").body("text");
    let answer = request.header("host", "bucket.example").send().await.unwrap();
    assert_eq!(answer.headers()["x-amz-request-id"], "42");
    assert_eq!(answer.text().await.unwrap(), "PUT /bucket/a%20b?x=1 bucket.example https text");
}

#[tokio::test]
async fn statuses_are_kept_and_a_missing_service_is_a_bad_gateway() {
    let front = front().await;
    assert_eq!(reqwest::get(format!("{}/missing", front.url)).await.unwrap().status(), 404);
    assert_eq!(reqwest::Client::new().head(format!("{}/x", front.url)).send().await.unwrap().status(), 200);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let front = Front::start(&format!("http://{nobody}")).await.unwrap();
    assert_eq!(reqwest::get(format!("{}/x", front.url)).await.unwrap().status(), 502);
}
