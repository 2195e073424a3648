//! Create, Update and Delete in a database.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use query_app_setup::{QueryApp, Settings, setup};
use serde_json::{Value, json};
use warehouse_tests::{InDatabase, later};

const READER: &str = "IAMR:acme-query-app-SocketRole-1ABCDEFGHIJK";

/// What [`World`] has in its bucket: a semicolon in everything that can contain one.
const SCRIPT: &str = "-- Trips; of one day.
create table query_app.trips (id int, note varchar(20));
insert into query_app.trips values (1, 'a;b'), (2, 'it''s; ü') /* ; */;
create view query_app.notes as select note from query_app.trips; ;
";

async fn world() -> InDatabase<QueryApp> {
    InDatabase::with_script(|variable, clock| setup(&Settings::read(variable).unwrap(), clock), SCRIPT).await
}

#[tokio::test]
async fn the_reader_sees_current_and_later_tables_and_changes_nothing() {
    let world = world().await;
    world.succeed(create()).await;
    world.all(&["create table query_app.later (n int)", "insert into query_app.later values (7)"]).await;
    for (sql, rows) in [
        ("select id::varchar, note from query_app.trips order by id", vec![vec!["1", "a;b"], vec!["2", "it's; ü"]]),
        ("select note from query_app.notes order by note", vec![vec!["a;b"], vec!["it's; ü"]]),
        ("select n from query_app.later", vec![vec!["7"]]),
    ] {
        assert_eq!(world.run(sql, Some(READER)).await.unwrap(), rows, "{sql}");
    }
    for (user, sql, problem) in [
        (READER, "insert into query_app.trips values (3, 'c')", "permission denied for table"),
        (READER, "delete from query_app.trips", "permission denied for table"),
        (READER, "create table query_app.x (n int)", "permission denied for schema"),
        (READER, "select * from sales.rates", "permission denied for schema"),
        ("ann", "select * from query_app.trips", "permission denied for schema"),
    ] {
        let error = world.run(sql, Some(user)).await.unwrap_err();
        assert!(error.contains(problem), "{user}: {sql}: {error}");
    }
    let timeout = "select setconfig[1]::varchar(64) from pg_db_role_setting s join pg_user u on u.usesysid = s.setrole
                   where usename = 'IAMR:acme-query-app-SocketRole-1ABCDEFGHIJK'";
    assert_eq!(world.rows(timeout).await, [["statement_timeout=60000"]]);
}

#[tokio::test]
async fn an_update_replaces_the_reader_and_never_runs_the_script() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    world.all(&["delete from query_app.trips where id = 1"]).await;
    let mut update = later(&create(), "Update", &id);
    update["ResourceProperties"]["Reader"] = json!("IAMR:acme-query-app-SocketRole-2ABCDEFGHIJK");
    for request in ["update-1", "update-2"] {
        update["RequestId"] = json!(request);
        assert_eq!(world.succeed(update.clone()).await["PhysicalResourceId"], id);
        assert_eq!(world.rows("select count(*) from query_app.trips").await, [["1"]]);
        assert!(world.run("select * from query_app.trips", Some(READER)).await.is_err());
        assert!(
            world
                .run("select * from query_app.trips", Some("IAMR:acme-query-app-SocketRole-2ABCDEFGHIJK"))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_delete_revokes_the_rights_and_keeps_the_data() {
    let world = world().await;
    let id = world.succeed(create()).await["PhysicalResourceId"].as_str().unwrap().to_owned();
    for request in ["delete-1", "delete-2"] {
        let mut delete = later(&create(), "Delete", &id);
        delete["RequestId"] = json!(request);
        world.succeed(delete).await;
        assert_eq!(world.rows("select count(*) from query_app.trips").await, [["2"]]);
        let error = world.run("select * from query_app.trips", Some(READER)).await.unwrap_err();
        assert!(error.contains("permission denied for schema"), "{error}");
    }
    world.all(&["create table query_app.afterwards (n int)"]).await;
    let granted = "select grantee::varchar(64) from information_schema.role_table_grants
                   where table_schema = 'query_app' and grantee = 'IAMR:acme-query-app-SocketRole-1ABCDEFGHIJK'";
    assert_eq!(world.rows(granted).await, Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn the_same_create_delivered_again_changes_nothing_and_answers_as_before() {
    let world = world().await;
    let first = world.succeed(create()).await;
    assert_eq!(world.succeed(create()).await, first);
    assert_eq!(world.rows("select count(*) from query_app.trips").await, [["2"]]);
}

#[tokio::test]
async fn a_refused_statement_is_named_by_its_number_and_earlier_ones_remain() {
    let world = world().await;
    world.all(&["create schema query_app", "create view query_app.notes as select 1 as n"]).await;
    let answer = world.handle(create()).await;
    assert_eq!(answer["Status"], "FAILED");
    let reason = r#"could not run statement 3 of the script (CREATE): ERROR: relation "notes" already exists"#;
    assert_eq!(answer["Reason"], reason);
    assert_eq!(world.rows("select count(*) from query_app.trips").await, [["2"]]);
    // The Delete of the Create that failed.
    world.succeed(later(&create(), "Delete", answer["PhysicalResourceId"].as_str().unwrap())).await;
    assert_eq!(world.rows("select n::varchar from query_app.notes").await, [["1"]]);
}

fn create() -> Value {
    json!({
        "RequestType": "Create",
        "RequestId": "create-1",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/acme-query-app/1b2c",
        "LogicalResourceId": "InWarehouse",
        "ResourceType": "AWS::CloudFormation::CustomResource",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup", "ServiceTimeout": "960",
            "Warehouse": {"Workgroup": "w", "Database": "dev"},
            "Schema": "query_app",
            "Script": {"Bucket": "acme-scripts", "Key": "taxi.sql"},
            "Reader": READER,
            "StatementSeconds": "60",
        },
    })
}
