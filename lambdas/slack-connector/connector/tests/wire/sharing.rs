//! A day's file is downloaded once, stored, and read from there.

use std::time::Duration;

use athena_federation::Kind;
use serde_json::json;

use crate::world::{World, body, file, gzip, limited, members, no, read};

const DAY: &str = "2026-11-10";
const KEY: &str = "days/E1/2026-11-10";

#[tokio::test]
async fn a_file_is_stored_as_slack_sent_it_and_answers_the_next_query() {
    let world = World::new().await;
    let sent = gzip(members(DAY).as_bytes());
    world.slack([body(sent.clone())]);
    let first = world.read(DAY).await.unwrap();
    assert_eq!(world.stored(DAY), Some(sent));
    // Neither Slack nor its token is needed anymore.
    world.state().secrets = [Ok("{}".to_owned())].into();
    world.time.pass(Duration::from_secs(3600));
    assert_eq!(world.read(DAY).await.unwrap(), first);
    let state = world.state();
    assert_eq!(state.calls.len(), 1);
    assert!(state.files.owners.len() >= 3 && state.files.owners.iter().all(|owner| owner == "111122223333"));
}

#[tokio::test]
async fn a_large_file_is_stored_in_parts() {
    let world = World::new().await;
    // Too dense to be compressed, so that the file has more than two parts.
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric).take(60_000).collect();
    let text: String = (0..400).map(|id| format!("{{\"user_id\":\"U{id}\",\"x\":\"{noise}\"}}\n")).collect();
    world.slack([body(text.clone().into_bytes())]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 400);
    assert!(text.len() > 2 * (8 << 20) && world.stored(DAY) == Some(text.into_bytes()));
    assert!(world.state().files.uploads.is_empty());
    // One that breaks off leaves nothing behind.
    let broken = format!("{}x", "y".repeat(60_000) + "\n").repeat(400);
    world.slack([body(broken.into_bytes())]);
    world.refused(DAY).await;
    assert!(world.stored(DAY).is_none() && world.state().files.uploads.is_empty());
}

#[tokio::test]
async fn a_stored_file_that_is_damaged_is_fetched_again_and_replaced() {
    let whole = gzip(members(DAY).as_bytes());
    let mut flipped = whole.clone();
    flipped[20] ^= 0x55;
    for damaged in [
        Vec::new(),
        b"<html>".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        flipped,
        gzip(members("2026-11-09").as_bytes()),
    ] {
        let world = World::new().await;
        world.slack([body(whole.clone())]);
        world.state().files.store(KEY, damaged);
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
        assert_eq!(world.stored(DAY), Some(whole.clone()));
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
        assert_eq!(world.state().calls.len(), 1);
    }
}

#[tokio::test]
async fn rows_of_a_damaged_file_are_not_returned_twice() {
    let world = World::new().await;
    let lines: String = (0..70_000).map(|id| format!("{{\"user_id\":\"U{id}\"}}\n")).collect();
    let whole = gzip(lines.as_bytes());
    world.slack([body(whole.clone())]);
    // A whole batch is read before the damage.
    world.state().files.store(KEY, whole[..whole.len() - 20].to_vec());
    let mut asked = read(DAY);
    asked["schema"] = json!(athena_federation::SchemaText::new(
        &arrow_schema::Schema::new(vec![arrow_schema::Field::new("user_id", arrow_schema::DataType::Utf8, true)]),
        athena_federation::Dialect::Modern
    ));
    let answer = world.invoke(asked).await.unwrap();
    assert_eq!(crate::world::rows(&answer["records"]).num_rows(), 70_000);
}

#[tokio::test]
async fn a_day_that_is_not_over_is_never_stored() {
    let world = World::new().await;
    world.slack([file(&members("2026-11-21"))]);
    assert_eq!(world.read("2026-11-21").await.unwrap().num_rows(), 3);
    assert!(world.state().files.objects.is_empty());
}

#[tokio::test]
async fn what_is_not_a_file_is_never_stored() {
    for answer in [no("file_not_found"), body(gzip(b"x")), body(gzip(members(DAY).as_bytes())[..60].to_vec())] {
        let world = World::new().await;
        world.slack([answer]);
        let _ = world.invoke(read(DAY)).await;
        assert!(world.state().files.objects.is_empty());
    }
}

#[tokio::test]
async fn that_slack_has_no_file_is_shared_for_a_minute() {
    let world = World::new().await;
    world.slack([no("file_not_found"), file(&members(DAY))]);
    for _ in 0..3 {
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 0);
    }
    assert_eq!(world.state().calls.len(), 1);
    world.time.pass(Duration::from_secs(61));
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
}

fn claim(world: &World, seconds: u64) {
    let until = (world.time.seconds() + seconds) * 1000;
    let id = format!("day#{DAY}");
    let item = json!({"id": {"S": id}, "writer": {"S": "other"}, "until": {"N": until.to_string()}});
    world.state().turns.0.insert(id, item);
}

#[tokio::test]
async fn the_claim_of_a_split_that_died_is_taken_over() {
    // Also that of one whose clock was an hour ahead.
    for seconds in [100, 3600] {
        let world = World::new().await;
        world.slack([file(&members(DAY))]);
        claim(&world, seconds);
        assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
        let waited = world.time.slept().as_secs();
        assert!(if seconds == 100 { (95..120).contains(&waited) } else { waited == 0 }, "{waited}");
    }
}

#[tokio::test]
async fn a_wait_for_another_split_ends_before_the_function_does() {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(60);
    world.slack([file(&members(DAY))]);
    claim(&world, 100);
    let error = world.refused(DAY).await;
    assert!(error.kind == Kind::Throttled && error.message.contains(&format!("Slack's file of {DAY}")), "{error:?}");
    assert!(world.state().calls.is_empty() && world.time.slept().as_secs() < 31);
}

#[tokio::test]
async fn after_too_many_requests_no_instance_calls_slack() {
    let world = World::new().await;
    world.slack([limited(40), file(&members(DAY)), file(&members("2026-11-09"))]);
    assert_eq!(world.read(DAY).await.unwrap().num_rows(), 3);
    assert!((40..42).contains(&world.time.slept().as_secs()));
    let mut world = World::new().await;
    world.slack([limited(800), file(&members("2026-11-09"))]);
    world.time_left = Duration::from_secs(60);
    world.refused(DAY).await;
    let error = world.refused("2026-11-09").await;
    assert!(error.kind == Kind::Throttled && error.message.contains("may begin in 800 seconds"), "{error:?}");
    assert_eq!(world.state().calls.len(), 1);
}
