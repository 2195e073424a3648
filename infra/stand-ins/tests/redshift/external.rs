//! SQL that calls a Lambda.

use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

use crate::world::World;

const DECLARED: &str = "create or replace external function f_sign(varchar, varchar, decimal(18,2)) returns varchar(2048) volatile \
     lambda 'signer' iam_role 'arn:aws:iam::123456789012:role/caller' retry_timeout 20000 max_batch_rows 2 max_batch_size 4 mb";

/// Answers each row with its arguments, and a number that grows from row to row.
fn signer(number: usize, request: &Request) -> Answer {
    let event: Value = serde_json::from_str(&request.body).unwrap();
    let rows = event["arguments"].as_array().unwrap();
    let results: Vec<_> = rows.iter().enumerate().map(|(at, row)| format!("{number}.{at}:{row}")).collect();
    reply(200, json!({"success": true, "num_records": results.len(), "results": results}))
}

#[tokio::test]
async fn a_view_with_an_external_function_has_its_answers_row_by_row_and_the_lambda_gets_batches() {
    let world = World::with(signer).await;
    world
        .all(&[
            "create table rates (customer varchar(256), cost decimal(18,2))",
            "insert into rates values ('b', 2), ('a', null), ('b', 2)",
            DECLARED,
            "create view links as select 'https://x/?t=' || f_sign('generate', customer, cost) as link from rates",
        ])
        .await;
    assert_eq!(
        world.rows("select link from links").await.concat(),
        [
            r#"https://x/?t=0.0:["generate","b",2.0]"#,
            r#"https://x/?t=0.1:["generate","a",null]"#,
            r#"https://x/?t=1.0:["generate","b",2.0]"#,
        ]
    );
    let batches = world.bodies();
    assert_eq!(batches.len(), 2, "two rows per batch");
    assert_eq!(world.requests.lock().unwrap()[0].target, "/2015-03-31/functions/signer/invocations");
    let first = &batches[0];
    assert_eq!(
        (&first["external_function"], &first["num_records"], &first["user"], &first["database"]),
        (&json!("public.f_sign"), &json!(2), &json!("awsuser"), &json!(world.database))
    );
    assert!(first["request_id"].is_string() && first["query_id"].is_u64() && first["cluster"].is_string());
}

#[tokio::test]
async fn a_call_within_a_call_and_a_call_in_an_insert_run_once_each() {
    let world = World::with(signer).await;
    world.all(&[DECLARED, "create table t (token varchar(2048))"]).await;
    world.all(&["insert into t select f_sign(f_sign('x', 'y', 1), null, null)"]).await;
    assert_eq!(world.rows("select * from t").await, [[r#"1.0:["0.0:[\"x\",\"y\",1]",null,null]"#]]);
    assert_eq!(world.bodies().len(), 2);
}

#[tokio::test]
async fn an_answer_as_a_string_counts_and_nulls_remain_null() {
    let world =
        World::with(|_, _| reply(200, json!(r#"{"success": true, "num_records": 2, "results": ["a", null]}"#))).await;
    world.all(&[DECLARED]).await;
    let rows = world.rows("select f_sign('x', n::varchar, 1) from generate_series(1, 2) n").await;
    assert_eq!(rows, [["a"], ["-"]]);
}

#[tokio::test]
async fn a_lambda_that_fails_fails_the_statement_with_its_message() {
    for (answer, message) in [
        (json!({"success": false, "error_msg": "no key"}), "ERROR: no key"),
        (
            json!({"success": true, "num_records": 1, "results": []}),
            "ERROR: Invalid External Function Response: 0 results for 1 rows",
        ),
        (
            json!({"success": true, "num_records": 2, "results": ["a"]}),
            "ERROR: Invalid External Function Response: num_records is not the number of rows",
        ),
        (
            json!({"errorMessage": "x", "errorType": "y"}),
            "ERROR: Invalid External Function Response: it has no `success`",
        ),
    ] {
        let world = World::with(move |_, _| reply(200, answer.clone())).await;
        world.all(&[DECLARED]).await;
        assert_eq!(world.error("select f_sign('x', 'y', 1)").await, message);
    }
}

#[tokio::test]
async fn a_declaration_that_redshift_would_refuse_is_refused() {
    let world = World::new().await;
    let declared = DECLARED.replace("or replace ", "");
    world.all(&[&declared]).await;
    assert!(world.error(&declared).await.contains("already exists"));
    for (from, to) in [
        ("volatile", "immutable"),
        (" lambda 'signer'", ""),
        ("iam_role 'arn:aws:iam::123456789012:role/caller'", ""),
        ("max_batch_rows 2", "max_batch_rows 0"),
        ("4 mb", "6 mb"),
        ("retry_timeout", "patience"),
    ] {
        let error = world.error(&DECLARED.replace(from, to)).await;
        assert!(error.contains("syntax error in CREATE EXTERNAL FUNCTION"), "{to}: {error}");
    }
}
