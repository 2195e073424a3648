//! A query's constraints on columns: one value set per column; a row must be in all of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::block::Block;
use crate::error::Error;
use crate::value::Value;
use crate::value_set::{Bound, Range, ValueSet};

/// The constraints of a query, by column, in lower case as all names in Athena.
///
/// Athena checks each row again, so leaving out a column costs time but never rows. Expressions, order and limit, which are only
/// sent to a connector that asked for them, are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraints(BTreeMap<String, ValueSet>);

impl Constraints {
    /// The constraints of these columns.
    pub fn new(columns: impl IntoIterator<Item = (String, ValueSet)>) -> Constraints {
        Constraints(columns.into_iter().map(|(name, set)| (name.to_ascii_lowercase(), set)).collect())
    }

    /// The values that `column` may have; `None` if it is not constrained.
    pub fn column(&self, column: &str) -> Option<&ValueSet> {
        self.0.get(&column.to_ascii_lowercase())
    }

    /// The constrained columns.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ValueSet)> {
        self.0.iter().map(|(name, set)| (name.as_str(), set))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Deserialize, Default)]
pub(crate) struct ConstraintsText {
    #[serde(default)]
    summary: Option<BTreeMap<String, SetText>>,
}

impl ConstraintsText {
    pub(crate) fn read(&self) -> Result<Constraints, Error> {
        let mut columns = BTreeMap::new();
        for (name, text) in self.summary.iter().flatten() {
            if let Some(set) = text.read()? {
                columns.insert(name.to_ascii_lowercase(), set);
            }
        }
        Ok(Constraints(columns))
    }
}

/// A value set as received, with the fields of all three shapes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetText {
    #[serde(rename = "@type")]
    shape: String,
    #[serde(default)]
    null_allowed: bool,
    ranges: Option<Vec<RangeText>>,
    value_block: Option<Block>,
    white_list: Option<bool>,
    all: Option<bool>,
}

#[derive(Deserialize)]
struct RangeText {
    low: MarkerText,
    high: MarkerText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkerText {
    value_block: Option<Block>,
    bound: Side,
    #[serde(default)]
    null_value: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
enum Side {
    Below,
    Exactly,
    Above,
}

/// The one column of a block of values.
pub(crate) const COLUMN: &str = "col1";

impl SetText {
    /// The set; `None` if its values have a type without an order here, which then constrains nothing.
    fn read(&self) -> Result<Option<ValueSet>, Error> {
        match (self.shape.as_str(), &self.ranges, &self.value_block, self.all) {
            ("SortedRangeSet", Some(ranges), _, _) => {
                let mut read = Vec::with_capacity(ranges.len());
                for range in ranges {
                    match (range.low.read(Side::Above)?, range.high.read(Side::Below)?) {
                        (Some(low), Some(high)) => read.extend(Range::new(low, high)),
                        _ => return Ok(None),
                    }
                }
                Ok(Some(ValueSet::of_ranges(read, self.null_allowed)))
            }
            ("EquatableValueSet", _, Some(block), _) => {
                let Ok(values) = Value::of_column(&block.rows()?, COLUMN) else { return Ok(None) };
                let listed = ValueSet::of_values(values, false);
                let set = match self.white_list {
                    Some(true) => listed,
                    Some(false) => listed.complement(),
                    None => return Err(malformed("an EquatableValueSet without whiteList")),
                };
                Ok(Some(ValueSet::of_ranges(set.ranges().iter().cloned(), self.null_allowed)))
            }
            ("AllOrNoneValueSet", _, _, Some(all)) => {
                let set = if all { ValueSet::all() } else { ValueSet::none() };
                Ok(Some(ValueSet::of_ranges(set.ranges().iter().cloned(), self.null_allowed)))
            }
            _ => Err(malformed(
                "a value set that is not a SortedRangeSet, EquatableValueSet or AllOrNoneValueSet, or lacks a field",
            )),
        }
    }
}

impl MarkerText {
    /// The bound; `outward` is the side on which the value is excluded.
    fn read(&self, outward: Side) -> Result<Option<Bound>, Error> {
        let values = match (&self.value_block, self.null_value) {
            (_, true) | (None, false) => return Ok(Some(Bound::Unbounded)),
            (Some(block), false) => Value::of_column(&block.rows()?, COLUMN),
        };
        let Ok(values) = values else { return Ok(None) };
        let value = match <[Value; 1]>::try_from(values) {
            Ok([value]) => value,
            Err(values) => return Err(malformed(&format!("a bound with {} values instead of one", values.len()))),
        };
        match (self.bound, outward) {
            (Side::Exactly, _) => Ok(Some(Bound::Included(value))),
            (Side::Above, Side::Above) | (Side::Below, Side::Below) => Ok(Some(Bound::Excluded(value))),
            _ => Err(malformed("a low bound that is BELOW its value, or a high bound that is ABOVE")),
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::invalid(format!("the request's constraints have {what}"))
}
