//! A WHERE clause: whether a row fulfils it, and which part of it can be sent to a connector.

use std::cmp::Ordering;

use arrow_array::RecordBatch;
use athena_federation::{Bound, Constraints, Range, Value, ValueSet};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// A column compared with a value.
    Compare(String, Comparison, Value),
    /// A column compared with a list, with or without NOT.
    In(String, Vec<Value>, bool),
    /// A column that is NULL, or with `true` is not.
    Null(String, bool),
    /// A condition whose answer is always NULL, such as a comparison with NULL.
    Unknown,
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides exchanged.
    pub(crate) fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    fn set(self, value: &Value) -> ValueSet {
        let value = || value.clone();
        let range = |low, high| ValueSet::of_ranges(Range::new(low, high), false);
        match self {
            Comparison::Equal => ValueSet::of_values([value()], false),
            Comparison::NotEqual => ValueSet::of_values([value()], true).complement(),
            Comparison::Less => range(Bound::Unbounded, Bound::Excluded(value())),
            Comparison::LessOrEqual => range(Bound::Unbounded, Bound::Included(value())),
            Comparison::Greater => range(Bound::Excluded(value()), Bound::Unbounded),
            Comparison::GreaterOrEqual => range(Bound::Included(value()), Bound::Unbounded),
        }
    }
}

