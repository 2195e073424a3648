//! Statements, states, results, pages, tokens, lists, events.

use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::types::{ExecutionMode, StatementStatusString, StatusString};
use loopback::reply;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_statement_is_submitted_first_and_its_result_has_a_field_for_each_type() {
    let world = World::new().await;
    let started = execute(&world, "select 1").send().await.unwrap();
    assert_eq!(started.database(), Some(world.database.as_str()));
    assert!(started.created_at().is_some() && started.status().is_none());
    let described = world
        .run(
            "select null::int as a, true as b, 9007199254740993::bigint as c, 0.5::real as d, 1.50::decimal(18,2) as e,
             date '2024-02-29' as f, timestamp '2024-02-29 01:02:03' as g, ''::varchar(9) as h, 'x' as i",
        )
        .await;
    assert_eq!(described.status(), Some(&StatusString::Finished));
    assert_eq!((described.result_rows(), described.has_result_set()), (1, Some(true)));
    let result = world.client.get_statement_result().id(described.id()).send().await.unwrap();
    let [row] = result.records() else { panic!("{result:?}") };
    assert_eq!(
        format!("{row:?}"),
        "[IsNull(true), BooleanValue(true), LongValue(9007199254740993), DoubleValue(0.5), StringValue(\"1.50\"), \
         StringValue(\"2024-02-29\"), StringValue(\"2024-02-29 01:02:03\"), StringValue(\"\"), StringValue(\"x\")]"
    );
    let columns: Vec<_> = result
        .column_metadata()
        .iter()
        .map(|column| (column.name().unwrap(), column.type_name().unwrap(), column.precision(), column.scale()))
        .collect();
    assert_eq!(columns[2], ("c", "int8", 19, 0));
    assert_eq!(columns[4], ("e", "numeric", 18, 2));
    assert_eq!(columns[7], ("h", "varchar", 9, 0));
}

#[tokio::test]
async fn a_failed_statement_says_why_and_has_no_result() {
    let world = World::new().await;
    for (sql, error) in [
        ("select * from nowhere", "ERROR: relation \"nowhere\" does not exist Position: 15"),
        ("select 1; select 2", "ERROR: cannot insert multiple commands into a prepared statement"),
        ("select 'a'::int", "ERROR: invalid input syntax for type integer: \"a\" Position: 8"),
    ] {
        let described = world.run(sql).await;
        assert_eq!((described.status(), described.error()), (Some(&StatusString::Failed), Some(error)));
        let error = world.client.get_statement_result().id(described.id()).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
    }
    let described = world.run_with("select 1", &[], Some("nobody_knows")).await;
    assert!(described.error().unwrap().contains("role \"nobody_knows\" does not exist"), "{described:?}");
    let described = execute(&world, "select 1").database("no_such").wait_time_seconds(30).send().await.unwrap();
    let described = world.describe(described.id().unwrap()).await;
    assert_eq!(described.error(), Some("FATAL: database \"no_such\" does not exist"));
}

#[tokio::test]
async fn values_arrive_unchanged_whatever_they_contain() {
    let world = World::new().await;
    world.all(&["create table quotes (customer varchar(256), cost decimal(18,2), day date)"]).await;
    let hostile = "O'Brien & Söhne \\'; drop table quotes; -- $1 :cost";
    let insert = "insert into quotes select :customer, :cost, :day where not exists (select 1 from quotes where customer = :customer)";
    let values = [("customer", hostile), ("cost", "100.5"), ("day", "2024-02-29")];
    for rows in [1, 0] {
        assert_eq!(world.run_with(insert, &values, None).await.result_rows(), rows);
    }
    assert_eq!(world.rows("select * from quotes").await, [[hostile, "100.50", "2024-02-29"]]);
}

