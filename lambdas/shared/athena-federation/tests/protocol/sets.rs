//! The algebra of value sets, checked against sets of plain numbers, and pruning, checked against a full scan.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::filter::filter_record_batch;
use athena_federation::Body;
use athena_federation::{Bound, Constraints, Dialect, Range, Request, Value, ValueSet, prune};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::requests::{layout, ranges, texts};

/// Bounds are even numbers, so the odd ones between them show which side a bound is on.
const MOST: i64 = 16;

fn bound() -> impl Strategy<Value = Bound> {
    let value = (0..=MOST / 2).prop_map(|half| Value::Integer(half * 2));
    prop_oneof![
        1 => Just(Bound::Unbounded),
        2 => value.clone().prop_map(Bound::Included),
        2 => value.prop_map(Bound::Excluded),
    ]
}

fn set() -> impl Strategy<Value = ValueSet> {
    let range = (bound(), bound()).prop_map(|(low, high)| Range::new(low, high));
    (prop::collection::vec(range, 0..5), any::<bool>())
        .prop_map(|(ranges, nulls)| ValueSet::of_ranges(ranges.into_iter().flatten(), nulls))
}

/// Which of null and the numbers from -1 to 17 a set contains.
fn model(set: &ValueSet) -> BTreeSet<Option<i64>> {
    let numbers = (-1..=MOST + 1).map(Some).chain([None]);
    numbers.filter(|number| set.contains(number.map(Value::Integer).as_ref())).collect()
}

proptest! {
    #![proptest_config(crate::cases(500))]

    #[test]
    fn union_intersection_and_complement_behave_as_for_sets(one in set(), two in set()) {
        let (a, b) = (model(&one), model(&two));
        let everything = model(&ValueSet::all());
        prop_assert_eq!(model(&one.union(&two)), &a | &b);
        prop_assert_eq!(model(&one.intersect(&two)), &a & &b);
        prop_assert_eq!(model(&one.complement()), &everything - &a);
        // Sets with the same content have the same representation, however they were built.
        prop_assert_eq!(one.complement().complement(), one.clone());
        prop_assert_eq!(one.union(&two).complement(), one.complement().intersect(&two.complement()));
        prop_assert_eq!(one.is_none(), one == ValueSet::none());
    }

    #[test]
    fn pruning_leaves_out_only_rows_that_do_not_match(
        numbers in prop::collection::vec(prop::option::of(-1..MOST as i32 + 1), 0..40),
        by_number in set(),
        flags in set(),
    ) {
        let count = numbers.len();
        let texts: ArrayRef = Arc::new(StringArray::from_iter((0..count).map(|row| (row % 4 != 0).then(|| format!("{}", row % 7)))));
        let columns: [(&str, ArrayRef, bool); 2] = [("number", Arc::new(Int32Array::from(numbers.clone())), true), ("text", texts, true)];
        let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        // Integers do not constrain a text column, except for its nulls.
        let constraints = Constraints::new([("NUMBER".to_owned(), by_number.clone()), ("text".to_owned(), flags.clone()), ("other".to_owned(), ValueSet::none())]);
        let matches = |row: usize| {
            let number = numbers[row].map(|number| Value::Integer(number.into()));
            let text_is_null = rows.column(1).is_null(row);
            let holds_numbers = flags.ranges().iter().any(|range| range.low() != Bound::Unbounded || range.high() != Bound::Unbounded);
            by_number.contains(number.as_ref())
                && if text_is_null { flags.nulls() } else { holds_numbers || !flags.ranges().is_empty() }
        };
        let scanned = filter_record_batch(&rows, &BooleanArray::from_iter((0..count).map(|row| Some(matches(row))))).unwrap();
        prop_assert_eq!(prune(&rows, &constraints), scanned);
    }
}

#[test]
fn not_a_number_and_minus_zero_are_never_left_out_by_mistake() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, -0.0, 0.0, 1.0]));
    let rows = RecordBatch::try_from_iter([("x", floats)]).unwrap();
    let zero = ValueSet::of_values([Value::Float(0.0)], false);
    assert_eq!(prune(&rows, &Constraints::new([("x".to_owned(), zero)])).num_rows(), 3);
}

/// The set for `day` in a request's summary.
fn read(summary: Json) -> ValueSet {
    match Request::read(layout("sales", summary, Dialect::Modern)).unwrap().body {
        Body::GetTableLayout { constraints, .. } => constraints.column("day").unwrap().clone(),
        body => panic!("{body:?}"),
    }
}

fn text(value: &str) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(vec![value]));
    RecordBatch::try_from_iter_with_nullable([("col1", column, true)]).unwrap()
}

