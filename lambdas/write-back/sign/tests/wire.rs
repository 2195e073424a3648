//! Batches as Redshift sends them, against a Secrets Manager on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::{Errors, answers, check_table};
use loopback::{Answer, Log, Request, Time, cold_start, environment, reply, serve};
use serde_json::{Value, json};
use write_back::{Accepted, Key, Refusal, Token};
use write_back_sign::{Batch, Settings, TokenSigner};

const SECRET: &str = r#"{"kid":"k1","key":"canary-signing-key-0123456789abcdef"}"#;
const QUOTE: &str = "f0000000-0000-4000-8000-000000000001";
const NOW: u64 = 1_714_557_600;

struct World {
    handler: TokenSigner,
    log: Log,
}

impl World {
    async fn new(secret: Result<&'static str, &'static str>) -> World {
        World::answering(None, secret).await
    }

    /// With the answer to the first call of Secrets Manager.
    async fn answering(first: Option<Answer>, secret: Result<&'static str, &'static str>) -> World {
        let first = Arc::new(Mutex::new(first));
        let address = serve(move |_: Request| {
            let first = first.lock().unwrap().take();
            std::future::ready(first.unwrap_or_else(|| match secret {
                Ok(value) => reply(200, json!({"ARN": "canary-arn", "SecretString": value})),
                Err(code) => reply(400, json!({"__type": code, "message": format!("canary-arn {SECRET}")})),
            }))
        })
        .await;
        let own = [
            ("TENANT", "acme"),
            ("AUDIENCE", "a1b2c3d4e5"),
            ("SIGNING_KEYS_SECRET", "canary-arn"),
            ("TOKEN_SECONDS", "1800"),
        ];
        let settings = Settings::read(&environment(&format!("http://{address}"), &own)).unwrap();
        World { handler: TokenSigner::new(settings, Time::at(NOW).clock()), log: Log::of(&["write_back_sign"]) }
    }

    /// The response to a batch, which is JSON in a string.
    async fn send(&self, event: Value) -> Value {
        self.send_text(&event.to_string()).await
    }

    async fn send_text(&self, event: &str) -> Value {
        let batch: Batch = serde_json::from_str(event).unwrap();
        let Ok(answer) = self.handler.handle(LambdaEvent::new(batch, Context::default())).await;
        serde_json::from_str(&answer).unwrap()
    }

    async fn sign(&self, arguments: Value) -> Value {
        let count = arguments.as_array().unwrap().len();
        self.send(json!({
            "request_id": "23FF1F97-F28A-44AA-AB67-266ED976BF40", "cluster": "arn", "user": "u", "database": "d",
            "external_function": "public.f_quote_sign", "query_id": 5_678_234, "num_records": count, "arguments": arguments,
            "added_later": {"by": ["Redshift"]},
        }))
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = self.log.text();
            assert!(!log.contains("canary"), "{log}");
        }
    }
}

fn accept(token: &Value, now: u64) -> Result<Accepted, Refusal> {
    let key = Key::parse(SECRET).unwrap();
    Token::decode(token.as_str().unwrap())?.accept(&key, "acme", "a1b2c3d4e5", now)
}

fn row(customer: &str) -> Value {
    json!(["generate", customer, "Java", "100.00", null])
}

#[tokio::test]
async fn each_row_gets_its_own_token() {
    let world = World::new(Ok(SECRET)).await;
    let accepting = json!(["accept", "b\"\\\u{1F600}", "Java", "1", QUOTE]);
    let answer = world.sign(json!([row("a"), accepting, row("c")])).await;
    assert_eq!((&answer["success"], &answer["num_records"]), (&json!(true), &json!(3)));
    let links: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|token| accept(token, NOW).unwrap().link).collect();
    let customers: Vec<&str> = links.iter().map(|link| link.customer.as_str()).collect();
    assert_eq!(customers, ["a", "b\"\\\u{1F600}", "c"]);
    assert_eq!(accept(&answer["results"][0], NOW + 1800 + 120).map(drop), Ok(()));
    assert_eq!(accept(&answer["results"][0], NOW + 1800 + 121), Err(Refusal::Expired));
}

