//! Measures the API from spawn to its first page: one secret read, a token verified, a form.
//!
//! `cargo bench -p write-back-api` builds and measures; with `--profile dev -- <path>` it measures an existing binary.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot measure")]

use std::time::SystemTime;

use loopback::{cold_start, reply};
use serde_json::{Value, json};
use write_back::{Key, Row, Signer, Terms};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let binary = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_write-back-api").to_owned());
    let variables = [
        ("TENANT", "acme"),
        ("SIGNING_KEYS_SECRET", "arn"),
        ("CLAIMS_TABLE", "claims"),
        ("WAREHOUSE", r#"{"workgroup":"w","database":"d"}"#),
        ("SCHEMA", "write_back"),
    ];
    let secret = json!({"kid": "k1", "key": "0123456789abcdefghijklmnopqrstuv"}).to_string();
    let issued = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let terms = Terms { tenant: "acme", audience: "a1b2c3d4e5", issued, expires: issued + 1800 };
    let text = Some("text");
    let row = Row { action: Some("generate"), customer: text, skill: text, cost: Some("1"), quote_id: None };
    let mut token = String::new();
    Signer::new(&Key::parse(&secret).unwrap(), &terms).unwrap().sign(&row, &mut token).unwrap();
    let event = json!({
        "httpMethod": "GET", "resource": "/quote", "path": "/quote", "queryStringParameters": {"t": token},
        "requestContext": {"apiId": "a1b2c3d4e5"},
    });
    let services = move |_: &_| reply(200, json!({"SecretString": secret}));
    let answer = cold_start::measure(&binary, &variables, &event.to_string(), "budget 8 ms", services).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
}
