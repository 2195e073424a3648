//! PostgreSQL's rows in the Data API's words.

use serde_json::{Value, json};
use tokio_postgres::Column;
use tokio_postgres::types::Type;

/// A result as it was read, each value as PostgreSQL writes it.
#[derive(Debug, Default)]
pub(super) struct ResultSet {
    columns: Vec<(String, Type, i32)>,
    rows: Vec<Vec<Option<String>>>,
}

impl ResultSet {
    pub(super) fn new(columns: &[Column], rows: Vec<Vec<Option<String>>>) -> ResultSet {
        let columns =
            columns.iter().map(|column| (column.name().to_owned(), column.type_().clone(), column.type_modifier()));
        ResultSet { columns: columns.collect(), rows }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of the values, as the service counts a result's size.
    pub(super) fn size(&self) -> usize {
        self.rows.iter().flatten().flatten().map(String::len).sum()
    }

    /// `ColumnMetadata`
    pub(super) fn metadata(&self) -> Vec<Value> {
        self.columns.iter().map(|(name, kind, modifier)| metadata(name, kind, *modifier)).collect()
    }

    /// `Records`: at most `count` rows after the first `skipped`.
    pub(super) fn records(&self, skipped: usize, count: usize) -> Vec<Value> {
        let rows = self.rows.iter().skip(skipped).take(count);
        let record = |row: &Vec<Option<String>>| {
            let fields = row.iter().zip(&self.columns).map(|(text, (_, kind, _))| field(text.as_deref(), kind));
            Value::Array(fields.collect())
        };
        rows.map(record).collect()
    }
}

/// One `Field`. Decimals, dates, times and everything without its own kind is text.
fn field(text: Option<&str>, kind: &Type) -> Value {
    let Some(text) = text else { return json!({"isNull": true}) };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match *kind {
        Type::BOOL => json!({"booleanValue": text == "t"}),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => match text.parse::<i64>() {
            Ok(number) => json!({"longValue": number}),
            Err(_) => json!({"stringValue": text}),
        },
        Type::FLOAT4 | Type::FLOAT8 => match number(text) {
            Some(number) => json!({"doubleValue": number}),
            // JSON has no infinity; the service's JSON writes it as a text.
            None => json!({"doubleValue": text}),
        },
        _ => json!({"stringValue": text}),
    }
}

fn metadata(name: &str, kind: &Type, modifier: i32) -> Value {
    // PostgreSQL keeps length, or precision and scale, in the modifier, four more than it is.
    let modifier = (modifier >= 4).then(|| modifier - 4);
    let (name_of_type, precision, scale) = match *kind {
        Type::BOOL => ("bool", 1, 0),
        Type::INT2 => ("int2", 5, 0),
        Type::INT4 => ("int4", 10, 0),
        Type::INT8 => ("int8", 19, 0),
        Type::FLOAT4 => ("float4", 8, 8),
        Type::FLOAT8 => ("float8", 17, 17),
        Type::NUMERIC => ("numeric", modifier.map_or(38, |m| m >> 16), modifier.map_or(0, |m| m & 0xffff)),
        Type::DATE => ("date", 13, 0),
        Type::TIMESTAMP => ("timestamp", 29, 6),
        Type::TIMESTAMPTZ => ("timestamptz", 35, 6),
        Type::BPCHAR => ("bpchar", modifier.unwrap_or(256), 0),
        // Redshift has no text type and treats it as a varchar of 256.
        Type::VARCHAR | Type::TEXT | Type::UNKNOWN => ("varchar", modifier.unwrap_or(256), 0),
        _ => (kind.name(), 0, 0),
    };
    let is_text = matches!(*kind, Type::VARCHAR | Type::TEXT | Type::BPCHAR | Type::UNKNOWN);
    let is_number = matches!(*kind, Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC);
    json!({
        "name": name, "label": name, "typeName": name_of_type, "precision": precision, "scale": scale,
        "length": 0, "nullable": 1, "isCaseSensitive": is_text, "isCurrency": false, "isSigned": is_number,
        "schemaName": "", "tableName": "",
    })
}
