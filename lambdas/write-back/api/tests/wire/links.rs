//! Which links are accepted, and the responses to the others.

use serde_json::json;
use write_back::{Row, Terms};

use crate::world::*;

fn terms(issued: u64, expires: u64) -> Terms<'static> {
    Terms { tenant: "acme", audience: API, issued, expires }
}

#[tokio::test]
async fn every_invalid_link_gets_the_same_response() {
    let world = World::new().await;
    let good = world.token(&ROW);
    let pair = [
        world.token(&Row { customer: Some("ab"), skill: Some("c"), ..ROW }),
        world.token(&Row { customer: Some("a"), skill: Some("bc"), ..ROW }),
    ];
    let mut changed = good.clone().into_bytes();
    changed[100] ^= 1;
    let bad = [
        String::new(),
        "x".to_owned(),
        "A".repeat(1776),
        "A".repeat(1900),
        format!("{good}="),
        good[..good.len() - 21].to_owned(),
        String::from_utf8(changed).unwrap(),
        // The fields of one with the MAC of the other.
        format!("{}{}", &pair[0][..pair[0].len() - 44], &pair[1][pair[1].len() - 44..]),
        world.signed(&ROW, &Terms { tenant: "umbrella", ..terms(NOW, NOW + 60) }, "k1"),
        world.signed(&ROW, &Terms { audience: "other", ..terms(NOW, NOW + 60) }, "k1"),
        world.signed(&ROW, &terms(NOW + 3600, NOW + 7200), "k1"),
        world.signed(&ROW, &terms(NOW, NOW + 60), "k9"),
    ];
    let expected = world.post("").await;
    let without_nonce = |body: &str, nonce: &str| body.replace(nonce, "");
    let nonce = |headers: &serde_json::Value| {
        let policy = headers["Content-Security-Policy"].as_str().unwrap().to_owned();
        policy.split("'nonce-").nth(1).unwrap()[..32].to_owned()
    };
    for token in bad {
        for page in [world.get(&token).await, world.post(&token).await] {
            assert_eq!(page.status, 403, "{token}");
            assert_eq!(
                without_nonce(&page.body, &nonce(&page.headers)),
                without_nonce(&expected.body, &nonce(&expected.headers))
            );
        }
    }
    assert_eq!((world.calls("PutItem"), world.calls("ExecuteStatement")), (0, 0));
}

#[tokio::test]
async fn only_a_genuine_link_is_reported_as_too_old() {
    let world = World::new().await;
    let expired = world.signed(&ROW, &terms(NOW - 3600, NOW - 121), "k1");
    assert_eq!(world.post(&expired).await.status, 410);
    let just = world.signed(&ROW, &terms(NOW - 3600, NOW - 120), "k1");
    assert_eq!(world.get(&just).await.status, 200);
    let forged = format!("{}{}", &expired[..expired.len() - 4], "AAAA");
    assert_eq!(world.post(&forged).await.status, 403);
    assert_eq!((world.calls("PutItem"), world.calls("ExecuteStatement")), (0, 0));
}

#[tokio::test]
async fn links_of_the_previous_key_are_valid_and_older_ones_are_not() {
    let world = World::new().await;
    world.state().secrets =
        [("AWSCURRENT", "k3"), ("AWSPREVIOUS", "k2")].map(|(stage, kid)| (stage.to_owned(), secret(kid))).into();
    for (kid, expected) in [("k3", 200), ("k2", 200), ("k1", 403)] {
        let token = world.signed(&ROW, &terms(NOW, NOW + 60), kid);
        assert_eq!(world.post(&token).await.status, expected, "{kid}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_before_any_secret_is_read() {
    let world = World::new().await;
    let host_and_path = format!("https://{API}.execute-api.eu-west-1.amazonaws.com/prod/quote?t=").len();
    for (length, expected) in [(2048, 403), (2049, 414)] {
        let page = world.get(&"A".repeat(length - host_and_path)).await;
        assert_eq!(page.status, expected);
    }
    for (length, expected) in [(8192, 403), (8193, 413)] {
        let body = format!("t={}", "A".repeat(length - 2));
        assert_eq!(world.send(event("POST", "/quote", json!(null), json!(body))).await.status, expected);
    }
    assert_eq!(world.state().calls.len(), 0);
}

#[tokio::test]
async fn without_the_key_nothing_is_revealed_about_a_link() {
    let world = World::new().await;
    world.state().secrets.clear();
    let page = world.post(&world.token(&ROW)).await;
    assert_eq!((page.status, &page.headers["Retry-After"]), (503, &json!("30")));
    assert!(!page.body.contains("canary"), "{}", page.body);
}

#[tokio::test]
async fn a_token_must_not_be_given_twice() {
    let world = World::new().await;
    let token = world.token(&ROW);
    let mut twice = get(&token);
    twice["multiValueQueryStringParameters"] = json!({"t": [token, token]});
    assert_eq!(world.send(twice).await.status, 403);
    assert_eq!(world.send(post(&[("t", &token), ("t", &token)])).await.status, 400);
}
