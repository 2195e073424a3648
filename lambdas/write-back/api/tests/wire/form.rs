//! The form: what it shows, how it is written, what it accepts.

use serde_json::{Value, json};
use write_back::Row;

use crate::world::*;

#[tokio::test]
async fn a_link_opens_a_form_and_writes_nothing() {
    let world = World::new().await;
    let token = world.token(&ROW);
    let page = world.get(&token).await;
    assert_eq!((page.status, &page.headers["Content-Type"]), (200, &json!("text/html; charset=utf-8")));
    for part in [
        "<html lang=\"en\">",
        "<meta name=\"viewport\"",
        "<h1>Generate quote</h1>",
        "<dd>canary-customer</dd>",
        "<dd>1.234,50\u{a0}EUR</dd>",
        "<form method=\"post\" action=\"quote\"",
        &format!("<input type=\"hidden\" name=\"t\" value=\"{token}\">"),
        "<button type=\"submit\" autofocus>Generate quote</button>",
    ] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    assert!(!page.body.contains("<script"));
    assert_eq!(world.state().calls, ["GetSecretValue"]);
}

#[tokio::test]
async fn the_policy_only_allows_this_pages_style() {
    let world = World::new().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = world.get(&world.token(&ROW)).await;
        let policy = page.headers["Content-Security-Policy"].as_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            )
        );
        assert!(page.body.contains(&format!("<style nonce=\"{nonce}\">")));
        assert!(!page.body.contains("style=\""), "the policy would drop it");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn text_of_a_row_or_of_a_visitor_never_becomes_part_of_the_page() {
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let harmless = world.get(&world.token(&ROW)).await.body;
    let shape = |body: &str| (body.matches('<').count(), body.matches('"').count());
    for payload in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</dd></dl><form action=https://evil>",
        "</textarea><script>alert(1)</script>",
        "</style><script>alert(1)</script>",
        "<!--<script>",
        "]]><script>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "\" autofocus onfocus=\"alert(1)",
        "\u{202e}<b>\u{0}".trim_end_matches('\0'),
        "{{constructor.constructor('alert(1)')()}}",
        "O'Brien & Söhne; DROP TABLE x--",
    ] {
        let row = Row { customer: Some(payload), skill: Some(payload), ..ROW };
        let token = world.token(&row);
        let page = world.get(&token).await;
        assert_eq!((page.status, shape(&page.body)), (200, shape(&harmless)), "{payload}");
        let entered = [
            ("t", token.as_str()),
            ("comment", payload),
            ("discount", payload),
            ("seats", payload),
            ("start", payload),
        ];
        let refused = world.send(post(&entered)).await;
        let entered = [("t", token.as_str()), ("comment", "x"), ("discount", "x"), ("seats", "x"), ("start", "x")];
        let reference = world.send(post(&entered)).await;
        assert_eq!((refused.status, shape(&refused.body)), (400, shape(&reference.body)), "{payload}");
    }
}

#[tokio::test]
async fn additional_inputs_have_labels_types_and_bounds() {
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let page = world.get(&world.token(&ROW)).await;
    for part in [
        "<label for=\"input-comment\">Comment (optional)</label>",
        "<textarea id=\"input-comment\" name=\"comment\" rows=\"4\" maxlength=\"500\" autofocus>",
        "<input type=\"number\" inputmode=\"decimal\" step=\"any\" id=\"input-discount\" name=\"discount\" value=\"\" min=\"0\" max=\"30\">",
        "<input type=\"date\" id=\"input-start\"",
    ] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    assert_eq!(page.body.matches("autofocus").count(), 1);
}

#[tokio::test]
async fn wrong_input_is_shown_again_with_the_allowed_values_and_claims_nothing() {
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let token = world.token(&ROW);
    let entered = [("t", token.as_str()), ("comment", "keep <this>"), ("discount", "31"), ("seats", "")];
    let page = world.send(post(&entered)).await;
    assert_eq!(page.status, 400);
    for part in [
        "keep &lt;this&gt;</textarea>",
        "value=\"31\" min=\"0\" max=\"30\" autofocus aria-describedby=\"input-discount-problem\" aria-invalid=\"true\">",
        "<p class=\"problem\" id=\"input-discount-problem\">please enter at least 0 and at most 30</p>",
    ] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    assert_eq!(world.calls("PutItem"), 0);
    // The token is still valid.
    assert_eq!(world.send(post(&[("t", &token), ("discount", "12.50")])).await.status, 200);
    assert_eq!(world.column("input_discount"), [Some("12.5".to_owned())]);
    assert_eq!(world.column("input_comment"), [None]);
}

#[tokio::test]
async fn fields_that_the_form_does_not_have_are_refused() {
    let world = World::with(&[("INPUTS", INPUTS)]).await;
    let token = world.token(&ROW);
    for name in ["customer", "cost", "status", "quote_id", "", "Comment"] {
        assert_eq!(world.send(post(&[("t", &token), (name, "x")])).await.status, 400, "{name}");
    }
    assert_eq!(world.calls("PutItem"), 0);
}

#[tokio::test]
async fn whatever_the_inputs_accept_fits_into_a_request() {
    let long = r#"[{"name":"comment","label":"Comment","type":"text","maxLength":2000}]"#;
    let many: Vec<_> = (0..20).map(|n| json!({"name": format!("text_{n}"), "label": "Text", "type": "text"})).collect();
    let many = Value::Array(many).to_string();
    for (inputs, names, text) in [
        (long, vec!["comment".to_owned()], "日".repeat(1000)),
        (long, vec!["comment".to_owned()], "\u{1f600}".repeat(2000)),
        (many.as_str(), (0..20).map(|n| format!("text_{n}")).collect(), "\u{1f600}".repeat(500)),
    ] {
        let world = World::with(&[("INPUTS", inputs)]).await;
        let token = world.token(&ROW);
        let fields: Vec<_> = [("t", token.as_str())]
            .into_iter()
            .chain(names.iter().map(|name| (name.as_str(), text.as_str())))
            .collect();
        assert_eq!(world.send(post(&fields)).await.status, 200);
        for name in &names {
            assert_eq!(world.column(&format!("input_{name}")), [Some(text.clone())]);
        }
    }
}
