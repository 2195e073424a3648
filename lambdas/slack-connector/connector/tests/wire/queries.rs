//! A query, from its plan to its rows.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use athena_federation::{Dialect, SchemaText};
use serde_json::{Value as Json, json};
use slack_connector::{Booleans, schema};

use crate::world::{EMAIL, TOKEN, World, file, listed, members, read, read_as, request, rows};

async fn dates(world: &World, summary: Json) -> Vec<String> {
    let asked =
        request("GetTableLayoutRequest", json!({"constraints": {"summary": summary}, "partitionColumns": ["date"]}));
    let answer = world.invoke(asked).await.unwrap();
    let partitions = rows(&answer["partitions"]);
    partitions.column(0).as_string::<i32>().iter().map(|date| date.unwrap().to_owned()).collect()
}

fn texts<'a>(rows: &'a RecordBatch, column: &str) -> Vec<Option<&'a str>> {
    rows.column_by_name(column).unwrap().as_string::<i32>().iter().collect()
}

fn counts(rows: &RecordBatch, column: &str) -> Vec<Option<i64>> {
    rows.column_by_name(column).unwrap().as_primitive::<Int64Type>().iter().collect()
}

fn flags(rows: &RecordBatch, column: &str) -> Vec<Option<bool>> {
    rows.column_by_name(column).unwrap().as_boolean().iter().collect()
}

#[tokio::test]
async fn the_only_table_is_described_without_a_call() {
    let world = World::new().await;
    let schemas = world.invoke(request("ListSchemasRequest", json!({}))).await.unwrap();
    assert_eq!(schemas["schemas"], json!(["slackanalytics"]));
    let tables = world.invoke(request("ListTablesRequest", json!({"schemaName": "slackanalytics"}))).await.unwrap();
    assert_eq!(tables["tables"], json!([{"schemaName": "slackanalytics", "tableName": "member_analytics"}]));
    let none = world.invoke(request("ListTablesRequest", json!({"schemaName": "public"}))).await.unwrap();
    assert_eq!(none["tables"], json!([]));
    let table = world.invoke(request("GetTableRequest", json!({}))).await.unwrap();
    assert_eq!(table["partitionColumns"], json!(["date"]));
    let columns = serde_json::from_value::<SchemaText>(table["schema"].clone()).unwrap().read().unwrap();
    assert_eq!(columns.fields().len(), 25);
    assert_eq!(columns.field_with_name("is_active_ios").unwrap().data_type(), &DataType::Boolean);
    assert_eq!(columns.field_with_name("messages_posted_count").unwrap().data_type(), &DataType::Int64);
    let unknown = json!({"tableName": {"schemaName": "slackanalytics", "tableName": "channels"}});
    assert_eq!(world.invoke(request("GetTableRequest", unknown)).await.unwrap_err().error_type(), "EntityNotFound");
    assert!(world.state().calls.is_empty() && world.state().secret_reads == 0);
}

#[tokio::test]
async fn a_query_reads_the_days_that_its_predicate_names() {
    let world = World::new().await;
    let window = dates(&world, json!({})).await;
    assert_eq!((window.len(), window[0].as_str(), window[29].as_str()), (30, "2026-10-22", "2026-11-20"));
    assert_eq!(dates(&world, listed("date", &["2020-11-10", "2026-05-05"], true)).await, ["2020-11-10", "2026-05-05"]);
    assert_eq!(dates(&world, listed("date", &["2026-11-20", "x"], false)).await.len(), 29);
    assert_eq!(
        dates(&world, json!({"date": {"@type": "AllOrNoneValueSet", "all": false, "nullAllowed": true}})).await.len(),
        0
    );
    // Other columns do not restrict the days.
    assert_eq!(dates(&world, listed("user_id", &["U1"], true)).await.len(), 30);
}

#[tokio::test]
async fn a_split_names_the_date_and_nothing_else() {
    let world = World::new().await;
    let layout = world
        .invoke(request(
            "GetTableLayoutRequest",
            json!({"constraints": {"summary": listed("date", &["2026-05-05", "2026-05-06"], true)}}),
        ))
        .await
        .unwrap();
    let asked = request("GetSplitsRequest", json!({"partitions": layout["partitions"], "continuationToken": null}));
    let answer = world.invoke(asked).await.unwrap();
    let properties: Vec<&Json> =
        answer["splits"].as_array().unwrap().iter().map(|split| &split["properties"]).collect();
    assert_eq!(properties, [&json!({"date": "2026-05-05"}), &json!({"date": "2026-05-06"})]);
    assert!(world.state().calls.is_empty() && world.state().secret_reads == 0);
}

