//! One value of a column, comparable with every other value of its kind.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

/// A value that is not null, without its width: all integers are one kind, and so are both floats and all times.
#[derive(Debug, Clone)]
pub enum Value {
    /// False before true.
    Bool(bool),
    /// An integer of up to 64 bits.
    Integer(i64),
    /// A float; `-0.0` equals `0.0`, and `NaN` comes after all others.
    Float(f64),
    /// An exact number: `unscaled / 10^scale`. Only comparable if the scale is the same.
    Decimal {
        /// The digits.
        unscaled: i128,
        /// How many digits follow the point.
        scale: i8,
    },
    /// Text, in the order of its UTF-8 bytes.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970.
    Day(i32),
    /// Microseconds since 1970.
    Time(i128),
}

impl Value {
    /// The value in `row` of a column; `None` if it is null.
    ///
    /// # Errors
    ///
    /// [`Incomparable`] for a type whose values have no order here: lists, structs, maps.
    pub fn at(column: &dyn Array, row: usize) -> Result<Option<Value>, Incomparable> {
        if column.is_null(row) {
            return Ok(None);
        }
        Ok(Some(match column.data_type() {
            DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
            DataType::Int8 => Value::Integer(column.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => Value::Integer(column.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Value::Integer(column.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Value::Integer(column.as_primitive::<Int64Type>().value(row)),
            DataType::UInt8 => Value::Integer(column.as_primitive::<UInt8Type>().value(row).into()),
            DataType::UInt16 => Value::Integer(column.as_primitive::<UInt16Type>().value(row).into()),
            DataType::UInt32 => Value::Integer(column.as_primitive::<UInt32Type>().value(row).into()),
            DataType::Float32 => Value::Float(column.as_primitive::<Float32Type>().value(row).into()),
            DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, scale) => {
                Value::Decimal { unscaled: column.as_primitive::<Decimal128Type>().value(row), scale: *scale }
            }
            DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
            DataType::Binary => Value::Bytes(column.as_binary::<i32>().value(row).to_owned()),
            DataType::Date32 => Value::Day(column.as_primitive::<Date32Type>().value(row)),
            DataType::Date64 => Value::Time(i128::from(column.as_primitive::<Date64Type>().value(row)) * 1000),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Value::Time(i128::from(column.as_primitive::<TimestampMillisecondType>().value(row)) * 1000)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Value::Time(column.as_primitive::<TimestampMicrosecondType>().value(row).into())
            }
            _ => return Err(Incomparable),
        }))
    }

    /// All values of the column `name` except nulls.
    pub(crate) fn of_column(rows: &RecordBatch, name: &str) -> Result<Vec<Value>, Incomparable> {
        let column = rows.column_by_name(name).ok_or(Incomparable)?;
        (0..rows.num_rows()).filter_map(|row| Value::at(column, row).transpose()).collect()
    }

    /// Whether the order between the two values is meaningful.
    pub fn is_comparable_with(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Decimal { scale: one, .. }, Value::Decimal { scale: other, .. }) => one == other,
            _ => self.rank() == other.rank(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Bool(_) => 0,
            Value::Integer(_) => 1,
            Value::Float(_) => 2,
            Value::Decimal { .. } => 3,
            Value::Text(_) => 4,
            Value::Bytes(_) => 5,
            Value::Day(_) => 6,
            Value::Time(_) => 7,
        }
    }
}

/// Values of this type have no order here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incomparable;

/// A total order, so that sets can be sorted: first by kind, which only matters if [`Value::is_comparable_with`] is false.
impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
            (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
            // Adding zero turns -0.0 into 0.0.
            (Value::Float(one), Value::Float(other)) => (one + 0.0).total_cmp(&(other + 0.0)),
            (Value::Decimal { unscaled: one, scale }, Value::Decimal { unscaled: other, scale: scale_of_other }) => {
                (scale, one).cmp(&(scale_of_other, other))
            }
            (Value::Text(one), Value::Text(other)) => one.cmp(other),
            (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
            (Value::Day(one), Value::Day(other)) => one.cmp(other),
            (Value::Time(one), Value::Time(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}
