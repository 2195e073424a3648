//! What becomes of a reload after each answer that Qlik may give to the call that starts it and to the call that follows it, and AWS
//! to the calls that claim it.

use std::path::Path;
use std::time::Duration;

use loopback::answers::{Case, Errors, answers, check_table};
use loopback::reply;
use qlik_reload::Error;
use serde_json::{Value, json};

use crate::world::*;

/// Delivers one event as Lambda does: up to three times.
async fn deliver(world: &World) -> Result<Value, Error> {
    let event = json!({"appId": APP, "deliveryId": "tick", "waitFor": "finished"});
    let mut result = world.invoke(event.clone()).await;
    for wait in [60, 120] {
        if result.is_ok() {
            break;
        }
        world.pass(Duration::from_secs(wait));
        result = world.invoke(event.clone()).await;
    }
    result
}

/// The reload is started by a call that is answered like this.
async fn started(case: &Case) -> String {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    let listed = if case.takes_effect { page([reload("RELOADING")]) } else { page([]) };
    world.qlik(Route::Post, [case.answer.clone(), reply(201, reload("QUEUED"))]);
    world.qlik(Route::List, [listed]).qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    let result = deliver(&world).await;
    let (posts, waited) = (world.count(Route::Post), world.slept() >= Duration::from_secs(119));
    match result {
        Ok(_) if case.takes_effect && posts == 1 => "it is found in Qlik's list".to_owned(),
        Ok(_) if !case.takes_effect && posts == 2 && waited => {
            "it is looked for in vain for two minutes, then started".to_owned()
        }
        Ok(_) if !case.takes_effect && posts == 2 => "it is started by another call".to_owned(),
        Ok(_) => panic!("{}: {posts} calls", case.name),
        Err(error) if !case.takes_effect && posts == 1 => format!("it is a dead letter at once: {}", error.name()),
        Err(error) => panic!("{}: {error}", case.name),
    }
}

/// The reload is followed by a call that is answered like this.
async fn followed(case: &Case) -> String {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]);
    world.qlik(Route::Reload, [case.answer.clone(), reply(200, reload("SUCCEEDED"))]);
    let result = deliver(&world).await;
    assert_eq!(world.count(Route::Post), 1, "{}", case.name);
    match result {
        Ok(_) => "its end is reported after another call".to_owned(),
        Err(error) => format!("it runs, and its delivery is a dead letter: {}", error.name()),
    }
}

/// A call to AWS is answered like this.
async fn claimed(call: &'static str, case: &Case) -> String {
    let mut world = World::new().await;
    world.time_left = Duration::from_secs(900);
    world.qlik(Route::Post, [reply(201, reload("QUEUED"))]).qlik(Route::Reload, [reply(200, reload("SUCCEEDED"))]);
    world.qlik(Route::List, [page([reload("SUCCEEDED")])]);
    world.state().once = Some((call, case.clone()));
    let result = deliver(&world).await;
    assert!(world.state().once.is_none(), "the answer was given");
    assert_eq!(world.count(Route::Post), 1, "{}", case.name);
    let runs = world.runs();
    match result {
        Ok(_) => format!("it is started once, and reported by run {runs} of the delivery"),
        Err(error) => panic!("{}: {error}", case.name),
    }
}

#[tokio::test]
async fn each_answer_of_qlik_and_of_aws_has_one_result() {
    let mut rows = Vec::new();
    for case in answers(Errors::Plain) {
        rows.push((format!("Qlik, the start: {}", case.name), started(&case).await));
    }
    for case in answers(Errors::Plain) {
        rows.push((format!("Qlik, a status check: {}", case.name), followed(&case).await));
    }
    for call in ["the claim of the delivery", "the claim of the reload", "the record of the end", "GetSecretValue"] {
        for case in answers(Errors::Json) {
            let service = if call == "GetSecretValue" { "Secrets Manager" } else { "DynamoDB" };
            rows.push((format!("{service}, {call}: {}", case.name), claimed(call, &case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "qlik-reload: one answer of a service, and what becomes of the reload", &rows);
}
