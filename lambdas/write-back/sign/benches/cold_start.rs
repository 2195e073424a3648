//! Measures the signing function from spawn to its first answer: one secret read, three rows signed.
//!
//! `cargo bench -p write-back-sign --bench cold_start` builds and measures; with `--profile dev -- <path>` it measures an
//! existing binary.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot measure")]

use loopback::{cold_start, reply};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binary = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_write-back-sign").to_owned());
    let variables =
        [("TENANT", "acme"), ("AUDIENCE", "a1b2c3d4e5"), ("SIGNING_KEYS_SECRET", "arn"), ("TOKEN_SECONDS", "1800")];
    let row = json!(["generate", "Customer", "Java", "100.00", null]);
    let event = json!({"num_records": 3, "arguments": [row, null, row]}).to_string();
    let secret = json!({"kid": "k1", "key": "0123456789abcdefghijklmnopqrstuv"}).to_string();
    let services = move |_: &_| reply(200, json!({"SecretString": secret}));
    let answer = cold_start::measure(&binary, &variables, &event, "budget 2.5 ms", services).await;
    // JSON in a string in JSON.
    let answer: String = serde_json::from_str(&answer).unwrap();
    assert!(answer.starts_with(r#"{"success":true,"num_records":3,"results":["AQ"#), "{answer}");
}
