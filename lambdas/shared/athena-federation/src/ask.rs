//! The client side of the protocol, for a driver or a test of a connector: what Athena does between two requests.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema};
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value as Json, json};

use crate::block::{Block, SchemaText};
use crate::constraints::{COLUMN, Constraints};
use crate::dialect::Dialect;
use crate::error::{Error, Kind};
use crate::ipc;
use crate::request::EncryptionKey;
use crate::spill::algorithm;
use crate::value::Value;
use crate::value_set::{Bound, ValueSet};

impl Constraints {
    /// The `summary` of a request about a table with this schema: a set of sorted ranges for each constrained column.
    ///
    /// A column is left out, and so not constrained, if the table does not have it, or if its type or a bound's type is not boolean,
    /// integer, float, text or day.
    ///
    /// # Errors
    ///
    /// If Arrow cannot write a bound, which does not happen for these types.
    pub fn summary(&self, schema: &Schema, dialect: Dialect) -> Result<Json, Error> {
        let mut summary = serde_json::Map::new();
        for (name, set) in self.iter() {
            let Ok(field) = schema.field_with_name(name) else { continue };
            if let Some(text) = ranges(set, field.data_type(), dialect)? {
                summary.insert(name.to_owned(), text);
            }
        }
        Ok(Json::Object(summary))
    }
}

/// The rows of a spilled block; schema and key come from the response.
///
/// # Errors
///
/// If the bytes were not encrypted with this key, or are not rows of this schema.
pub fn open_spilled(
    schema: &SchemaText,
    mut block: Vec<u8>,
    key: Option<&EncryptionKey>,
) -> Result<RecordBatch, Error> {
    if let Some(key) = key {
        let (bytes, nonce) = key.bytes()?;
        let refused = |_| Error::new(Kind::SpillFailed, "the spilled block was not encrypted with the answer's key");
        let key = LessSafeKey::new(UnboundKey::new(algorithm(&bytes), &bytes).map_err(refused)?);
        let length =
            key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut block).map_err(refused)?.len();
        block.truncate(length);
    }
    // The schema uses the request's framing, a spilled block always the legacy one.
    ipc::read_rows(&ipc::write_schema(&schema.read()?, Dialect::Legacy), &block)
}

/// A `SortedRangeSet`; `None` if the type cannot be written.
fn ranges(set: &ValueSet, data_type: &DataType, dialect: Dialect) -> Result<Option<Json>, Error> {
    let Some(type_text) = type_text(data_type) else { return Ok(None) };
    let mut ranges = Vec::new();
    for range in set.ranges() {
        let low = marker(&range.low(), "ABOVE", data_type, dialect)?;
        let high = marker(&range.high(), "BELOW", data_type, dialect)?;
        match (low, high) {
            (Some(low), Some(high)) => ranges.push(json!({"low": low, "high": high})),
            _ => return Ok(None),
        }
    }
    Ok(Some(json!({"@type": "SortedRangeSet", "type": type_text, "ranges": ranges, "nullAllowed": set.nulls()})))
}

/// One end of a range; `outward` is the side on which the value is excluded.
fn marker(bound: &Bound, outward: &str, data_type: &DataType, dialect: Dialect) -> Result<Option<Json>, Error> {
    let (value, side) = match bound {
        Bound::Unbounded => (None, outward),
        Bound::Included(value) => (Some(value), "EXACTLY"),
        Bound::Excluded(value) => (Some(value), outward),
    };
    let schema = Arc::new(Schema::new(vec![Field::new(COLUMN, data_type.clone(), true)]));
    let block = match value {
        None => RecordBatch::new_empty(schema),
        Some(value) => match array(value, data_type) {
            Some(array) => RecordBatch::try_new(schema, vec![array]).expect("the array is of the field's type"),
            None => return Ok(None),
        },
    };
    let block = Block::new(&block, dialect)?;
    Ok(Some(json!({"valueBlock": block, "bound": side, "nullValue": value.is_none()})))
}

/// The value as a column of one row; `None` if the type cannot hold it.
fn array(value: &Value, data_type: &DataType) -> Option<ArrayRef> {
    Some(match (data_type, value) {
        (DataType::Boolean, Value::Bool(flag)) => Arc::new(BooleanArray::from(vec![*flag])),
        (DataType::Int8, Value::Integer(number)) => Arc::new(Int8Array::from(vec![i8::try_from(*number).ok()?])),
        (DataType::Int16, Value::Integer(number)) => Arc::new(Int16Array::from(vec![i16::try_from(*number).ok()?])),
        (DataType::Int32, Value::Integer(number)) => Arc::new(Int32Array::from(vec![i32::try_from(*number).ok()?])),
        (DataType::Int64, Value::Integer(number)) => Arc::new(Int64Array::from(vec![*number])),
        (DataType::Float32, Value::Float(number)) if f64::from(*number as f32) == *number => {
            Arc::new(Float32Array::from(vec![*number as f32]))
        }
        (DataType::Float64, Value::Float(number)) => Arc::new(Float64Array::from(vec![*number])),
        (DataType::Utf8, Value::Text(text)) => Arc::new(StringArray::from(vec![text.as_str()])),
        (DataType::Date32, Value::Day(day)) => Arc::new(Date32Array::from(vec![*day])),
        _ => return None,
    })
}

/// The protocol's name for a type.
fn type_text(data_type: &DataType) -> Option<Json> {
    let integer = |bits: u8| json!({"@type": "Int", "bitWidth": bits, "isSigned": true});
    Some(match data_type {
        DataType::Boolean => json!({"@type": "Bool"}),
        DataType::Int8 => integer(8),
        DataType::Int16 => integer(16),
        DataType::Int32 => integer(32),
        DataType::Int64 => integer(64),
        DataType::Float32 => json!({"@type": "FloatingPoint", "precision": "SINGLE"}),
        DataType::Float64 => json!({"@type": "FloatingPoint", "precision": "DOUBLE"}),
        DataType::Utf8 => json!({"@type": "Utf8"}),
        DataType::Date32 => json!({"@type": "Date", "unit": "DAY"}),
        _ => return None,
    })
}
