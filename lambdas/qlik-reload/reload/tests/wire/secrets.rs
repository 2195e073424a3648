//! The API key: how often it is read, when it is read again, and what is reported if it is missing.

use std::time::Duration;

use loopback::reply;
use serde_json::json;

use crate::world::*;

async fn world() -> World {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("RELOADING"))]);
    world
}

fn tick(n: u32) -> serde_json::Value {
    json!({"appId": APP, "deliveryId": format!("tick-{n}")})
}

#[tokio::test]
async fn the_key_is_cached_for_five_minutes() {
    let world = world().await;
    world.invoke(tick(1)).await.unwrap();
    world.pass(Duration::from_secs(299));
    world.invoke(tick(2)).await.unwrap();
    assert_eq!(world.secret_reads(), 1);
    world.pass(Duration::from_secs(1));
    world.invoke(tick(3)).await.unwrap();
    assert_eq!(world.secret_reads(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_read_again_once_when_qlik_rejects_the_old_one() {
    let world = world().await;
    world.state().secrets = [KEY, NEW_KEY].map(|key| Ok(json!({"key": key}).to_string())).into();
    world.qlik(Route::App, [refusal(401), reply(200, "{}")]);
    world.invoke(tick(1)).await.unwrap();
    assert_eq!((world.secret_reads(), world.count(Route::App)), (2, 2));
    assert_eq!(world.request(Route::Post).header("authorization"), format!("Bearer {NEW_KEY}"));
}

#[tokio::test]
async fn a_key_that_stays_rejected_is_read_again_once_and_not_sent_again() {
    let world = world().await;
    world.qlik(Route::App, [refusal(401)]);
    assert_eq!(world.invoke(tick(1)).await.unwrap_err().name(), "Unauthorized");
    assert_eq!((world.secret_reads(), world.count(Route::App), world.count(Route::Post)), (2, 1, 0));
}

#[tokio::test]
async fn a_new_key_that_is_also_rejected_ends_the_run() {
    let world = world().await;
    world.state().secrets = [KEY, NEW_KEY].map(|key| Ok(json!({"key": key}).to_string())).into();
    world.qlik(Route::App, [reply(401, "{}")]);
    assert_eq!(world.invoke(tick(1)).await.unwrap_err().name(), "Unauthorized");
    assert_eq!((world.secret_reads(), world.count(Route::App)), (2, 2));
}

#[tokio::test]
async fn the_post_after_a_401_is_sent_once_more_with_the_new_key() {
    let world = world().await;
    world.state().secrets = [KEY, NEW_KEY].map(|key| Ok(json!({"key": key}).to_string())).into();
    world.qlik(Route::Post, [refusal(401), reply(201, reload("RELOADING"))]);
    world.invoke(tick(1)).await.unwrap();
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (2, 0));
}

#[tokio::test]
async fn a_secret_that_is_not_a_key_is_reported_without_its_value_and_without_a_call() {
    for (secret, expected) in [
        (Ok(json!({"apiKey": KEY}).to_string()), "has no `key`"),
        (Ok(json!({"key": null}).to_string()), "has no `key`"),
        (Ok(json!({"key": ""}).to_string()), "empty or has characters"),
        (Ok(json!({"key": format!("{KEY}\r\nX-Evil: 1")}).to_string()), "empty or has characters"),
        (Ok(json!({"key": [KEY]}).to_string()), "is not JSON of the form"),
        (Ok(KEY.to_owned()), "is not JSON of the form"),
        (Ok(String::new()), "is not JSON of the form"),
        (Err("ResourceNotFoundException"), "has no value yet"),
        (Err("AccessDeniedException"), "AccessDeniedException"),
    ] {
        let world = world().await;
        world.state().secrets = [secret.clone()].into();
        let error = world.invoke(tick(1)).await.unwrap_err();
        assert_eq!(error.name(), "SecretUnavailable");
        assert!(error.message().contains(expected), "{error}");
        assert!(!format!("{error:?}{}", world.log()).contains("canary-arn"));
        assert_eq!((world.calls(), world.claims()), (0, 0));
    }
}
