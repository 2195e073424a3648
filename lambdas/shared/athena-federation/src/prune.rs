//! Leaves out rows that a query cannot match.

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;

use crate::constraints::Constraints;
use crate::value::Value;
use crate::value_set::ValueSet;

/// The rows that may satisfy all constraints.
///
/// A row is kept in case of doubt: a missing column, a set of a different kind of values, a `NaN`. Athena checks again.
pub fn prune(rows: &RecordBatch, constraints: &Constraints) -> RecordBatch {
    let mut kept = rows.clone();
    for (name, set) in constraints.iter() {
        let Some(column) = kept.column_by_name(name) else { continue };
        let mask: BooleanArray = (0..kept.num_rows()).map(|row| Some(may_match(set, column, row))).collect();
        if mask.false_count() > 0 {
            kept = filter_record_batch(&kept, &mask).expect("a mask computed from the batch is as long as the batch");
        }
    }
    kept
}

fn may_match(set: &ValueSet, column: &dyn Array, row: usize) -> bool {
    match Value::at(column, row) {
        Err(_) => true,
        Ok(Some(Value::Float(float))) if float.is_nan() => true,
        Ok(Some(value)) => !set.is_comparable_with(&value) || set.contains(Some(&value)),
        Ok(None) => set.nulls(),
    }
}
