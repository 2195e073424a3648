//! The claims table when it does not work as it should.

use std::time::Duration;

use loopback::reply;
use serde_json::json;

use crate::world::*;

async fn world<const N: usize>(faults: [TableFault; N]) -> World {
    let world = World::new().await;
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("RELOADING"))]);
    world.state().table_faults = faults.into();
    world
}

#[tokio::test]
async fn without_a_claim_nothing_is_started() {
    let world = world([TableFault::Denies]).await;
    let error = world.invoke(event()).await.unwrap_err();
    assert_eq!(error.name(), "ClaimsUnavailable");
    assert!(error.message().ends_with("cannot be used: AccessDeniedException"), "{error}");
    assert_eq!((world.calls(), world.secret_reads()), (0, 0));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_recognized_as_ones_own() {
    let world = world([TableFault::LosesAnswer]).await;
    world.invoke(event()).await.unwrap();
    assert_eq!((world.count(Route::Post), world.count(Route::List)), (1, 0));
}

#[tokio::test]
async fn a_reload_that_could_not_be_taken_is_taken_by_the_retry() {
    let world = world([TableFault::Works, TableFault::Denies]).await;
    assert_eq!(world.invoke(event()).await.unwrap_err().name(), "ClaimsUnavailable");
    world.pass(Duration::from_secs(60));
    world.qlik(Route::List, [page([reload("RELOADING")])]);
    assert_eq!(world.invoke(event()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 1, "the retry found it in Qlik");
}

#[tokio::test]
async fn a_reload_that_could_not_be_recorded_is_still_followed() {
    let world = world([TableFault::Works, TableFault::Works, TableFault::Denies, TableFault::Denies]).await;
    assert_eq!(world.invoke(event()).await.unwrap()["status"], "RELOADING");
    assert!(world.log().contains(r#""step":"note""#) && world.log().contains(r#""step":"settle""#));

    world.pass(Duration::from_secs(60));
    world.qlik(Route::List, [page([reload("RELOADING")])]);
    assert_eq!(world.invoke(event()).await.unwrap()["reloadId"], RELOAD);
    assert_eq!(world.count(Route::Post), 1, "the retry found it in Qlik");
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_starts_nothing() {
    let world = world([]).await;
    world.invoke(event()).await.unwrap();
    world.state().table.get_mut("request#request-1").unwrap()["status"] = json!({"S": "SOMETHING"});
    let calls = world.calls();
    assert_eq!(world.invoke(event()).await.unwrap_err().name(), "ClaimsUnavailable");
    assert_eq!(world.calls(), calls);
}

#[tokio::test]
async fn the_claim_uses_the_names_of_powertools() {
    let world = world([]).await;
    world.invoke(json!({"appId": APP, "deliveryId": "tick", "variables": {"a": VALUE}})).await.unwrap();
    assert_eq!(world.claim("id"), format!("delivery#{APP}#tick"));
    assert_eq!(world.claim("status"), "COMPLETED");
    assert_eq!(world.claim("in_progress_expiration"), "1714557660000", "the end of the run, in milliseconds");
    assert_eq!(world.claim("expires"), "1714647603", "25 hours later, in seconds");
    assert_eq!(world.claim("data"), format!(r#"{{"reloadId":"{RELOAD}","status":"RELOADING"}}"#));
    assert_eq!(world.claim("validation").len(), 64);
}
