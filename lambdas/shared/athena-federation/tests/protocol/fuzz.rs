//! No input causes a panic: requests, blocks and Arrow messages, changed at random.
//! `PROPTEST_CASES=20000` tries harder.

use athena_federation::{Block, Dialect, Request, SchemaText};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::requests::{DIALECTS, block, layout, ranges, read, splits, texts};
use crate::world::rows;

/// One request of each shape that carries Arrow data.
fn whole() -> Vec<Json> {
    let value = rows("x", 1..2);
    DIALECTS
        .into_iter()
        .flat_map(|dialect| {
            let set = ranges("day", &[(Some(("EXACTLY", &value.project(&[0]).unwrap())), None)], true);
            let listed = json!({"day": {"@type": "EquatableValueSet", "valueBlock": texts("col1", &["a", "b"], dialect), "whiteList": true}});
            [layout("sales", set, dialect), layout("sales", listed, dialect), splits(&texts("day", &["a"], dialect), None, dialect), read(false, dialect)]
        })
        .collect()
}

/// Replaces the value at one place of a tree, counted in depth.
fn replace(json: &mut Json, place: &mut usize, with: &Json) {
    if *place == 0 {
        *json = with.clone();
    }
    *place = place.wrapping_sub(1);
    match json {
        Json::Object(fields) => fields.values_mut().for_each(|value| replace(value, place, with)),
        Json::Array(items) => items.iter_mut().for_each(|value| replace(value, place, with)),
        _ => {}
    }
}

fn values() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,20}".prop_map(Json::from),
        prop::collection::vec(any::<u8>(), 0..64).prop_map(|bytes| STANDARD.encode(bytes).into()),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"schema": "AAAA", "records": "////"})),
    ]
}

proptest! {
    #![proptest_config(crate::cases(500))]

    #[test]
    fn a_request_with_other_values_is_read_or_refused(which in 0..12usize, place in 0..60usize, value in values()) {
        let mut request = whole().swap_remove(which);
        replace(&mut request, &mut { place }, &value);
        let _ = Request::read(request);
    }

    #[test]
    fn a_block_with_other_bytes_is_read_or_refused(
        dialect in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        of_schema in any::<bool>(),
    ) {
        let mut json = block(&rows("2026-01-01", 0..20), DIALECTS[dialect]);
        let field = if of_schema { "schema" } else { "records" };
        let mut bytes = STANDARD.decode(json[field].as_str().unwrap()).unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        json[field] = STANDARD.encode(bytes).into();
        if let Ok(read) = serde_json::from_value::<Block>(json).unwrap().rows() {
            // Everything that was read can be inspected.
            let _ = format!("{read:?}");
        }
    }

    #[test]
    fn any_bytes_are_a_schema_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), modern in any::<bool>()) {
        let mut message = if modern { vec![0xFF; 4] } else { Vec::new() };
        message.extend(bytes);
        let text: SchemaText = serde_json::from_value(STANDARD.encode(message).into()).unwrap();
        let _ = text.read();
    }
}

#[test]
fn lengths_beyond_the_content_are_refused_before_anything_is_allocated() {
    let message = |bytes: &[u8]| serde_json::from_value::<SchemaText>(STANDARD.encode(bytes).into()).unwrap().read();
    let huge = i32::MAX.to_le_bytes();
    assert!(message(&huge).is_err());
    assert!(message(&[[0xFF; 4], huge].concat()).is_err());
    assert!(message(&(-1_i32).to_le_bytes()).is_err());
    assert!(message(&[]).is_err());
    assert_eq!(DIALECTS[1], Dialect::Legacy);
}

#[test]
fn every_change_of_one_byte_of_a_message_is_read_or_refused() {
    let whole = block(&rows("2026-01-01", 0..3), Dialect::Legacy);
    let message = STANDARD.decode(whole["records"].as_str().unwrap()).unwrap();
    for at in 0..message.len() {
        for byte in (0..=255_u8).step_by(3) {
            let mut changed = message.clone();
            changed[at] = byte;
            let mut json = whole.clone();
            json["records"] = STANDARD.encode(changed).into();
            let _ = serde_json::from_value::<Block>(json).unwrap().rows();
        }
    }
}
