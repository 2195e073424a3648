//! Each way of delivery, once per job.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use loopback::answers::{Errors, answers};
use loopback::{Answer, reply};
use report_sender::Error;
use serde_json::json;

use crate::dynamo::Fault;
use crate::world::*;

#[tokio::test]
async fn without_its_variables_nothing_is_sent_and_nothing_is_called() {
    let world = World::with(&[]).await;
    world.completed("a", 1, &["a@example.com"]);
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 0}));
    assert_eq!((world.made(), world.state().dynamo.calls.len()), ((0, 0, 0), 0));
}

#[tokio::test]
async fn a_small_report_is_attached_to_one_mail() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 2, &["a@example.com"]);
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 1}));
    let mail = world.state().mails[0].clone();
    assert_eq!(
        (&mail["FromEmailAddress"], &mail["Destination"]),
        (&json!("reports@example.com"), &json!({"ToAddresses": ["a@example.com"]}))
    );
    let attachments = &mail["Content"]["Simple"]["Attachments"];
    assert_eq!((&attachments[0]["FileName"], &attachments[1]["FileName"]), (&json!("d1-1.pdf"), &json!("d1-2.pdf")));
    assert_eq!(attachments[0]["RawContent"], "Y2FuYXJ5LWNvbnRlbnQ=");
    assert_eq!(world.standing("a", "mail"), "SENT");
    assert_eq!(world.state().dynamo.count("TransactWriteItems"), 2, "the claim and the end");
}

#[tokio::test]
async fn a_mail_that_takes_many_seconds_to_send_is_still_sent_once() {
    let world = World::with(&[MAIL, PARTNER]).await;
    let late = |answer| Answer::Late(Duration::from_secs(100), Box::new(answer));
    world.state().mail_faults = [late(reply(200, json!({"MessageId": "m-1"})))].into();
    let done = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
    world.state().copy_faults = [late(reply(200, done))].into();
    world.completed("a", 1, &["a@example.com"]);
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 2}));
    assert_eq!((world.made(), world.standing("a", "mail")), ((1, 1, 0), "SENT".to_owned()));
}

#[tokio::test]
async fn a_large_report_is_announced_by_its_location_in_the_api_and_never_by_a_signed_address() {
    for (base, expected) in [
        (None, "job a of dashboard d1"),
        (Some(("MAIL_LINK_BASE", "https://x.example.com/dev/qs-anonymous-snapshot/")), "snapshot/download_output/d1/a"),
    ] {
        let variables: Vec<_> = [MAIL, ("MAIL_ATTACH_BYTES", "20")].into_iter().chain(base).collect();
        let world = World::with(&variables).await;
        world.completed("a", 2, &["a@example.com", "b@example.com"]);
        world.stream(&["a"]).await.unwrap();
        let mail = world.state().mails[0].clone();
        assert_eq!(mail["Destination"], json!({"BccAddresses": ["a@example.com", "b@example.com"]}));
        let text = mail["Content"]["Simple"]["Body"]["Text"]["Data"].as_str().unwrap().to_owned();
        assert!(text.contains(expected) && !text.contains("X-Amz"), "{text}");
        assert_eq!(mail["Content"]["Simple"].get("Attachments"), None);
    }
}

#[tokio::test]
async fn every_file_is_copied_and_transferred() {
    let world = World::with(&[PARTNER, ("PARTNER_PREFIX", "/in"), SFTP, ("SFTP_FOLDER", "/inbox")]).await;
    world.completed("a", 11, &[]);
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 2}));
    let state = world.state();
    let copy = ("/partner/in/d1/a/part%201.pdf".to_owned(), "reports/t/acme/d1/a/part%201.pdf".to_owned());
    assert_eq!((state.copies.len(), &state.copies[0]), (11, &copy));
    assert_eq!(state.transfers[0]["SendFilePaths"].as_array().unwrap().len(), 10);
    let last = json!({
        "ConnectorId": "c-01234567890abcdef", "RemoteDirectoryPath": "/inbox", "SendFilePaths": ["/reports/t/acme/d1/a/part 11.pdf"],
    });
    assert_eq!(state.transfers[1], last);
}

#[tokio::test]
async fn a_record_that_the_stream_repeats_is_not_sent_again() {
    let world = World::with(&[MAIL, PARTNER, SFTP]).await;
    world.completed("a", 1, &["a@example.com"]);
    assert_eq!(world.stream(&["a", "a"]).await.unwrap(), json!({"sent": 3}));
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 0}));
    assert_eq!(world.made(), (1, 1, 1));
}

