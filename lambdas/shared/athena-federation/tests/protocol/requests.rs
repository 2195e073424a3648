//! Requests as Athena writes them, in each dialect.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use athena_federation::{Block, Dialect, SchemaText};
use serde_json::{Value as Json, json};

use crate::world::{BUCKET, schema};

pub(crate) const DIALECTS: [Dialect; 3] = [Dialect::Beans, Dialect::Legacy, Dialect::Modern];

/// A request with the common fields, followed by `further`.
pub(crate) fn request(kind: &str, dialect: Dialect, further: Json) -> Json {
    let mut request = json!({
        "@type": kind,
        "identity": {"id": "UNKNOWN", "principal": "UNKNOWN", "account": "0123456789", "arn": "arn", "tags": {}, "groups": [], "configOptions": {}},
        "queryId": "query-1",
        "catalogName": "catalog",
        "fromTheFuture": [1, {"x": null}],
    });
    request.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    if dialect == Dialect::Beans {
        request["requestType"] = json!("ANY");
    }
    request
}

pub(crate) fn table(name: &str) -> Json {
    json!({"schemaName": "shop", "tableName": name})
}

/// A block with one text column.
pub(crate) fn texts(name: &str, values: &[&str], dialect: Dialect) -> Json {
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    block(&RecordBatch::try_from_iter_with_nullable([(name, column, true)]).unwrap(), dialect)
}

pub(crate) fn block(rows: &RecordBatch, dialect: Dialect) -> Json {
    serde_json::to_value(Block::new(rows, dialect).unwrap()).unwrap()
}

/// `EXACTLY`, `ABOVE` or `BELOW`, and the value; `None` means unbounded.
type Marker<'a> = Option<(&'a str, &'a RecordBatch)>;

/// A set of ranges of one column.
pub(crate) fn ranges(column: &str, ranges: &[(Marker, Marker)], nulls: bool) -> Json {
    let marker = |bound: &Marker, open: &str| match bound {
        Some((how, value)) => json!({"valueBlock": block(value, Dialect::Modern), "bound": how, "nullValue": false}),
        None => json!({"valueBlock": texts("col1", &[], Dialect::Modern), "bound": open, "nullValue": true}),
    };
    let ranges: Vec<Json> =
        ranges.iter().map(|(low, high)| json!({"low": marker(low, "ABOVE"), "high": marker(high, "BELOW")})).collect();
    json!({column: {"@type": "SortedRangeSet", "type": {"@type": "Utf8"}, "ranges": ranges, "nullAllowed": nulls}})
}

pub(crate) fn layout(name: &str, summary: Json, dialect: Dialect) -> Json {
    let further = json!({
        "tableName": table(name),
        "constraints": {"summary": summary},
        "schema": SchemaText::new(&schema(), dialect),
        "partitionColumns": ["day"],
    });
    request("GetTableLayoutRequest", dialect, further)
}

pub(crate) fn splits(partitions: &Json, token: Option<&str>, dialect: Dialect) -> Json {
    let further = json!({
        "tableName": table("sales"),
        "partitions": partitions,
        "partitionColumns": ["day"],
        "constraints": {"summary": {}},
        "continuationToken": token,
    });
    request("GetSplitsRequest", dialect, further)
}

/// Reads one day; the split has a key unless it is `plain`.
pub(crate) fn read(plain: bool, dialect: Dialect) -> Json {
    let key = json!({"key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "nonce": "oKGio6Slpqeoqaqr"});
    let further = json!({
        "tableName": table("sales"),
        "schema": SchemaText::new(&schema(), dialect),
        "split": {
            "spillLocation": {"@type": "S3SpillLocation", "bucket": BUCKET, "key": "athena-spill/query-1/split-1", "directory": true},
            "encryptionKey": if plain { Json::Null } else { key },
            "properties": {"day": "2026-01-01"},
        },
        "constraints": {"summary": {}},
        "maxBlockSize": "16000000",
        "maxInlineBlockSize": "5242880",
    });
    request("ReadRecordsRequest", dialect, further)
}
