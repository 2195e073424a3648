//! Rows that do not fit into a response: where they are stored, how they are encrypted, and when reading must stop.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, DictionaryArray, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use athena_federation::{Block, Dialect, EncryptionKey, Kind, SchemaText, open_spilled};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::requests::{read, splits, texts};
use crate::world::{DATA_KEY, Shop, World, fields, rows, schema};

const BLOCK_0: &str = "athena-spill/query-1/split-1.0";

fn shop(rows: i64) -> Shop {
    Shop { rows, splits: 2, discarded: 0 }
}

fn decrypt(object: &[u8]) -> Vec<u8> {
    let (key, nonce): (Vec<u8>, Vec<u8>) = ((0x00..0x20).collect(), (0xa0..0xac).collect());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let mut bytes = object.to_owned();
    let nonce = Nonce::assume_unique_for_key(nonce.try_into().unwrap());
    key.open_in_place(nonce, Aad::empty(), &mut bytes).unwrap().to_owned()
}

/// The rows of a spilled block, of which only the batch is stored.
fn block(message: &[u8]) -> RecordBatch {
    assert_ne!(message[..4], [0xFF; 4], "spilled blocks use the legacy framing");
    let schema = serde_json::to_value(SchemaText::new(&schema(), Dialect::Legacy)).unwrap();
    let mut decoder = StreamDecoder::new();
    decoder.decode(&mut Buffer::from(STANDARD.decode(schema.as_str().unwrap()).unwrap())).unwrap();
    decoder.decode(&mut Buffer::from(message)).unwrap().unwrap()
}

fn limited(plain: bool, dialect: Dialect, inline: &str, most: &str) -> Json {
    let mut request = read(plain, dialect);
    request["maxInlineBlockSize"] = json!(inline);
    request["maxBlockSize"] = json!(most);
    request
}

#[tokio::test]
async fn rows_beyond_the_inline_limit_are_one_encrypted_object() {
    for dialect in [Dialect::Legacy, Dialect::Modern] {
        let world = World::new(shop(2500)).await;
        let text = world.text(limited(false, dialect, "0", "16000000")).await.unwrap();
        assert_eq!(fields(&text), ["@type", "catalogName", "schema", "remoteBlocks", "encryptionKey"]);
        let answer: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["@type"], "RemoteReadRecordsResponse");
        assert_eq!(
            answer["remoteBlocks"],
            json!([{"@type": "S3SpillLocation", "bucket": "spill-bucket", "key": BLOCK_0, "directory": false}])
        );
        assert_eq!(answer["encryptionKey"], read(false, dialect)["split"]["encryptionKey"]);
        let state = world.state.lock().unwrap();
        assert_eq!(block(&decrypt(&state.objects[BLOCK_0])), rows("2026-01-01", 0..2500));
        assert_eq!(state.puts[0].header("x-amz-expected-bucket-owner"), "111122223333");
    }
}

#[tokio::test]
async fn rows_that_a_connector_discards_are_neither_returned_nor_left_in_a_block() {
    // An unencrypted split had stored several blocks by then.
    for (plain, most) in [(false, "16000000"), (true, "20000")] {
        let world = World::new(Shop { rows: 700, splits: 1, discarded: 2500 }).await;
        let answer = world.answer(limited(plain, Dialect::Modern, "0", most)).await.unwrap();
        let state = world.state.lock().unwrap();
        let blocks = answer["remoteBlocks"].as_array().unwrap();
        let stored = blocks.iter().map(|place| state.objects[place["key"].as_str().unwrap()].clone());
        let found: usize =
            stored.map(|bytes| if plain { block(&bytes) } else { block(&decrypt(&bytes)) }.num_rows()).sum();
        assert_eq!(found, 700, "plain: {plain}");
    }
}

#[tokio::test]
async fn a_driver_reads_what_was_spilled_and_nothing_else() {
    let world = World::new(shop(2500)).await;
    let answer = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap();
    let object = world.state.lock().unwrap().objects[BLOCK_0].clone();
    let schema: SchemaText = serde_json::from_value(answer["schema"].clone()).unwrap();
    let key = |answer: &Json| serde_json::from_value::<EncryptionKey>(answer["encryptionKey"].clone()).unwrap();
    let opened = open_spilled(&schema, object.clone(), Some(&key(&answer))).unwrap();
    assert_eq!(opened, rows("2026-01-01", 0..2500));
    let mut other = answer.clone();
    other["encryptionKey"]["nonce"] = json!("AAAAAAAAAAAAAAAA");
    let mut changed = object.clone();
    changed[100] ^= 1;
    for (block, key) in [
        (object.clone(), Some(key(&other))),
        (changed, Some(key(&answer))),
        (object, None),
        (Vec::new(), Some(key(&answer))),
    ] {
        assert!(open_spilled(&schema, block, key.as_ref()).is_err());
    }
}

