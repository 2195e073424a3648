//! The response to each request, field by field, in each dialect.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use athena_federation::{Block, Dialect, Kind, SchemaText};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::requests::{DIALECTS, layout, read, request, splits, table, texts};
use crate::world::{Shop, World, fields, rows, schema};

async fn world() -> World {
    World::new(Shop { rows: 10, splits: 1, discarded: 0 }).await
}

fn rows_of(block: &Json) -> RecordBatch {
    serde_json::from_value::<Block>(block.clone()).unwrap().rows().unwrap()
}

/// Rows as Arrow itself reads them; it does not read blocks without columns.
fn decoded(block: &Json) -> RecordBatch {
    let mut decoder = StreamDecoder::new();
    let bytes = |field: &str| STANDARD.decode(block[field].as_str().unwrap()).unwrap();
    decoder.decode(&mut Buffer::from(bytes("schema"))).unwrap();
    // A message without a body is only complete once something follows, such as the end of a stream.
    let mut records = bytes("records");
    records.extend([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    decoder.decode(&mut Buffer::from(records)).unwrap().unwrap()
}

/// The fields without the one that only beans have.
fn named(text: &str, dialect: Dialect) -> Vec<String> {
    let mut fields = fields(text);
    if dialect == Dialect::Beans {
        assert_eq!(fields.pop().unwrap(), "requestType");
    }
    fields
}

#[tokio::test]
async fn a_ping_gets_the_same_answer_in_every_dialect() {
    for dialect in DIALECTS {
        let text = world().await.text(request("PingRequest", dialect, json!({}))).await.unwrap();
        let expected = r#"{"@type":"PingResponse","catalogName":"catalog","queryId":"query-1","sourceType":"shop","capabilities":23,"serDeVersion":5}"#;
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn schemas_and_capabilities_are_listed() {
    let world = world().await;
    for dialect in DIALECTS {
        let text = world.text(request("ListSchemasRequest", dialect, json!({}))).await.unwrap();
        assert_eq!(named(&text, dialect), ["@type", "catalogName", "schemas"]);
        assert!(text.contains(r#""schemas":["empty","shop"]"#), "{text}");
        let text = world.text(request("GetDataSourceCapabilitiesRequest", dialect, json!({}))).await.unwrap();
        assert_eq!(named(&text, dialect), ["@type", "catalogName", "capabilities"]);
        assert!(text.contains(r#""capabilities":{}"#), "{text}");
    }
}

#[tokio::test]
async fn tables_are_returned_in_pages_of_the_requested_size() {
    let world = world().await;
    let mut seen = Vec::new();
    let mut token = Json::Null;
    for expected in [2, 2, 1] {
        let further = json!({"schemaName": "SHOP", "nextToken": token, "pageSize": 2});
        let text = world.text(request("ListTablesRequest", Dialect::Legacy, further)).await.unwrap();
        assert_eq!(fields(&text), ["@type", "tables", "catalogName", "nextToken"]);
        let answer: Json = serde_json::from_str(&text).unwrap();
        let page = answer["tables"].as_array().unwrap();
        assert_eq!(page.len(), expected);
        seen.extend(page.iter().map(|table| table["tableName"].as_str().unwrap().to_owned()));
        token = answer["nextToken"].clone();
    }
    assert_eq!((seen.join(" "), token), ("all c d e sales".to_owned(), Json::Null));
    // Old engines send neither size nor token, new ones send -1 for all.
    for further in [json!({"schemaName": "shop"}), json!({"schemaName": "shop", "pageSize": -1, "nextToken": null})] {
        let answer = world.answer(request("ListTablesRequest", Dialect::Beans, further)).await.unwrap();
        assert_eq!(answer["tables"].as_array().unwrap().len(), 5);
    }
    let none =
        world.answer(request("ListTablesRequest", Dialect::Modern, json!({"schemaName": "nowhere"}))).await.unwrap();
    assert_eq!(none["tables"], json!([]));
}

#[tokio::test]
async fn a_table_is_described_in_the_dialect_of_the_request() {
    let world = world().await;
    for dialect in DIALECTS {
        let text = world.text(request("GetTableRequest", dialect, json!({"tableName": table("Sales")}))).await.unwrap();
        assert_eq!(named(&text, dialect), ["@type", "catalogName", "tableName", "schema", "partitionColumns"]);
        let answer: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["schema"].is_object(), dialect == Dialect::Beans);
        let read: SchemaText = serde_json::from_value(answer["schema"].clone()).unwrap();
        assert_eq!(read.read().unwrap(), *schema());
        assert_eq!(answer["partitionColumns"], json!(["day"]));
    }
    let unknown = request("GetTableRequest", Dialect::Modern, json!({"tableName": table("nothing")}));
    let error = world.answer(unknown).await.unwrap_err();
    assert_eq!((error.kind, error.error_type()), (Kind::EntityNotFound, "EntityNotFound"));
}

#[tokio::test]
async fn only_partitions_that_the_constraints_allow_are_returned() {
    let world = world().await;
    let listed = |values: &[&str], white: bool| json!({"Day": {"@type": "EquatableValueSet", "valueBlock": texts("col1", values, Dialect::Modern), "whiteList": white, "nullAllowed": false}});
    let all_or_none = |all: bool| json!({"day": {"@type": "AllOrNoneValueSet", "type": {"@type": "Utf8"}, "all": all, "nullAllowed": !all}});
    for dialect in DIALECTS {
        for (summary, expected) in [
            (json!({}), 9),
            (Json::Null, 9),
            (listed(&["2026-01-02", "2026-01-04", "2030-01-01"], true), 2),
            (listed(&["2026-01-02"], false), 8),
            (all_or_none(true), 9),
            (all_or_none(false), 0),
            (json!({"elsewhere": {"@type": "AllOrNoneValueSet", "all": false}}), 9),
        ] {
            let text = world.text(layout("sales", summary, dialect)).await.unwrap();
            assert_eq!(named(&text, dialect), ["@type", "catalogName", "tableName", "partitions"]);
            let answer: Json = serde_json::from_str(&text).unwrap();
            assert_eq!(rows_of(&answer["partitions"]).num_rows(), expected);
            assert_eq!(answer["partitions"]["records"] == "", expected == 0);
            assert_eq!(fields(&answer["partitions"].to_string()).len(), 3);
        }
    }
    let whole = world.answer(layout("all", json!({}), Dialect::Modern)).await.unwrap();
    let only = rows_of(&whole["partitions"]);
    assert_eq!((only.num_rows(), only.schema().field(0).name().as_str()), (1, "partitionId"));
}

#[tokio::test]
async fn splits_are_paged_and_each_has_its_own_location_and_key() {
    let world = World::new(Shop { rows: 0, splits: 400, discarded: 0 }).await;
    let partitions = texts("day", &["2026-01-01", "2026-01-02", "2026-01-03"], Dialect::Legacy);
    let (mut keys, mut token) = (Vec::new(), None);
    for expected in [500, 500, 200] {
        let text = world.text(splits(&partitions, token.as_deref(), Dialect::Legacy)).await.unwrap();
        assert_eq!(fields(&text), ["@type", "catalogName", "splits", "continuationToken"]);
        let answer: Json = serde_json::from_str(&text).unwrap();
        let page = answer["splits"].as_array().unwrap();
        assert_eq!(page.len(), expected);
        for split in page {
            let location = &split["spillLocation"];
            assert_eq!(
                (location["bucket"].as_str(), location["directory"].as_bool()),
                (Some("spill-bucket"), Some(true))
            );
            let key = location["key"].as_str().unwrap();
            assert!(key.starts_with("athena-spill/query-1/"), "{key}");
            let secret = |field: &str| STANDARD.decode(split["encryptionKey"][field].as_str().unwrap()).unwrap();
            assert_eq!((secret("key").len(), secret("nonce").len()), (32, 12));
            keys.extend([key.as_bytes().to_owned(), secret("key"), secret("nonce")]);
        }
        token = answer["continuationToken"].as_str().map(str::to_owned);
    }
    assert_eq!(token, None);
    assert!(text_of_split(&world).await.contains(r#"{"spillLocation":{"@type":"S3SpillLocation","bucket""#));
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), count), (3600, 3600));
    let strange = world.answer(splits(&partitions, Some("-1"), Dialect::Modern)).await.unwrap_err();
    assert_eq!(strange.kind, Kind::InvalidRequest);
    let beyond = world.answer(splits(&partitions, Some("999999"), Dialect::Modern)).await.unwrap();
    assert_eq!((&beyond["splits"], &beyond["continuationToken"]), (&json!([]), &Json::Null));
}

async fn text_of_split(world: &World) -> String {
    let partitions = texts("day", &["2026-01-01"], Dialect::Legacy);
    world.text(splits(&partitions, Some("399"), Dialect::Legacy)).await.unwrap()
}

#[tokio::test]
async fn rows_are_inline_in_the_framing_of_the_request() {
    let world = world().await;
    for dialect in DIALECTS {
        let text = world.text(read(false, dialect)).await.unwrap();
        assert_eq!(named(&text, dialect), ["@type", "catalogName", "records"]);
        let answer: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(
            fields(text[text.find("{\"aId").unwrap()..].split_inclusive('}').next().unwrap()),
            ["aId", "schema", "records"]
        );
        assert_eq!(rows_of(&answer["records"]), rows("2026-01-01", 0..10));
        for field in ["schema", "records"] {
            let bytes = STANDARD.decode(answer["records"][field].as_str().unwrap()).unwrap();
            assert_eq!(bytes.starts_with(&[0xFF; 4]), dialect == Dialect::Modern, "{dialect:?} {field}");
        }
    }
    assert!(world.state.lock().unwrap().puts.is_empty());
}

#[tokio::test]
async fn only_the_requested_columns_are_returned_in_the_requested_order() {
    let world = world().await;
    let mut request = read(false, Dialect::Modern);
    let asked = schema().project(&[2, 1]).unwrap();
    request["schema"] = json!(SchemaText::new(&asked, Dialect::Modern));
    let answer = world.answer(request.clone()).await.unwrap();
    assert_eq!(rows_of(&answer["records"]), rows("", 0..10).project(&[2, 1]).unwrap());
    // COUNT(*) requests no column at all.
    request["schema"] = json!(SchemaText::new(&schema().project(&[]).unwrap(), Dialect::Modern));
    let counted = world.answer(request.clone()).await.unwrap();
    assert_eq!(decoded(&counted["records"]).num_rows(), 10);
    let other = arrow_schema::Schema::new(vec![arrow_schema::Field::new("id", arrow_schema::DataType::Utf8, true)]);
    request["schema"] = json!(SchemaText::new(&other, Dialect::Modern));
    let error = world.answer(request).await.unwrap_err();
    assert!(error.message.contains("no column `id` of type Utf8"), "{error}");
}

#[tokio::test]
async fn an_event_that_is_not_a_request_is_refused_in_one_sentence() {
    let world = world().await;
    let mut elsewhere = read(false, Dialect::Modern);
    elsewhere["split"]["spillLocation"]["bucket"] = json!("someone-elses");
    let mut climbing = read(false, Dialect::Modern);
    climbing["split"]["spillLocation"]["key"] = json!("athena-spill/../other");
    let mut weak = read(false, Dialect::Modern);
    weak["split"]["encryptionKey"] = json!({"key": "dGVzdC1rZXk=", "nonce": "dGVzdC1ub25jZQ=="});
    let mut path = request("ListSchemasRequest", Dialect::Modern, json!({}));
    path["queryId"] = json!("../../x");
    for (event, expected) in [
        (json!({}), "not a request"),
        (json!([]), "not a request"),
        (json!({"@type": "UserDefinedFunctionRequest"}), "there is no request `UserDefinedFunctionRequest`"),
        (request("GetTableRequest", Dialect::Modern, json!({})), "no `tableName`"),
        (request("ReadRecordsRequest", Dialect::Modern, json!({"tableName": table("sales")})), "no `schema`"),
        (elsewhere, "spill bucket"),
        (climbing, "spill bucket"),
        (weak, "16 or 32 bytes"),
        (path, "queryId"),
    ] {
        let error = world.answer(event).await.unwrap_err();
        assert!(error.message.contains(expected) && error.kind == Kind::InvalidRequest, "{error:?}");
    }
}