#[test]
fn all_shapes_of_a_request_become_the_same_sets() {
    let (a, b) = (text("a"), text("b"));
    let value = |text: &str| Value::Text(text.to_owned());
    let range = |low, high| ValueSet::of_ranges(Range::new(low, high), false);
    let equatable = |white: bool, nulls: bool| json!({"day": {"@type": "EquatableValueSet", "valueBlock": texts("col1", &["b", "a"], Dialect::Legacy), "whiteList": white, "nullAllowed": nulls}});
    let both = ValueSet::of_values([value("a"), value("b")], false);
    for (summary, expected) in [
        (
            ranges("day", &[(Some(("EXACTLY", &a)), Some(("EXACTLY", &a)))], false),
            ValueSet::of_values([value("a")], false),
        ),
        (
            ranges("day", &[(Some(("ABOVE", &a)), Some(("BELOW", &b)))], false),
            range(Bound::Excluded(value("a")), Bound::Excluded(value("b"))),
        ),
        (ranges("day", &[(Some(("EXACTLY", &a)), None)], false), range(Bound::Included(value("a")), Bound::Unbounded)),
        (ranges("day", &[(None, Some(("EXACTLY", &b)))], false), range(Bound::Unbounded, Bound::Included(value("b")))),
        (ranges("day", &[(None, Some(("BELOW", &a))), (Some(("ABOVE", &a)), None)], false), {
            let but = ValueSet::of_values([value("a")], true).complement();
            ValueSet::of_ranges(but.ranges().to_vec(), false)
        }),
        (ranges("day", &[(None, None)], true), ValueSet::all()),
        (ranges("day", &[], true), ValueSet::of_ranges([], true)),
        (equatable(true, false), both.clone()),
        (equatable(false, true), both.complement()),
    ] {
        assert_eq!(read(summary.clone()), expected, "{summary}");
    }
}

/// Pairs of bounds of each type that can be written as text.
fn bounds() -> impl Strategy<Value = (&'static str, Value, Value)> {
    let text = ".{0,8}".prop_map(Value::Text);
    let float =
        any::<f64>().prop_filter("NaN cannot be part of a range", |float| !float.is_nan()).prop_map(Value::Float);
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(one, other)| ("flag", Value::Bool(one), Value::Bool(other))),
        (any::<i64>(), any::<i64>()).prop_map(|(one, other)| ("number", Value::Integer(one), Value::Integer(other))),
        (any::<i16>(), any::<i16>()).prop_map(|(one, other)| (
            "small",
            Value::Integer(one.into()),
            Value::Integer(other.into())
        )),
        (float.clone(), float).prop_map(|(one, other)| ("float", one, other)),
        (text.clone(), text).prop_map(|(one, other)| ("day", one, other)),
        (any::<i32>(), any::<i32>()).prop_map(|(one, other)| ("date", Value::Day(one), Value::Day(other))),
    ]
}

proptest! {
    #![proptest_config(crate::cases(200))]

    #[test]
    fn a_connector_reads_what_a_driver_asks((column, one, other) in bounds(), shape in 0..5, nulls in any::<bool>(), modern in any::<bool>()) {
        let fields = [("flag", DataType::Boolean), ("number", DataType::Int64), ("small", DataType::Int16), ("float", DataType::Float64), ("day", DataType::Utf8), ("date", DataType::Date32)];
        let schema = Schema::new(fields.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec());
        let set = match shape {
            0 => ValueSet::of_values([one, other], nulls),
            1 => ValueSet::of_values([one, other], nulls).complement(),
            2 => ValueSet::of_ranges(Range::new(Bound::Included(one), Bound::Excluded(other)), nulls),
            3 => ValueSet::of_ranges(Range::new(Bound::Unbounded, Bound::Included(one)), nulls),
            _ => ValueSet::of_ranges(Range::new(Bound::Excluded(one), Bound::Unbounded), nulls),
        };
        let asked = Constraints::new([(column.to_owned(), set)]);
        let dialect = if modern { Dialect::Modern } else { Dialect::Legacy };
        let summary = asked.summary(&schema, dialect).unwrap();
        match Request::read(layout("sales", summary, dialect)).unwrap().body {
            Body::GetTableLayout { constraints, .. } => prop_assert_eq!(constraints, asked),
            body => panic!("{body:?}"),
        }
    }
}

#[test]
fn types_that_cannot_be_written_are_not_constrained() {
    let schema = Schema::new(vec![
        Field::new("small", DataType::Int16, true),
        Field::new("list", DataType::new_list(DataType::Utf8, true), true),
    ]);
    let number = |number| ValueSet::of_values([Value::Integer(number)], false);
    let asked = Constraints::new(["small", "list", "unknown"].map(|name| (name.to_owned(), number(1 << 20))));
    assert_eq!(asked.summary(&schema, Dialect::Modern).unwrap(), json!({}));
}

#[test]
fn malformed_sets_are_refused() {
    let a = text("a");
    for summary in [
        ranges("day", &[(Some(("BELOW", &a)), None)], false),
        ranges("day", &[(None, Some(("ABOVE", &a)))], false),
        json!({"day": {"@type": "NewValueSet"}}),
        json!({"day": {"@type": "SortedRangeSet"}}),
        json!({"day": {"@type": "EquatableValueSet", "valueBlock": texts("col1", &["a"], Dialect::Legacy)}}),
        json!({"day": {"@type": "EquatableValueSet", "valueBlock": {"schema": "AAAA", "records": ""}, "whiteList": true}}),
    ] {
        assert!(Request::read(layout("sales", summary.clone(), Dialect::Modern)).is_err(), "{summary}");
    }
}
