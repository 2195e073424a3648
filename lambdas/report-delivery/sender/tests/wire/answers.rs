//! What becomes of a delivery when a service answers its call with each of some sixty answers, once.

use std::path::Path;
use std::time::Duration;

use loopback::answers::{Case, Errors, answers, check_table};

use crate::world::*;

/// The first delivery of a record by the stream, and its retries; then it is put into the dead-letter queue.
const DELIVERIES: usize = 6;

#[tokio::test]
async fn each_answer_of_a_service_leads_to_the_end_in_the_table() {
    let mut rows = Vec::new();
    for case in answers(Errors::Json) {
        let name = format!("SES, SendEmail: {}", case.name);
        rows.push((name, mail(case).await));
    }
    for case in answers(Errors::Xml) {
        let name = format!("S3, CopyObject: {}", case.name);
        rows.push((name, copy(case).await));
    }
    for case in answers(Errors::Json) {
        let name = format!("Transfer Family, StartFileTransfer: {}", case.name);
        rows.push((name, transfer(case).await));
    }
    for case in answers(Errors::Xml) {
        let name = format!("S3, GetObject: {}", case.name);
        rows.push((name, attached(case).await));
    }
    for (call, name) in [
        ("GetItem", "DynamoDB, GetItem"),
        ("TRYING", "DynamoDB, the claim by TransactWriteItems"),
        ("SENT", "DynamoDB, the record of the end by TransactWriteItems"),
    ] {
        for case in answers(Errors::Json) {
            rows.push((format!("{name}: {}", case.name), recorded(call, case).await));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ANSWERS.md");
    check_table(&path, "report-sender: one answer of a service, and what becomes of the delivery", &rows);
}

async fn mail(case: Case) -> String {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().accepts_despite_fault = case.takes_effect;
    world.state().mail_faults = [case.answer].into();
    let end = end(&world).await;
    let accepted = world.state().accepted_mails;
    assert!(accepted <= 1, "a second mail was sent: {end}");
    assert!(accepted == 1 || end.contains("dead letter"), "the mail is lost without a word: {end}");
    format!("{}, {end}, {accepted} sent", world.standing("a", "mail"))
}

async fn copy(case: Case) -> String {
    let world = World::with(&[PARTNER]).await;
    world.completed("a", 1, &[]);
    world.state().copy_faults = [case.answer].into();
    let end = end(&world).await;
    format!("{}, {end}", world.standing("a", "partner"))
}

async fn transfer(case: Case) -> String {
    let world = World::with(&[SFTP]).await;
    world.completed("a", 1, &[]);
    world.state().transfer_faults = [case.answer].into();
    let end = end(&world).await;
    format!("{}, {end}", world.standing("a", "sftp"))
}

/// The file that is attached to the mail.
async fn attached(case: Case) -> String {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().file_faults = [case.answer].into();
    let end = end(&world).await;
    let accepted = world.state().accepted_mails;
    assert!(accepted <= 1, "a second mail was sent: {end}");
    format!("{}, {end}, {accepted} sent", world.standing("a", "mail"))
}

/// The table's answer about a mail.
async fn recorded(call: &'static str, case: Case) -> String {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().dynamo.once = Some((call, case));
    let end = end(&world).await;
    assert!(world.state().dynamo.once.is_none(), "the answer was given");
    let accepted = world.state().accepted_mails;
    assert!(accepted <= 1, "a second mail was sent: {end}");
    assert!(accepted == 1 || end.contains("dead letter"), "the mail is lost without a word: {end}");
    format!("{}, {end}, {accepted} sent", world.standing("a", "mail"))
}

/// Delivers the record until a run succeeds, as the stream does.
async fn end(world: &World) -> String {
    for delivery in 1..=DELIVERIES {
        if world.stream(&["a"]).await.is_ok() {
            return format!("delivery {delivery} of the record");
        }
        world.time.pass(Duration::from_secs(60));
    }
    "dead letter".to_owned()
}
