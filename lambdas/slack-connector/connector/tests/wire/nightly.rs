//! The nightly run.

use athena_federation::Kind;
use loopback::reply;
use serde_json::{Value as Json, json};

use crate::world::{World, file, members, no};

async fn fetch(world: &World, days: u32) -> Result<Json, athena_federation::Error> {
    world.invoke(json!({ "fetchDays": days })).await
}

#[tokio::test]
async fn missing_files_are_stored_the_newest_first_and_slowly() {
    let world = World::new().await;
    world.slack([file("")]);
    world.state().files.store("days/E1/2026-11-19", Vec::new());
    let done = fetch(&world, 4).await.unwrap();
    assert_eq!(done, json!({"stored": 3, "kept": 1, "absent": 0, "is_cut_short": false}));
    let dates: Vec<String> =
        world.state().calls.iter().map(|call| call.target.split_once("&date=").unwrap().1.to_owned()).collect();
    assert_eq!(dates, ["2026-11-20", "2026-11-18", "2026-11-17"]);
    // Half of Slack's limit is left to queries.
    assert!(world.time.slept().as_secs() >= 18);
    assert!(world.state().files.owners.iter().all(|owner| owner == "111122223333"));
    // The next run has nothing to do.
    assert_eq!(fetch(&world, 4).await.unwrap()["kept"], 4);
    assert_eq!(world.state().calls.len(), 3);
}

#[tokio::test]
async fn a_file_that_slack_has_not_finished_is_left_to_the_next_night() {
    let world = World::new().await;
    world.slack([no("file_not_yet_available"), file(&members("2026-11-19"))]);
    assert_eq!(fetch(&world, 2).await.unwrap(), json!({"stored": 1, "kept": 0, "absent": 1, "is_cut_short": false}));
    assert!(world.stored("2026-11-20").is_none() && world.stored("2026-11-19").is_some());
}

#[tokio::test]
async fn a_run_ends_where_slack_has_no_files_and_before_its_time_is_over() {
    let world = World::new().await;
    world.slack([file(""), no("file_not_found")]);
    assert_eq!(fetch(&world, 396).await.unwrap(), json!({"stored": 1, "kept": 0, "absent": 3, "is_cut_short": false}));
    world.slack([file("")]);
    let done = fetch(&world, 396).await.unwrap();
    assert!(done["is_cut_short"] == true && done["stored"].as_u64().unwrap() > 90, "{done}");
    assert!(world.time.slept().as_secs() < 900);
}

#[tokio::test]
async fn only_a_new_day_that_fails_is_an_error() {
    let world = World::new().await;
    world.slack([file("x"), file("")]);
    assert_eq!(fetch(&world, 2).await.unwrap_err().kind, Kind::Unavailable);
    assert!(world.stored("2026-11-20").is_none() && world.stored("2026-11-19").is_some(), "the others are fetched");
    world.slack([file(""), file(""), file(""), file("x"), file("")]);
    assert_eq!(fetch(&world, 5).await.unwrap(), json!({"stored": 4, "kept": 0, "absent": 1, "is_cut_short": false}));
    world.slack([no("token_revoked")]);
    assert_eq!(fetch(&world, 5).await.unwrap_err().kind, Kind::AccessDenied);
    // Without an installation, there is nothing to fetch.
    let world = World::new().await;
    world.state().secrets = [Ok("{}".to_owned())].into();
    assert_eq!(fetch(&world, 5).await.unwrap()["stored"], 0);
}

#[tokio::test]
async fn a_file_that_is_not_stored_is_an_error_of_the_nightly_run_only() {
    let world = World::new().await;
    let refusal = || loopback::answers::Case {
        name: String::new(),
        answer: reply(403, "<Error><Code>AccessDenied</Code></Error>"),
        takes_effect: false,
    };
    world.slack([file(&members("2026-11-20"))]);
    let ok = loopback::answers::Case {
        name: String::new(),
        answer: crate::fakes::error(404, "NoSuchKey"),
        takes_effect: false,
    };
    world.state().file_answers = [ok, refusal()].into();
    assert_eq!(world.read("2026-11-20").await.unwrap().num_rows(), 3);
    assert!(world.stored("2026-11-20").is_none() && world.log().contains("AccessDenied"));
    world.state().file_answers = [refusal()].into();
    let error = fetch(&world, 1).await.unwrap_err();
    assert!(error.message.contains("does not list the stored files"), "{error}");
}

#[tokio::test]
async fn a_strange_number_of_days_is_refused() {
    let world = World::new().await;
    for days in [json!(-1), json!("5"), json!(3651), json!(null)] {
        assert_eq!(world.invoke(json!({ "fetchDays": days })).await.unwrap_err().kind, Kind::InvalidRequest);
    }
}