#[tokio::test]
async fn the_records_of_the_functions_own_writes_are_skipped() {
    let world = World::with(&[MAIL, PARTNER]).await;
    for standing in ["TRYING 1765307800000 run", "WAITING Throttling", "SENT 1", "FAILED MessageRejected", "UNKNOWN 1"]
    {
        world.completed("a", 1, &["a@example.com"]);
        world.state().dynamo.jobs.get_mut("a").unwrap()["mail"] = json!({"S": standing});
        let image = world.state().dynamo.jobs["a"].clone();
        let record = json!({"Records": [{"dynamodb": {"NewImage": image}}]});
        assert_eq!(world.invoke(record).await.unwrap(), json!({"sent": 0}), "{standing}");
    }
    assert_eq!((world.made(), world.state().dynamo.calls.len()), ((0, 0, 0), 0));
}

#[tokio::test]
async fn one_failure_does_not_affect_other_ways_or_jobs() {
    let world = World::with(&[MAIL, PARTNER, SFTP]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.completed("b", 1, &["a@example.com"]);
    world.state().mail_faults = [refusal(429, "TooManyRequestsException")].into();
    world.state().copy_faults = [denied(404, "NoSuchKey")].into();
    assert!(world.stream(&["a", "b"]).await.unwrap_err().starts_with("deliveries that were not made: 2"));
    assert_eq!([world.standing("a", "mail"), world.standing("a", "partner")], ["WAITING", "FAILED NoSuchKey"]);
    assert_eq!([world.standing("a", "sftp"), world.standing("b", "mail"), world.standing("b", "partner")], ["SENT"; 3]);
    // The stream delivers them again: only what may succeed is tried, and what never will is reported again.
    assert!(world.stream(&["a", "b"]).await.unwrap_err().starts_with("deliveries that were not made: 1"));
    assert_eq!((world.standing("a", "mail"), world.made()), ("SENT".to_owned(), (3, 2, 2)));
}

#[tokio::test]
async fn a_mail_that_ses_did_not_take_now_is_sent_by_the_next_delivery() {
    for (status, kind) in [
        (400, "Throttling"),
        (429, "Throttling"),
        (400, "ThrottlingException"),
        (429, "TooManyRequestsException"),
        (503, "ServiceUnavailable"),
        (403, "ExpiredTokenException"),
        (400, "SendingPausedException"),
    ] {
        let world = World::with(&[MAIL]).await;
        world.completed("a", 1, &["a@example.com"]);
        world.state().mail_faults = vec![refusal(status, kind); 2].into();
        assert!(world.stream(&["a"]).await.is_err(), "{kind}");
        assert_eq!(world.standing("a", "mail"), "WAITING", "{kind}");
        world.state().mail_faults.clear();
        assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 1}), "{kind}");
        assert_eq!((world.standing("a", "mail"), world.state().accepted_mails), ("SENT".to_owned(), 1), "{kind}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_loses_no_mail() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    let skewed = answers(Errors::Json).pop().unwrap();
    assert!(skewed.name.contains("clock"), "{}", skewed.name);
    world.state().mail_faults = [skewed.answer].into();
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 1}));
    assert_eq!((world.made().0, world.state().accepted_mails), (2, 1));
}

#[tokio::test]
async fn a_mail_does_not_use_a_connection_that_died_while_the_function_was_frozen() {
    let world = World::frozen_between_calls(&[MAIL]).await;
    for id in ["a", "b", "c"] {
        world.completed(id, 1, &["a@example.com"]);
        assert_eq!(world.stream(&[id]).await.unwrap(), json!({"sent": 1}));
    }
    assert_eq!(world.state().accepted_mails, 3);
}

#[tokio::test]
async fn a_mail_that_is_lost_is_reported_at_every_delivery_of_its_record() {
    for (fault, expected) in [
        (refusal(400, "MessageRejected"), "FAILED MessageRejected"),
        (refusal(400, "NobodyHasHeardOfThisException"), "FAILED NobodyHasHeardOfThisException"),
        (refusal(500, "InternalFailure"), "UNKNOWN"),
        (Answer::HangUp, "UNKNOWN"),
    ] {
        let world = World::with(&[MAIL]).await;
        world.completed("a", 1, &["a@example.com"]);
        world.state().mail_faults = [fault].into();
        for _ in 0..6 {
            assert!(world.stream(&["a"]).await.is_err(), "{expected}");
        }
        assert_eq!((world.standing("a", "mail").as_str(), world.made().0), (expected, 1));
    }
}

#[tokio::test]
async fn a_mail_without_an_answer_is_not_sent_again_and_a_copy_is() {
    let world = World::with(&[MAIL, PARTNER]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().mail_faults = [Answer::HangUp].into();
    world.state().copy_faults = vec![denied(500, "InternalError"); 3].into();
    assert!(world.stream(&["a"]).await.is_err());
    assert_eq!([world.standing("a", "mail"), world.standing("a", "partner")], ["UNKNOWN", "WAITING"]);
    assert!(world.stream(&["a"]).await.is_err(), "nobody knows about the mail, and it must be reported");
    assert_eq!((world.made().0, world.standing("a", "partner")), (1, "SENT".to_owned()));
}

#[tokio::test]
async fn a_way_that_is_not_set_up_is_retried_until_it_is() {
    let world = World::with(&[MAIL, PARTNER, SFTP]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().mail_faults = [refusal(400, "MailFromDomainNotVerifiedException")].into();
    world.state().copy_faults = [denied(403, "AccessDenied")].into();
    world.state().transfer_faults = [refusal(400, "ResourceNotFoundException")].into();
    assert!(world.stream(&["a"]).await.unwrap_err().starts_with("deliveries that were not made: 3"));
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 3}));
}