#[tokio::test]
async fn a_large_organization_is_read_in_parts_that_have_each_member_once() {
    let world = World::with(&[("MEMBERS", "200000")]).await;
    let text: String = (0..500).map(|id| format!("{{\"user_id\":\"U{id}\"}}\n")).collect();
    world.slack([file(&text)]);
    let layout = world
        .invoke(request(
            "GetTableLayoutRequest",
            json!({"constraints": {"summary": listed("date", &["2026-05-05"], true)}}),
        ))
        .await
        .unwrap();
    let answer = world.invoke(request("GetSplitsRequest", json!({"partitions": layout["partitions"]}))).await.unwrap();
    let mut seen = Vec::new();
    for split in answer["splits"].as_array().unwrap() {
        let mut asked = read("2026-05-05");
        asked["split"] = split.clone();
        let part = rows(&world.invoke(asked).await.unwrap()["records"]);
        assert!((50..200).contains(&part.num_rows()), "{} of 500", part.num_rows());
        seen.extend(texts(&part, "user_id").into_iter().map(|id| id.unwrap().to_owned()));
    }
    assert_eq!((answer["splits"].as_array().unwrap().len(), seen.len()), (4, 500));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 500);
    for strange in ["4/4", "1", "x/4", "0/0"] {
        let mut asked = read("2026-05-05");
        asked["split"]["properties"]["part"] = json!(strange);
        assert!(world.invoke(asked).await.is_err(), "{strange}");
    }
}

#[tokio::test]
async fn a_day_is_requested_once_and_its_records_become_rows() {
    let world = World::new().await;
    world.slack([file(&members("2026-11-10"))]);
    for dialect in [Dialect::Beans, Dialect::Legacy, Dialect::Modern] {
        let answer = world.invoke(read_as("2026-11-10", dialect)).await.unwrap();
        let rows = rows(&answer["records"]);
        assert_eq!(rows.schema(), schema(Booleans::Boolean));
        assert_eq!(texts(&rows, "date"), [Some("2026-11-10"); 3]);
        assert_eq!(texts(&rows, "email_address"), [Some(EMAIL), Some("zoë@example.com"), None]);
        assert_eq!(flags(&rows, "is_active"), [Some(true), Some(false), None]);
        assert_eq!(flags(&rows, "is_active_ios"), [Some(false), Some(true), None]);
        assert_eq!(flags(&rows, "is_active_android"), [Some(false), Some(true), None]);
        // Larger than a float can hold exactly; a missing value is NULL, not 0.
        assert_eq!(counts(&rows, "messages_posted_count"), [Some(10), Some(9_007_199_254_740_993), None]);
        assert_eq!(texts(&rows, "enterprise_employee_number"), [None, Some("42"), None]);
    }
    let state = world.state();
    assert_eq!(state.calls.len(), 1);
    let call = &state.calls[0];
    assert_eq!(call.target, "/api/admin.analytics.getFile?type=member&date=2026-11-10");
    assert_eq!(
        (call.header("authorization"), call.header("accept-encoding")),
        (&*format!("Bearer {TOKEN}"), "identity")
    );
    // Cached for a minute.
    assert_eq!(state.secret_reads, 1);
}

#[tokio::test]
async fn booleans_are_text_for_dashboards_that_compare_with_text() {
    let world = World::with(&[("BOOLEANS", "text")]).await;
    world.slack([file(&members("2026-11-10"))]);
    let mut asked = read("2026-11-10");
    asked["schema"] = json!(SchemaText::new(&schema(Booleans::Text), Dialect::Modern));
    let rows = rows(&world.invoke(asked).await.unwrap()["records"]);
    assert_eq!(texts(&rows, "is_active"), [Some("true"), Some("false"), None]);
    // A query planned with a different setting gets an error, not an empty result.
    assert!(world.refused("2026-11-10").await.message.contains("no column `is_guest` of type Boolean"));
}

#[tokio::test]
async fn a_day_that_does_not_fit_its_block_fails_and_says_what_to_do() {
    let world = World::new().await;
    world.slack([file(&(0..5000).map(|id| format!("{{\"user_id\":\"U{id}\"}}\n")).collect::<String>())]);
    let mut asked = read("2026-11-10");
    asked["maxBlockSize"] = json!("100000");
    let error = world.invoke(asked).await.unwrap_err();
    assert!(error.message.contains("MEMBERS") && error.error_type() == "TooLarge", "{error:?}");
    assert!(world.state().objects.is_empty());
}

#[tokio::test]
async fn rows_that_do_not_fit_inline_are_spilled_encrypted() {
    let world = World::new().await;
    world.slack([file(&members("2026-11-10"))]);
    let mut asked = read("2026-11-10");
    asked["maxInlineBlockSize"] = json!("0");
    let answer = world.invoke(asked).await.unwrap();
    assert_eq!(answer["@type"], "RemoteReadRecordsResponse");
    let state = world.state();
    let object = &state.objects["athena-spill/query-1/split-1.0"];
    assert!(!object.windows(EMAIL.len()).any(|window| window == EMAIL.as_bytes()));
}

#[tokio::test]
async fn the_function_logs_what_it_did_without_personal_data() {
    let world = World::new().await;
    world.slack([file(&members("2026-11-10"))]);
    world.read("2026-11-10").await.unwrap();
    let log = world.log();
    assert!(log.contains("ReadRecordsRequest") && log.contains(r#""rows":3"#), "{log}");
    assert_eq!(world.read("2026-11-10").await.unwrap().column(0).null_count(), 0);
}