#[tokio::test]
async fn a_row_that_cannot_be_signed_is_null_and_counted_by_reason() {
    let world = World::new(Ok(SECRET)).await;
    let good = row("a");
    let with = |index: usize, value: Value| {
        let mut row = good.clone();
        row[index] = value;
        row
    };
    let bad = [
        json!(null),
        with(1, json!(null)),
        with(3, json!("1e400")),
        with(3, json!("-0")),
        with(3, json!("NaN")),
        with(3, json!("12,5")),
        with(3, json!(100)),
        with(0, json!("drop")),
        with(1, json!("x".repeat(257))),
        with(1, json!({"canary": [1, 2.5, true]})),
    ];
    for bad in bad {
        let answer = world.sign(json!([good, bad, good])).await;
        assert_eq!(
            (&answer["success"], &answer["num_records"], &answer["results"][1]),
            (&json!(true), &json!(3), &json!(null))
        );
        assert_eq!(answer["results"].as_array().unwrap().len(), 3);
        assert!(accept(&answer["results"][2], NOW).is_ok(), "the row after {bad} is intact");
    }
    let log = world.log.text();
    assert!(log.contains(r#""reasons":"cost:1""#), "{log}");
}

#[tokio::test]
async fn a_row_with_half_a_character_is_null_and_the_others_are_signed() {
    let world = World::new(Ok(SECRET)).await;
    let batch =
        json!({"num_records": 4, "arguments": [row("a"), row("HALF"), row("\u{1F600}"), [7, null, null, null, null]]});
    for half in [r"\ud800", r"\udfff", r"\ud800x", r"\ud800\u0061"] {
        let answer = world.send_text(&batch.to_string().replace("HALF", half)).await;
        assert_eq!((&answer["success"], &answer["num_records"]), (&json!(true), &json!(4)), "{half}");
        let is_signed = |index: usize| accept(&answer["results"][index], NOW).is_ok();
        assert!(is_signed(0) && is_signed(2), "{half}: {answer}");
        assert_eq!((&answer["results"][1], &answer["results"][3]), (&json!(null), &json!(null)), "{half}");
    }
    assert!(world.log.text().contains(r#""reasons":"text:1 shape:1""#), "{}", world.log.text());
    let answer = world.send_text(r#"{"num_records":1,"arguments":"\ud800"}"#).await;
    assert_eq!(answer["error_msg"], "arguments is not a list of rows");
}

#[tokio::test]
async fn null_and_the_empty_text_differ() {
    let world = World::new(Ok(SECRET)).await;
    let skill = |skill: Value| json!(["generate", "a", skill, "1", null]);
    let answer = world.sign(json!([skill(json!("")), skill(json!(null))])).await;
    assert!(answer["results"][0].is_string() && answer["results"][1].is_null(), "{answer}");
}

#[tokio::test]
async fn a_repeated_batch_gets_the_same_answer() {
    let world = World::new(Ok(SECRET)).await;
    assert_eq!(world.sign(json!([row("a")])).await, world.sign(json!([row("a")])).await);
    assert_eq!(world.sign(json!([])).await, json!({"success": true, "num_records": 0, "results": []}));
}

#[tokio::test]
async fn a_batch_that_cannot_be_signed_fails_as_a_whole_and_reveals_nothing_of_the_key() {
    let failed = |answer: &Value| {
        assert_eq!(
            (&answer["success"], &answer["num_records"], &answer["results"]),
            (&json!(false), &json!(0), &json!([]))
        );
        let message = answer["error_msg"].as_str().unwrap().to_owned();
        assert!(!message.is_empty() && !message.contains("canary"), "{message}");
    };
    for secret in
        [Err("AccessDeniedException"), Err("ResourceNotFoundException"), Ok("canary"), Ok(r#"{"kid":"k1","key":""}"#)]
    {
        failed(&World::new(secret).await.sign(json!([row("a")])).await);
    }
    let world = World::new(Ok(SECRET)).await;
    failed(&world.send(json!({"num_records": 2, "arguments": [row("a")]})).await);
    failed(&world.send(json!({"arguments": [row("a")]})).await);
    failed(&world.send(json!({"num_records": 1})).await);
    for count in [json!("1"), json!(-1), json!(1.5), json!(null), json!([1]), json!({"canary": 1})] {
        failed(&world.send(json!({"num_records": count, "arguments": [row("a")]})).await);
    }
    for malformed in [
        json!(["generate", "a"]),
        // A sixth value used to name the viewer, whom the caller could choose.
        json!(["generate", "a", "b", "1", null, "ceo@example.com"]),
        json!([]),
        json!({"canary": 1}),
        json!("canary"),
        json!(7),
        json!(true),
    ] {
        failed(&world.sign(json!([row("a"), malformed, row("b")])).await);
        if !malformed.is_array() {
            failed(&world.send(json!({"num_records": 1, "arguments": malformed})).await);
        }
    }
    // As many long rows as Lambda accepts give a larger response than it allows.
    let long = json!(["generate", "x".repeat(256), "x".repeat(256), "1", null]);
    failed(&world.sign(json!(vec![long; 7500])).await);
}

#[tokio::test]
async fn each_answer_of_secrets_manager_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for case in answers(Errors::Json) {
        let world = World::answering(Some(case.answer), Ok(SECRET)).await;
        let first = world.sign(json!([row("a")])).await;
        let second = world.sign(json!([row("a")])).await;
        assert_eq!(second["success"], true, "{}", case.name);
        let outcome = if first["success"] == true {
            "the batch is signed"
        } else {
            assert_eq!(first["error_msg"], "the signing key is not available; the function's log says why");
            "the query fails with the reason; the next one is signed"
        };
        rows.push((format!("Secrets Manager, GetSecretValue: {}", case.name), outcome.to_owned()));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "write-back-sign: one answer of a service, and what becomes of the query", &rows);
}

#[tokio::test]
async fn the_process_answers_with_json_in_a_string() {
    let variables =
        [("TENANT", "acme"), ("AUDIENCE", "a1b2c3d4e5"), ("SIGNING_KEYS_SECRET", "arn"), ("TOKEN_SECONDS", "60")];
    let event = json!({"num_records": 2, "arguments": [row("a"), [7, {"x": null}, null, null, null]]}).to_string();
    let services = |_: &Request| reply(200, json!({"SecretString": SECRET}));
    let answer = cold_start::first_answer(env!("CARGO_BIN_EXE_write-back-sign"), &variables, &event, services).await;
    let answer: String = serde_json::from_str(&answer).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["success"], &answer["results"][1]), (&json!(true), &json!(null)));
    assert!(answer["results"][0].is_string(), "{answer}");
}
