//! Measures the function from spawn to its first answer, six calls: claim, secret, app, reload, claim, answer.
//!
//! `cargo bench -p qlik-reload` builds and measures a binary; `cargo bench -p qlik-reload --profile dev --
//! $PWD/target/release/qlik-reload` measures an existing one.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot measure")]

use loopback::{Request, cold_start, reply};
use serde_json::{Value, json};

const APP: &str = "687ef393-f0ad-4c64-ac59-6db967126015";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binary = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_qlik-reload").to_owned());
    let variables = [
        ("QLIK_TENANT_URL", "https://acme.eu.qlikcloud.com"),
        ("QLIK_ENDPOINT_URL", cold_start::SERVICES),
        ("API_KEY_SECRET", "secret"),
        ("CLAIMS_TABLE", "claims"),
    ];
    let services = |request: &Request| match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/") if request.header("x-amz-target").ends_with("GetSecretValue") => {
            reply(200, json!({"SecretString": json!({"key": "key"}).to_string()}))
        }
        ("POST", "/") | ("GET", _) => reply(200, "{}"),
        _ => reply(201, json!({"id": "5be59decca62aa00097268a4", "appId": APP, "status": "RELOADING"})),
    };
    let event = json!({"appId": APP}).to_string();
    let answer = cold_start::measure(&binary, &variables, &event, "no budget", services).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["status"], "RELOADING", "{answer}");
}
