//! The function against a scripted Data API and two buckets: when the script runs, and what is reported when it does not.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use loopback::{Answer, Request, reply};
use query_app_setup::{QueryApp, Settings, setup};
use serde_json::{Value, json};
use warehouse_tests::{Scripted, Setup, create, later};

const ID: &str = "acme-setup/InWarehouse/workgroup:w/d/query_app";

const RELATIONS: &str = "select c.relname::varchar(128)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where lower(n.nspname) = lower(:schema) and c.relname in (:mark, :trace)";

const SCRIPT: &str = "-- Trips; all of them.\ncreate table query_app.trips (id int, note varchar(9));\n\
                      insert into query_app.trips values (1, 'a;b'), (2, 'ü'); -- done\n";

/// A bucket with one object in front of the Data API.
fn bucket(status: u16, body: &'static str) -> impl Fn(usize, &Request) -> Option<Answer> + Clone + Send + 'static {
    move |_, request| {
        (request.method == "GET").then(|| {
            assert_eq!(request.header("x-amz-expected-bucket-owner"), "123456789012");
            reply(status, body)
        })
    }
}

fn properties() -> Value {
    json!({
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup", "ServiceTimeout": "960",
        "Schema": "query_app",
        "Warehouse": {"Workgroup": "w", "Database": "d"},
        "Script": {"Bucket": "acme-scripts", "Key": "a/taxi.sql", "Owner": "123456789012"},
        "Reader": "IAMR:acme-socket",
        "StatementSeconds": "900",
    })
}

fn created() -> Value {
    create(properties())
}

fn afterwards(kind: &str) -> Value {
    later(&created(), kind, ID)
}

const SETUP: Setup<QueryApp> = |variable, clock| setup(&Settings::read(variable).unwrap(), clock);

async fn world() -> Scripted<QueryApp> {
    Scripted::new(SETUP).await
}

async fn world_with(fault: impl Fn(usize, &Request) -> Option<Answer> + Clone + Send + 'static) -> Scripted<QueryApp> {
    Scripted::with(SETUP, fault).await
}

#[tokio::test]
async fn a_create_runs_the_script_in_order_and_then_lets_the_reader_read() {
    let world = world_with(bucket(200, SCRIPT)).await;
    world.handle(created()).await.unwrap();
    assert_eq!(
        (world.answer()["Status"].as_str(), world.answer()["PhysicalResourceId"].as_str()),
        (Some("SUCCESS"), Some(ID))
    );
    assert_eq!(
        world.statements(),
        [
            r#"create schema if not exists "query_app""#,
            RELATIONS,
            r#"create view "query_app".ferrostack_owner as select 'acme-setup'::varchar(128) as owner"#,
            "create table query_app.trips (id int, note varchar(9))",
            "insert into query_app.trips values (1, 'a;b'), (2, 'ü')",
            "select usename::varchar(128) from pg_catalog.pg_user where usename = :name",
            r#"create user "IAMR:acme-socket" password disable"#,
            r#"grant usage on schema "query_app" to "IAMR:acme-socket""#,
            r#"grant select on all tables in schema "query_app" to "IAMR:acme-socket""#,
            r#"alter default privileges in schema "query_app" grant select on tables to "IAMR:acme-socket""#,
            r#"alter user "IAMR:acme-socket" set statement_timeout to 900000"#,
        ]
    );
}

#[tokio::test]
async fn the_script_is_never_read_again() {
    let another_schema = {
        let mut event = afterwards("Update");
        event["ResourceProperties"]["Schema"] = json!("other");
        event
    };
    for event in [afterwards("Update"), another_schema, afterwards("Delete")] {
        // There is no bucket to read it from.
        let world = world_with(bucket(500, "")).await;
        world.handle(event).await.unwrap();
        assert_eq!(world.answer()["Status"], "SUCCESS");
        let statements = world.statements();
        assert!(!statements.iter().any(|sql| sql.contains("trips") || sql.contains("drop ")), "{statements:#?}");
    }
}

#[tokio::test]
async fn a_delete_revokes_the_readers_rights_and_nothing_else() {
    let world = world().await;
    world.handle(afterwards("Delete")).await.unwrap();
    assert_eq!(
        world.statements(),
        [
            RELATIONS,
            r#"alter default privileges in schema "query_app" revoke select on tables from "IAMR:acme-socket""#,
            r#"revoke select on all tables in schema "query_app" from "IAMR:acme-socket""#,
            r#"revoke usage on schema "query_app" from "IAMR:acme-socket""#,
        ]
    );
}

#[tokio::test]
async fn a_new_reader_replaces_the_former_one() {
    let world = world().await;
    let mut event = afterwards("Update");
    event["ResourceProperties"]["Reader"] = json!("IAMR:acme-socket-2");
    world.handle(event).await.unwrap();
    let statements = world.statements();
    let revoked: Vec<&String> = statements.iter().filter(|sql| sql.contains("revoke")).collect();
    assert_eq!(revoked.len(), 3);
    assert!(revoked.iter().all(|sql| sql.ends_with(r#"from "IAMR:acme-socket""#)), "{revoked:#?}");
    assert!(
        statements[0..8].iter().filter(|sql| sql.contains("grant")).all(|sql| sql.ends_with(r#""IAMR:acme-socket-2""#))
    );
}

#[tokio::test]
async fn a_script_that_cannot_be_read_fails_before_anything_is_done() {
    for (status, body, problem) in [
        (404, "<Error><Code>NoSuchKey</Code><Message>canary</Message></Error>", "the object does not exist"),
        (404, "<Error><Code>NoSuchBucket</Code><Message>canary</Message></Error>", "the bucket does not exist"),
        (
            403,
            "<Error><Code>AccessDenied</Code></Error>",
            "it does not exist, or this function is not allowed to read it",
        ),
        (301, "<Error><Code>PermanentRedirect</Code></Error>", "the bucket is in a different region"),
        (500, "<Error><Code>InternalError</Code></Error>", "S3 returned InternalError"),
        (200, "select 'canary", "could not split the script: something that begins near line 1, column 8 does not end"),
    ] {
        let world = world_with(bucket(status, body)).await;
        world.handle(created()).await.unwrap();
        let answer = world.answer();
        let reason = answer["Reason"].as_str().unwrap();
        assert_eq!(answer["Status"], "FAILED");
        assert!(reason.contains(problem) && !reason.contains("canary"), "{reason}");
        assert_eq!(answer["PhysicalResourceId"], "acme-setup/InWarehouse/not-made");
        assert_eq!(world.statements(), [""; 0]);
    }
    let world = world_with(|_, request| (request.method == "GET").then_some(Answer::HangUp)).await;
    world.handle(created()).await.unwrap();
    assert_eq!(world.answer()["Reason"], "could not read the script s3://acme-scripts/a/taxi.sql: S3 did not respond");
}

#[tokio::test]
async fn a_script_larger_than_its_limit_is_not_read_to_its_end() {
    let long = "-".repeat(1024 * 1024 + 1);
    let world = world_with(move |_, request| (request.method == "GET").then(|| reply(200, long.as_str()))).await;
    world.handle(created()).await.unwrap();
    let reason = "could not read the script s3://acme-scripts/a/taxi.sql: it has more than 1048576 bytes; must be at most 1048576";
    assert_eq!(world.answer()["Reason"], reason);
}

#[tokio::test]
async fn a_failing_statement_is_reported_by_number_and_keyword_but_never_by_its_text() {
    let world = world_with(|_, request| match request.method.as_str() {
        "GET" => Some(reply(200, SCRIPT)),
        _ => (request.header("x-amz-target") == "RedshiftData.DescribeStatement"
            && request.body.contains("000000000004"))
        .then(|| {
            let error = "ERROR: invalid input syntax for integer: 'a;b'\n Detail: insert into query_app.trips";
            reply(200, json!({"Id": "x", "Status": "FAILED", "Error": error}))
        }),
    })
    .await;
    world.handle(created()).await.unwrap();
    let reason = world.answer()["Reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "could not run statement 2 of the script (INSERT): ERROR: invalid input syntax for integer: …");
    assert_eq!(world.statements().len(), 5, "the statements after it do not run");
}

#[tokio::test]
async fn properties_that_cannot_be_read_fail_a_create_with_a_reason() {
    for (property, value, problem) in [
        ("Schema", json!(""), "Schema: the name \"\" is empty"),
        ("Reader", json!("a\u{0}b"), "Reader: "),
        ("StatementSeconds", json!("0"), "StatementSeconds is \"0\"; must be a whole number from 1 to 86400"),
        ("StatementSeconds", json!("1; drop"), "StatementSeconds is"),
        ("Script", json!({"Bucket": "a/b", "Key": "k"}), "Script.Bucket"),
        ("Script", json!({"Bucket": "a-b", "Key": ""}), "Script.Key"),
        ("Script", json!({"Bucket": "a-b"}), "missing field `Key`"),
        ("Warehouse", json!({"Database": "d"}), "set exactly one"),
    ] {
        let world = world().await;
        let mut event = created();
        event["ResourceProperties"][property] = value;
        world.handle(event).await.unwrap();
        let answer = world.answer();
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer["Reason"].as_str().unwrap().contains(problem), "{answer}");
        assert_eq!(world.statements(), [""; 0]);
    }
}