#[tokio::test]
async fn a_result_has_pages_and_a_token_is_valid_for_its_own_result_only() {
    let world = World::new().await;
    let rows = world.rows("select n from generate_series(1, 8) n").await;
    assert_eq!(rows.concat(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let ids = [world.run("select n from generate_series(1, 8) n").await, world.run("select 1").await];
    let first = world.client.get_statement_result().id(ids[0].id()).send().await.unwrap();
    assert_eq!((first.records().len(), first.total_num_rows()), (3, 8));
    let other = world.client.get_statement_result().id(ids[1].id()).set_next_token(first.next_token).send().await;
    assert_eq!(other.unwrap_err().code(), Some("ValidationException"));
}

#[tokio::test]
async fn the_same_client_token_runs_a_statement_once() {
    let world = World::new().await;
    world.all(&["create table t (n int)"]).await;
    let submit = |sql| execute(&world, sql).client_token("token").wait_time_seconds(30).send();
    let first = submit("insert into t values (1)").await.unwrap();
    let second = submit("insert into t values (1)").await.unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(submit("insert into t values (2)").await.unwrap_err().code(), Some("ValidationException"));
    assert_eq!(world.rows("select n from t").await, [["1"]]);
}

#[tokio::test]
async fn requests_that_the_service_refuses_are_refused_before_anything_runs() {
    let world = World::new().await;
    let good = json!({"Sql": "select 1", "WorkgroupName": "w", "Database": "d"});
    let with = |changes: Value| {
        let mut request = good.clone();
        request.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        request
    };
    let parameters = |parameters: Value| with(json!({"Sql": "select :a", "Parameters": parameters}));
    for (request, problem) in [
        (with(json!({"Sql": null})), "'sql' failed to satisfy constraint: Member must not be null"),
        (with(json!({"Sql": "x".repeat(102_401)})), "1 to 102400 bytes"),
        (with(json!({"Database": null})), "'database'"),
        (with(json!({"WorkgroupName": null})), "Either ClusterIdentifier or WorkgroupName"),
        (with(json!({"ClusterIdentifier": "c"})), "cannot both"),
        (with(json!({"DbUser": "u"})), "DbUser cannot be given"),
        (with(json!({"ClientToken": "x".repeat(65)})), "less than or equal to 64"),
        (with(json!({"WaitTimeSeconds": 31})), "1 to 30"),
        (with(json!({"SessionKeepAliveSeconds": 5})), "unknown field `SessionKeepAliveSeconds`"),
        (parameters(json!([])), "'parameters'"),
        (parameters(json!([{"name": "a", "value": ""}])), "greater than or equal to 1"),
        (parameters(json!([{"name": "a"}])), "must not be null"),
        (parameters(json!([{"name": "a", "value": "1"}, {"name": "b", "value": "1"}])), "Unused parameters: [b]"),
        (with(json!({"Sql": "select :a"})), "Cannot find parameter: a"),
    ] {
        let answer = reqwest::Client::new()
            .post(&world.redshift.url)
            .header("x-amz-target", "RedshiftData.ExecuteStatement")
            .body(request.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((status.as_u16(), &error["__type"]), (400, &json!("ValidationException")));
        let message = error["Message"].as_str().unwrap();
        assert!(message.contains(problem), "{message}\n{problem}");
    }
    assert!(world.redshift.log().is_empty());
    let missing = world.client.describe_statement().id("d9b6c0c9-0747-4bf4-b142-e8883122f766").send().await;
    assert_eq!(missing.unwrap_err().code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_batch_is_one_transaction_unless_it_commits_by_itself() {
    let world = World::new().await;
    world.all(&["create table t (n int)"]).await;
    for (mode, left) in [(ExecutionMode::Transaction, "0"), (ExecutionMode::AutoCommit, "1")] {
        let ended = batch(&world, &["insert into t values (1)", "select 1/0", "insert into t values (2)"], mode).await;
        assert_eq!(ended.status(), Some(&StatusString::Failed));
        assert_eq!(ended.sub_statements()[1].status(), Some(&StatementStatusString::Failed));
        assert_eq!(world.rows("select count(*) from t").await, [[left]]);
    }
    let sqls = ["insert into t values (:n), (:n)", "select n from t order by n"];
    let started = world.client.batch_execute_statement().workgroup_name("w").database(&world.database);
    let started = started.set_sqls(Some(sqls.map(str::to_owned).into())).wait_time_seconds(30);
    let parameter = aws_sdk_redshiftdata::types::SqlParameter::builder().name("n").value("7").build().unwrap();
    let started = started.parameters(parameter).send().await.unwrap();
    let ended = world.describe(started.id().unwrap()).await;
    let parts: Vec<_> = ended.sub_statements().iter().map(|part| (part.result_rows(), part.has_result_set())).collect();
    assert_eq!(parts, [(2, Some(false)), (3, Some(true))]);
    let part = ended.sub_statements()[1].id();
    assert_eq!(part, format!("{}:2", ended.id()));
    let result = world.client.get_statement_result().id(part).send().await.unwrap();
    assert_eq!(result.records().len(), 3);
    assert!(world.client.get_statement_result().id(ended.sub_statements()[0].id()).send().await.is_err());
}

#[tokio::test]
async fn a_statement_under_way_can_be_cancelled_and_an_ended_one_cannot() {
    let world = World::new().await;
    let started = execute(&world, "select pg_sleep(600)").with_event(true).send().await.unwrap();
    let id = started.id().unwrap();
    // Until it runs in PostgreSQL.
    while world.describe(id).await.status() != Some(&StatusString::Started) {}
    assert_eq!(world.client.cancel_statement().id(id).send().await.unwrap().status(), Some(true));
    let ended = loop {
        let described = world.describe(id).await;
        if described.status() != Some(&StatusString::Started) {
            break described;
        }
    };
    assert_eq!(ended.status(), Some(&StatusString::Aborted));
    let again = world.client.cancel_statement().id(id).send().await.unwrap_err();
    assert_eq!(again.code(), Some("ValidationException"));
}

#[tokio::test]
async fn statements_are_listed_newest_first_by_name_and_status_in_pages() {
    let world = World::new().await;
    for (name, sql) in [("quotes-1", "select 1"), ("other", "select 2"), ("quotes-2", "select 1/0")] {
        execute(&world, sql).statement_name(name).wait_time_seconds(30).send().await.unwrap();
    }
    let names = async |prefix: Option<&str>, status: StatusString| {
        let list = world.client.list_statements().set_statement_name(prefix.map(str::to_owned)).status(status);
        let mut pages = list.max_results(1).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            names.extend(page.unwrap().statements.into_iter().filter_map(|entry| entry.statement_name));
        }
        names
    };
    assert_eq!(names(None, StatusString::All).await, ["quotes-2", "other", "quotes-1"]);
    assert_eq!(names(Some("quotes-"), StatusString::All).await, ["quotes-2", "quotes-1"]);
    assert_eq!(names(Some("quotes-"), StatusString::Failed).await, ["quotes-2"]);
}

#[tokio::test]
async fn the_end_of_a_statement_reaches_the_functions_of_the_rules_that_match() {
    let world = World::with(|_, request| match request.header("x-amz-target") {
        "AWSEvents.ListRules" => reply(
            200,
            json!({"Rules": [
                {"Name": "ours", "State": "ENABLED", "EventPattern": "{\"source\":[\"aws.redshift-data\"]}"},
                {"Name": "other", "State": "ENABLED", "EventPattern": "{\"source\":[\"aws.s3\"]}"},
                {"Name": "off", "State": "DISABLED", "EventPattern": "{\"source\":[\"aws.redshift-data\"]}"},
                {"Name": "clock", "State": "ENABLED", "ScheduleExpression": "rate(1 minute)"},
            ]}),
        ),
        "AWSEvents.TestEventPattern" => reply(200, json!({"Result": request.body.contains("[\\\"aws.redshift-data")})),
        "AWSEvents.ListTargetsByRule" => reply(
            200,
            json!({"Targets": [{"Id": "t", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:query-finished"}]}),
        ),
        _ => reply(202, ""),
    })
    .await;
    execute(&world, "select 1").with_event(false).wait_time_seconds(30).send().await.unwrap();
    let started = execute(&world, "select 2").with_event(true).statement_name("page-7").send().await.unwrap();
    let invoked = loop {
        let requests = world.requests.lock().unwrap().clone();
        if let Some(found) = requests.into_iter().find(|request| request.target.contains("/functions/")) {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(invoked.target, "/2015-03-31/functions/query-finished/invocations");
    assert_eq!(invoked.header("x-amz-invocation-type"), "Event");
    let event: Value = serde_json::from_str(&invoked.body).unwrap();
    assert_eq!(event["detail-type"], "Redshift Data Statement Status Change");
    assert_eq!(event["resources"], json!(["arn:aws:redshift:us-east-1:000000000000:cluster:c"]));
    let detail = &event["detail"];
    assert_eq!(
        (&detail["state"], &detail["statementName"], &detail["statementId"], &detail["rows"]),
        (&json!("FINISHED"), &json!("page-7"), &json!(started.id()), &json!(1))
    );
    let rules =
        world.requests.lock().unwrap().iter().filter(|r| r.header("x-amz-target") == "AWSEvents.ListRules").count();
    assert_eq!(rules, 1, "a statement without an event looks up no rules");
}

fn execute(
    world: &World,
    sql: &str,
) -> aws_sdk_redshiftdata::operation::execute_statement::builders::ExecuteStatementFluentBuilder {
    world.client.execute_statement().cluster_identifier("c").database(&world.database).sql(sql)
}

async fn batch(
    world: &World,
    sqls: &[&str],
    mode: ExecutionMode,
) -> aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput {
    let sqls = sqls.iter().map(|sql| (*sql).to_owned()).collect();
    let started = world.client.batch_execute_statement().workgroup_name("w").database(&world.database);
    let started = started.set_sqls(Some(sqls)).execution_mode(mode).wait_time_seconds(30).send().await.unwrap();
    world.describe(started.id().unwrap()).await
}
