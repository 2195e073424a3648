//! Predicates on other columns only leave out rows that cannot match: checked against a full scan with a filter.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_select::filter::filter_record_batch;
use athena_federation::{SchemaText, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use slack_connector::{Booleans, schema};

use crate::world::{World, block, file, read, rows};

/// A predicate as Athena sends it, and its meaning.
#[derive(Debug, Clone)]
enum Predicate {
    /// `low <= search_count < high`, or NULL.
    Count(i64, i64, bool),
    /// `user_id IN (…)`, or `NOT IN`.
    User(Vec<u8>, bool),
    /// `is_active = …`.
    Active(bool),
    /// `email_address IS NULL`, or `IS NOT NULL`.
    Email(bool),
}

impl Predicate {
    fn text(&self) -> (&'static str, Json) {
        let one =
            |column: ArrayRef| block(&RecordBatch::try_from_iter_with_nullable([("col1", column, true)]).unwrap());
        match self {
            // Athena may know the column with a narrower type than ours.
            Predicate::Count(low, high, nulls) => {
                let low = json!({"valueBlock": one(Arc::new(Int32Array::from(vec![*low as i32]))), "bound": "EXACTLY", "nullValue": false});
                let high = json!({"valueBlock": one(Arc::new(Int64Array::from(vec![*high]))), "bound": "BELOW", "nullValue": false});
                (
                    "search_count",
                    json!({"@type": "SortedRangeSet", "ranges": [{"low": low, "high": high}], "nullAllowed": nulls}),
                )
            }
            Predicate::User(ids, white) => {
                let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("U{id}"))));
                (
                    "user_id",
                    json!({"@type": "EquatableValueSet", "valueBlock": one(ids), "whiteList": white, "nullAllowed": false}),
                )
            }
            Predicate::Active(value) => {
                let value: ArrayRef = Arc::new(BooleanArray::from(vec![*value]));
                (
                    "is_active",
                    json!({"@type": "EquatableValueSet", "valueBlock": one(value), "whiteList": true, "nullAllowed": false}),
                )
            }
            Predicate::Email(absent) => {
                ("email_address", json!({"@type": "AllOrNoneValueSet", "all": !absent, "nullAllowed": absent}))
            }
        }
    }

    fn matches(&self, rows: &RecordBatch, row: usize) -> bool {
        let value = |name: &str| Value::at(rows.column_by_name(name).unwrap(), row).unwrap();
        match self {
            Predicate::Count(low, high, nulls) => match value("search_count") {
                Some(Value::Integer(count)) => (low..high).contains(&&count),
                _ => *nulls,
            },
            Predicate::User(ids, white) => match value("user_id") {
                Some(Value::Text(id)) => ids.iter().any(|known| id == format!("U{known}")) == *white,
                _ => false,
            },
            Predicate::Active(active) => value("is_active") == Some(Value::Bool(*active)),
            Predicate::Email(absent) => value("email_address").is_none() == *absent,
        }
    }
}

fn predicates() -> impl Strategy<Value = Vec<Predicate>> {
    let predicate = prop_oneof![
        (-3..9_i64, -3..9_i64, any::<bool>()).prop_map(|(low, high, nulls)| Predicate::Count(low, high, nulls)),
        (prop::collection::vec(0..6_u8, 0..4), any::<bool>()).prop_map(|(ids, white)| Predicate::User(ids, white)),
        any::<bool>().prop_map(Predicate::Active),
        any::<bool>().prop_map(Predicate::Email),
    ];
    prop::collection::vec(predicate, 0..4)
}

fn record() -> impl Strategy<Value = String> {
    let (user, count) = (prop::option::of(0..6_u8), prop::option::of(-3..9_i64));
    (user, count, prop::option::of(any::<bool>()), any::<bool>()).prop_map(|(user, count, active, email)| {
        let record = json!({"user_id": user.map(|id| format!("U{id}")), "search_count": count, "is_active": active, "email_address": email.then_some("a@b")});
        format!("{record}\n")
    })
}

proptest! {
    #![proptest_config(crate::cases(60))]

    #[test]
    fn a_query_with_predicates_equals_a_full_scan_with_a_filter(
        records in prop::collection::vec(record(), 0..30),
        predicates in predicates(),
        columns in prop::collection::vec(0..25_usize, 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            world.slack([file(&records.concat())]);
            let whole = world.read("2026-11-10").await.unwrap();
            // The columns of predicates need not be requested; `count(*)` requests none at all.
            let asked = schema(Booleans::Boolean).project(&columns).unwrap();
            if (1..columns.len()).any(|at| columns[..at].contains(&columns[at])) {
                return;
            }
            let mut request = read("2026-11-10");
            request["schema"] = json!(SchemaText::new(&asked, athena_federation::Dialect::Modern));
            // Athena combines two predicates on one column into one set; here the later one counts.
            let mut last: Vec<&Predicate> = Vec::new();
            for predicate in &predicates {
                last.retain(|kept| kept.text().0 != predicate.text().0);
                last.push(predicate);
            }
            request["constraints"]["summary"] = last.iter().map(|predicate| predicate.text()).map(|(name, set)| (name.to_owned(), set)).collect::<serde_json::Map<_, _>>().into();
            let pruned = rows(&world.invoke(request).await.unwrap()["records"]);
            let mask = BooleanArray::from_iter((0..whole.num_rows()).map(|row| Some(last.iter().all(|predicate| predicate.matches(&whole, row)))));
            let scanned = filter_record_batch(&whole, &mask).unwrap().project(&columns).unwrap();
            assert_eq!(pruned, scanned);
        });
    }
}