#[tokio::test]
async fn a_dead_run_is_awaited_and_then_taken_over_if_that_is_harmless() {
    let world = World::with(&[MAIL, SFTP]).await;
    world.completed("a", 1, &["a@example.com"]);
    for way in ["mail", "sftp"] {
        world.state().dynamo.jobs.get_mut("a").unwrap()[way] = json!({"S": "TRYING 1765307800000 other-run"});
    }
    assert!(world.stream(&["a"]).await.is_err());
    assert_eq!(world.made(), (0, 0, 0));
    world.time.pass(Duration::from_secs(60));
    assert!(world.stream(&["a"]).await.is_err(), "the outcome of the mail is unknown, and somebody must be notified");
    assert_eq!((world.standing("a", "mail"), world.standing("a", "sftp")), ("UNKNOWN".to_owned(), "SENT".to_owned()));
    assert_eq!(world.made(), (0, 0, 1));
}

#[tokio::test]
async fn the_outcome_of_a_mail_is_recorded_although_the_table_fails_once() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    // The job is read and claimed; then the table fails.
    world.state().dynamo.faults = [Fault::Works, Fault::Works, Fault::Denies].into();
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 1}));
    assert_eq!(world.standing("a", "mail"), "SENT");
}

#[tokio::test]
async fn a_mail_whose_end_could_not_be_recorded_is_not_sent_again_and_is_reported() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    world.state().dynamo.faults = [Fault::Works, Fault::Works, Fault::Denies, Fault::Denies, Fault::Denies].into();
    assert!(world.stream(&["a"]).await.is_err());
    assert!(world.stream(&["a"]).await.is_err());
    world.time.pass(Duration::from_secs(600));
    assert!(world.stream(&["a"]).await.is_err());
    assert_eq!((world.made().0, world.standing("a", "mail")), (1, "UNKNOWN".to_owned()));
}

#[tokio::test]
async fn without_a_claim_nothing_is_sent() {
    let world = World::with(&[MAIL, PARTNER]).await;
    world.completed("a", 1, &["a@example.com"]);
    // The claims of both ways fail, and so does looking for them.
    let fails = [Fault::Works, Fault::Denies, Fault::Denies];
    world.state().dynamo.faults = fails.into_iter().chain(fails).collect();
    assert!(world.stream(&["a"]).await.is_err());
    assert_eq!(world.made(), (0, 0, 0));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_a_claim() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    let lost = Fault::LosesAnswer;
    world.state().dynamo.faults = [Fault::Works, lost, lost, lost].into();
    assert_eq!(world.stream(&["a"]).await.unwrap(), json!({"sent": 1}));
    assert_eq!((world.made().0, world.standing("a", "mail")), (1, "SENT".to_owned()));
}

#[tokio::test]
async fn jobs_without_recipients_deleted_jobs_and_other_records_are_skipped() {
    let mut world = World::with(&[MAIL, PARTNER]).await;
    world.completed("a", 1, &[]);
    let record = json!({"dynamodb": {"NewImage": world.state().dynamo.jobs["a"].clone()}});
    world.state().dynamo.jobs.get_mut("a").unwrap()["state"] = json!({"S": "DELETING"});
    let records = json!({"Records": [{"eventName": "REMOVE", "dynamodb": {}}, {"dynamodb": {"NewImage": {"x": {"S": "y"}}}}, record]});
    assert_eq!(world.invoke(records).await.unwrap(), json!({"sent": 0}));
    assert!(world.invoke(json!({})).await.is_err());
    world.completed("b", 1, &["a@example.com"]);
    world.time_left = Duration::from_secs(20);
    assert!(world.stream(&["b"]).await.is_err(), "there is no time to finish, so nothing is started");
    assert_eq!(world.made(), (0, 0, 0));
}

#[tokio::test]
async fn a_job_whose_item_is_missing_is_reported() {
    let world = World::with(&[MAIL]).await;
    world.completed("a", 1, &["a@example.com"]);
    let item = world.state().dynamo.jobs.remove("a").unwrap();
    let record = json!({"Records": [{"dynamodb": {"NewImage": item}}]});
    assert!(world.invoke(record).await.is_err());
    assert_eq!(world.made(), (0, 0, 0));
}

#[test]
fn each_kind_of_failure_has_a_name() {
    for (error, name) in [(Error::UnknownEvent, "UnknownEvent"), (Error::NotDelivered(2), "NotDelivered")] {
        let diagnostic = Diagnostic::from(error);
        assert_eq!(diagnostic.error_type, name);
    }
}