impl Filter {
    /// Whether a row satisfies it; `None` is SQL's third answer, unknown, which does not count as satisfied.
    pub(crate) fn holds(&self, rows: &RecordBatch, row: usize) -> Option<bool> {
        match self {
            Filter::Compare(column, how, value) => at(rows, column, row).map(|found| how.holds(found.cmp(value))),
            Filter::In(column, values, negated) => {
                at(rows, column, row).map(|found| values.contains(&found) != *negated)
            }
            Filter::Null(column, negated) => Some(at(rows, column, row).is_none() != *negated),
            Filter::Unknown => None,
            Filter::Not(inner) => inner.holds(rows, row).map(|holds| !holds),
            Filter::And(one, other) => match (one.holds(rows, row), other.holds(rows, row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Filter::Or(one, other) => match (one.holds(rows, row), other.holds(rows, row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }

    /// What must hold for single columns whenever this holds.
    pub(crate) fn constraints(&self) -> Constraints {
        let mut columns = self.columns();
        columns.sort();
        columns.dedup();
        Constraints::new(columns.into_iter().filter_map(|column| {
            let set = self.set(&column);
            (set != ValueSet::all()).then_some((column, set))
        }))
    }

    /// The columns it reads, each as often as it is read.
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Filter::Compare(column, ..) | Filter::In(column, ..) | Filter::Null(column, _) => vec![column.clone()],
            Filter::Unknown => Vec::new(),
            Filter::Not(inner) => inner.columns(),
            Filter::And(one, other) | Filter::Or(one, other) => [one.columns(), other.columns()].concat(),
        }
    }

    /// A set that holds each value which `column` has in a row that satisfies this.
    fn set(&self, column: &str) -> ValueSet {
        match self {
            Filter::Compare(own, how, value) if own == column => how.set(value),
            Filter::In(own, values, negated) if own == column => {
                let listed = ValueSet::of_values(values.iter().cloned(), *negated);
                if *negated { listed.complement() } else { listed }
            }
            Filter::Null(own, negated) if own == column => {
                let null = ValueSet::of_ranges([], true);
                if *negated { null.complement() } else { null }
            }
            Filter::Compare(..) | Filter::In(..) | Filter::Null(..) => ValueSet::all(),
            Filter::Unknown => ValueSet::none(),
            Filter::Not(inner) => inner.negated().set(column),
            Filter::And(one, other) => one.set(column).intersect(&other.set(column)),
            Filter::Or(one, other) => one.set(column).union(&other.set(column)),
        }
    }

    /// NOT of this, with the NOT moved inward.
    fn negated(&self) -> Filter {
        let not = |inner: &Filter| Box::new(Filter::Not(Box::new(inner.clone())));
        match self {
            Filter::Compare(column, how, value) => {
                let how = match how {
                    Comparison::Equal => Comparison::NotEqual,
                    Comparison::NotEqual => Comparison::Equal,
                    Comparison::Less => Comparison::GreaterOrEqual,
                    Comparison::LessOrEqual => Comparison::Greater,
                    Comparison::Greater => Comparison::LessOrEqual,
                    Comparison::GreaterOrEqual => Comparison::Less,
                };
                Filter::Compare(column.clone(), how, value.clone())
            }
            Filter::In(column, values, negated) => Filter::In(column.clone(), values.clone(), !negated),
            Filter::Null(column, negated) => Filter::Null(column.clone(), !negated),
            Filter::Unknown => Filter::Unknown,
            Filter::Not(inner) => inner.as_ref().clone(),
            Filter::And(one, other) => Filter::Or(not(one), not(other)),
            Filter::Or(one, other) => Filter::And(not(one), not(other)),
        }
    }
}

/// The value of a column; `None` is NULL. The query was already checked against the table's columns.
pub(crate) fn at(rows: &RecordBatch, column: &str, row: usize) -> Option<Value> {
    rows.column_by_name(column).and_then(|column| Value::at(column, row).ok().flatten())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Int64Array};
    use fastrand::Rng;

    use super::*;

    const COLUMNS: [&str; 2] = ["a", "b"];

    fn filter(random: &mut Rng, depth: usize) -> Filter {
        let column = || COLUMNS[0].to_owned();
        let number = |random: &mut Rng| Value::Integer(random.i64(0..5));
        let inner = |random: &mut Rng| Box::new(filter(random, depth.saturating_sub(1)));
        match random.usize(0..if depth == 0 { 5 } else { 9 }) {
            0 => Filter::Compare(COLUMNS[1].to_owned(), Comparison::Equal, Value::Bool(random.bool())),
            1 => Filter::In(column(), vec![number(random), number(random)], random.bool()),
            2 => Filter::Null(COLUMNS[random.usize(0..2)].to_owned(), random.bool()),
            3 if random.usize(0..4) == 0 => Filter::Unknown,
            3 | 4 => {
                let all = [
                    Comparison::Equal,
                    Comparison::NotEqual,
                    Comparison::Less,
                    Comparison::LessOrEqual,
                    Comparison::Greater,
                    Comparison::GreaterOrEqual,
                ];
                Filter::Compare(column(), all[random.usize(0..6)], number(random))
            }
            5 => Filter::Not(inner(random)),
            6 | 7 => Filter::And(inner(random), inner(random)),
            _ => Filter::Or(inner(random), inner(random)),
        }
    }

    /// Every combination of values, NULL included.
    fn all_rows() -> RecordBatch {
        let numbers = (0..6).flat_map(|number| [number; 3]).map(|number| (number < 5).then_some(number));
        let flags = (0..18).map(|row| [Some(true), Some(false), None][row % 3]);
        let columns: [ArrayRef; 2] =
            [Arc::new(Int64Array::from_iter(numbers)), Arc::new(BooleanArray::from_iter(flags))];
        RecordBatch::try_from_iter_with_nullable(
            COLUMNS.into_iter().zip(columns).map(|(name, column)| (name, column, true)),
        )
        .unwrap()
    }

    #[test]
    fn the_constraints_for_a_connector_exclude_no_row_that_the_query_keeps() {
        let (rows, mut random) = (all_rows(), Rng::with_seed(6));
        let mut left_out = 0;
        for _ in 0..20_000 {
            let filter = filter(&mut random, 4);
            let constraints = filter.constraints();
            for row in 0..rows.num_rows() {
                let is_selected = constraints.iter().all(|(name, set)| set.contains(at(&rows, name, row).as_ref()));
                assert!(
                    is_selected || filter.holds(&rows, row) != Some(true),
                    "row {row} of {filter:?}: {constraints:?}"
                );
                left_out += usize::from(!is_selected);
            }
        }
        assert!(left_out > 100_000, "{left_out} rows of 360,000 are left out by the connector");
    }

    #[test]
    fn a_single_comparison_is_sent_completely() {
        let rows = all_rows();
        let mut random = Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut filter = filter(&mut random, 0);
            if random.bool() {
                filter = Filter::Not(Box::new(filter));
            }
            if filter.columns().is_empty() {
                continue;
            }
            let constraints = filter.constraints();
            for row in 0..rows.num_rows() {
                let is_selected = constraints.iter().all(|(name, set)| set.contains(at(&rows, name, row).as_ref()));
                assert_eq!(is_selected, filter.holds(&rows, row) == Some(true), "row {row} of {filter:?}");
            }
        }
    }
}
