//! Redshift's values as JSON.
//!
//! NULL is `null`. Whole numbers up to 2^53-1, where JavaScript is exact, are numbers; larger ones are text. Decimals, dates
//! and times are text as Redshift writes them; floating-point numbers are numbers, or text if JSON cannot represent them.

use redshift::{Column, Field};
use serde_json::{Value, json};

/// The column types that clients distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// SMALLINT, INTEGER, BIGINT.
    Integer,
    /// NUMERIC.
    Decimal,
    /// REAL, DOUBLE PRECISION.
    Number,
    /// BOOLEAN.
    Boolean,
    /// DATE.
    Date,
    /// TIMESTAMP, TIMESTAMPTZ.
    Timestamp,
    /// Everything else.
    Text,
}

impl ColumnType {
    /// The type of a column.
    pub fn of(column: &Column) -> ColumnType {
        match column.kind.as_str() {
            "int2" | "int4" | "int8" => ColumnType::Integer,
            "numeric" => ColumnType::Decimal,
            "float4" | "float8" => ColumnType::Number,
            "bool" => ColumnType::Boolean,
            "date" => ColumnType::Date,
            "timestamp" | "timestamptz" => ColumnType::Timestamp,
            _ => ColumnType::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            ColumnType::Integer => "integer",
            ColumnType::Decimal => "decimal",
            ColumnType::Number => "number",
            ColumnType::Boolean => "boolean",
            ColumnType::Date => "date",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Text => "text",
        }
    }
}

/// `[{"name":…,"label":…,"type":…,"nullable":…}]`
pub fn columns(columns: &[Column]) -> Value {
    let column = |column: &Column| {
        json!({
            "name": column.name,
            "label": column.label,
            "type": ColumnType::of(column).name(),
            "nullable": column.nullable,
        })
    };
    columns.iter().map(column).collect()
}

/// Appends a row as a JSON array to `out`.
pub fn write_row(row: &[Field], out: &mut String) {
    out.push('[');
    for (place, field) in row.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match cell(field) {
            Value::String(text) => {
                out.push_str(&serde_json::to_string(&text).expect("text can always be written as JSON"));
            }
            value => out.push_str(&value.to_string()),
        }
    }
    out.push(']');
}

/// 2^53-1, JavaScript's `Number.MAX_SAFE_INTEGER`.
const EXACT: u64 = (1 << 53) - 1;

/// A floating-point number in JSON's notation, `1.5e+300`; `NaN`, `Infinity` and `-Infinity` as JavaScript writes them.
pub fn double(value: f64) -> String {
    match value {
        _ if value.is_finite() => json!(value).to_string(),
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value > 0.0 => "Infinity".to_owned(),
        _ => "-Infinity".to_owned(),
    }
}

fn cell(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Boolean(value) => Value::Bool(*value),
        Field::Integer(value) if value.unsigned_abs() <= EXACT => json!(value),
        Field::Integer(value) => Value::String(value.to_string()),
        Field::Double(value) if value.is_finite() => json!(value),
        Field::Double(value) => Value::String(double(*value)),
        Field::Text(text) => Value::String(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_exact_or_text() {
        let mut out = String::new();
        let row = [
            Field::Null,
            Field::Boolean(true),
            Field::Integer(9_007_199_254_740_991),
            Field::Integer(9_007_199_254_740_993),
            Field::Integer(i64::MIN),
            Field::Double(0.1),
            Field::Double(f64::NAN),
            Field::Double(f64::NEG_INFINITY),
            Field::Text("1.50".to_owned()),
            Field::Text("\"é\n\u{1}".to_owned()),
        ];
        write_row(&row, &mut out);
        assert_eq!(
            out,
            r#"[null,true,9007199254740991,"9007199254740993","-9223372036854775808",0.1,"NaN","-Infinity","1.50","\"é\n\u0001"]"#
        );
    }
}