#[tokio::test]
async fn rows_without_a_column_are_counted() {
    let world = World::new(shop(2500)).await;
    let mut request = read(false, Dialect::Modern);
    request["schema"] = json!(SchemaText::new(&arrow_schema::Schema::empty(), Dialect::Modern));
    let answer = world.answer(request).await.unwrap();
    let records: Block = serde_json::from_value(answer["records"].clone()).unwrap();
    assert_eq!(records.rows().unwrap().num_rows(), 2500);
}

#[test]
fn a_column_type_that_athena_does_not_read_is_refused() {
    let names: DictionaryArray<Int8Type> = ["a", "b", "a"].into_iter().collect();
    let rows = RecordBatch::try_from_iter([("name", Arc::new(names) as ArrayRef)]).unwrap();
    for dialect in [Dialect::Beans, Dialect::Legacy, Dialect::Modern] {
        assert_eq!(Block::new(&rows, dialect).unwrap_err().kind, Kind::SpillFailed);
    }
}

#[tokio::test]
async fn no_rows_are_never_spilled() {
    let world = World::new(shop(0)).await;
    let answer = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap();
    assert_eq!((&answer["@type"], &answer["records"]["records"]), (&json!("ReadRecordsResponse"), &json!("")));
}

#[tokio::test]
async fn the_inline_limit_is_exact_and_never_more_than_lambda_can_return() {
    let world = World::new(shop(1000)).await;
    let whole = world.answer(read(false, Dialect::Modern)).await.unwrap();
    let size = STANDARD.decode(whole["records"]["records"].as_str().unwrap()).unwrap().len();
    for (limit, kind) in [(size, "ReadRecordsResponse"), (size - 1, "RemoteReadRecordsResponse")] {
        let world = World::new(shop(1000)).await;
        let answer = world.answer(limited(false, Dialect::Modern, &limit.to_string(), "16000000")).await.unwrap();
        assert_eq!(answer["@type"], kind);
    }
    // About 35 bytes per row.
    for (rows, kind) in [(100_000, "ReadRecordsResponse"), (130_000, "RemoteReadRecordsResponse")] {
        let world = World::new(shop(rows)).await;
        let text = world.text(limited(false, Dialect::Modern, "999999999", "999999999")).await.unwrap();
        assert!(text.contains(kind) && text.len() < 6_000_000, "{rows} rows, {} bytes", text.len());
    }
}

#[tokio::test]
async fn a_split_with_a_key_has_one_block_or_fails_before_anything_is_stored() {
    let world = World::new(shop(3000)).await;
    let error = world.answer(limited(false, Dialect::Modern, "0", "60000")).await.unwrap_err();
    assert!(error.kind == Kind::TooLarge && error.message.contains("60000 bytes"), "{error:?}");
    assert!(world.state.lock().unwrap().puts.is_empty());
}

#[tokio::test]
async fn a_split_without_a_key_has_as_many_blocks_as_it_needs() {
    let world = World::new(shop(3000)).await;
    let answer = world.answer(limited(true, Dialect::Modern, "0", "60000")).await.unwrap();
    let remote = answer["remoteBlocks"].as_array().unwrap();
    assert!(remote.len() > 1 && answer["encryptionKey"].is_null());
    let state = world.state.lock().unwrap();
    let blocks: Vec<RecordBatch> =
        remote.iter().map(|place| block(&state.objects[place["key"].as_str().unwrap()])).collect();
    assert_eq!(arrow_select::concat::concat_batches(&schema(), &blocks).unwrap(), rows("2026-01-01", 0..3000));
    assert!(state.objects.values().all(|object| object.len() < 62_000));
}

#[tokio::test]
async fn one_row_that_no_block_can_hold_is_an_error() {
    let world = World::new(shop(10)).await;
    let error = world.answer(limited(true, Dialect::Modern, "0", "8")).await.unwrap_err();
    assert_eq!(error.kind, Kind::TooLarge);
}

#[tokio::test]
async fn a_repeated_read_never_reuses_its_key_and_nonce() {
    let world = World::new(shop(2500)).await;
    let first = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap();
    let stored = world.state.lock().unwrap().objects.clone();
    let mut fewer = limited(false, Dialect::Modern, "0", "16000000");
    fewer["constraints"]["summary"] =
        json!({"name": {"@type": "AllOrNoneValueSet", "all": false, "nullAllowed": true}});
    let second = world.answer(fewer).await.unwrap();
    assert_eq!(first["remoteBlocks"], second["remoteBlocks"]);
    assert_eq!(world.state.lock().unwrap().objects, stored);
}

#[tokio::test]
async fn a_block_is_stored_again_after_a_conflict_with_another_write() {
    for (conflicts, stores, puts) in [(1, false, 2), (3, false, 4), (1, true, 2)] {
        let world = World::new(shop(10)).await;
        world.state.lock().unwrap().conflicts = (conflicts, stores);
        let answer = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap();
        assert_eq!(answer["@type"], "RemoteReadRecordsResponse");
        let state = world.state.lock().unwrap();
        assert_eq!((state.puts.len(), state.objects.contains_key(BLOCK_0)), (puts, true));
    }
    let world = World::new(shop(10)).await;
    world.state.lock().unwrap().conflicts = (u32::MAX, false);
    let error = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap_err();
    assert!(error.message.ends_with("ConditionalRequestConflict"), "{error:?}");
    assert_eq!(world.state.lock().unwrap().puts.len(), 5);
}

#[tokio::test]
async fn rows_of_another_table_are_not_read() {
    let world = World::new(shop(10)).await;
    let mut asked = read(false, Dialect::Modern);
    asked["tableName"] = json!({"schemaName": "shop", "tableName": "nothing"});
    assert_eq!(world.answer(asked).await.unwrap_err().kind, Kind::EntityNotFound);
}

#[tokio::test]
async fn a_refusal_by_s3_is_an_error_without_its_text() {
    let world = World::new(shop(10)).await;
    world.state.lock().unwrap().denied = true;
    let error = world.answer(limited(false, Dialect::Modern, "0", "16000000")).await.unwrap_err();
    assert!(error.kind == Kind::SpillFailed && error.message.ends_with("AccessDenied"), "{error:?}");
}

#[tokio::test]
async fn each_response_has_one_data_key_from_kms_and_no_nonce_twice() {
    let world = World::with(shop(0), true).await;
    let partitions = texts("day", &["2026-01-01", "2026-01-02"], Dialect::Modern);
    let answer = world.answer(splits(&partitions, None, Dialect::Modern)).await.unwrap();
    let keys: Vec<&Json> = answer["splits"].as_array().unwrap().iter().map(|split| &split["encryptionKey"]).collect();
    assert!(keys.iter().all(|key| key["key"] == STANDARD.encode(DATA_KEY)));
    let mut nonces: Vec<&str> = keys.iter().map(|key| key["nonce"].as_str().unwrap()).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 4);
    let state = world.state.lock().unwrap();
    assert_eq!(state.data_keys.len(), 1);
    let asked: Json = serde_json::from_str(&state.data_keys[0].body).unwrap();
    assert_eq!(asked, json!({"KeyId": "arn:kms", "KeySpec": "AES_256"}));
    assert!(state.data_keys[0].header("authorization").contains("/eu-west-1/kms/aws4_request"));
}

#[tokio::test]
async fn a_refusal_by_kms_is_an_error_without_its_text() {
    let world = World::with(shop(0), true).await;
    world.state.lock().unwrap().denied = true;
    let partitions = texts("day", &["2026-01-01"], Dialect::Modern);
    let error = world.answer(splits(&partitions, None, Dialect::Modern)).await.unwrap_err();
    assert!(error.kind == Kind::SpillFailed && error.message.ends_with("AccessDeniedException"), "{error:?}");
}

#[tokio::test]
async fn a_query_unknown_to_athena_is_read_to_its_end() {
    let mut world = World::new(shop(3000)).await;
    world.state.lock().unwrap().denied = true;
    world.invocation.began -= Duration::from_secs(2);
    let answer = world.answer(read(false, Dialect::Modern)).await.unwrap();
    assert_eq!((&answer["@type"], world.state.lock().unwrap().asked), (&json!("ReadRecordsResponse"), 1));
}

#[tokio::test]
async fn reading_stops_when_the_query_was_cancelled() {
    for (state, ends) in
        [("RUNNING", false), ("QUEUED", false), ("CANCELLED", true), ("FAILED", true), ("SUCCEEDED", true)]
    {
        let mut world = World::new(shop(3000)).await;
        world.state.lock().unwrap().query = state;
        // Athena is first asked after one second.
        world.invocation.began -= Duration::from_secs(2);
        let result = world.answer(read(false, Dialect::Modern)).await;
        assert_eq!(result.err().map(|error| error.kind), ends.then_some(Kind::Cancelled), "{state}");
        assert_eq!(world.state.lock().unwrap().asked, 1);
    }
}
