//! The values of one column that a query can match: sorted, disjoint ranges, and whether null is included.
//!
//! Athena sends three shapes: ranges, lists of allowed or excluded values, and all or none. All three become this one.

use std::cmp::Ordering;

use crate::value::Value;

/// A set of values of one column.
///
/// Null is in the set only through [`ValueSet::nulls`]; no range contains it. Equal sets have equal representations, so `==`
/// compares what they contain, except that values are treated as dense: `1 < x < 2` is not known to be empty for integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSet {
    ranges: Vec<Range>,
    nulls: bool,
}

/// The values between two bounds; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    low: Cut,
    high: Cut,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Unlimited.
    Unbounded,
    /// Up to the value, including it.
    Included(Value),
    /// Up to the value, excluding it.
    Excluded(Value),
}

/// A position between values; a range is everything between two positions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cut {
    Start,
    Before(Value),
    After(Value),
    End,
}

impl Ord for Cut {
    fn cmp(&self, other: &Cut) -> Ordering {
        match (self, other) {
            (Cut::Start, Cut::Start) | (Cut::End, Cut::End) => Ordering::Equal,
            (Cut::Start, _) | (_, Cut::End) => Ordering::Less,
            (_, Cut::Start) | (Cut::End, _) => Ordering::Greater,
            (Cut::Before(one) | Cut::After(one), Cut::Before(two) | Cut::After(two)) => {
                one.cmp(two).then_with(|| matches!(self, Cut::After(_)).cmp(&matches!(other, Cut::After(_))))
            }
        }
    }
}

impl PartialOrd for Cut {
    fn partial_cmp(&self, other: &Cut) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Range {
    /// The range from `low` to `high`; `None` if nothing is between them.
    pub fn new(low: Bound, high: Bound) -> Option<Range> {
        let low = match low {
            Bound::Unbounded => Cut::Start,
            Bound::Included(value) => Cut::Before(value),
            Bound::Excluded(value) => Cut::After(value),
        };
        let high = match high {
            Bound::Unbounded => Cut::End,
            Bound::Included(value) => Cut::After(value),
            Bound::Excluded(value) => Cut::Before(value),
        };
        (low < high).then_some(Range { low, high })
    }

    /// The range of one value.
    pub fn point(value: Value) -> Range {
        Range { low: Cut::Before(value.clone()), high: Cut::After(value) }
    }

    /// Where it starts.
    pub fn low(&self) -> Bound {
        match &self.low {
            Cut::Start | Cut::End => Bound::Unbounded,
            Cut::Before(value) => Bound::Included(value.clone()),
            Cut::After(value) => Bound::Excluded(value.clone()),
        }
    }

    /// Where it ends.
    pub fn high(&self) -> Bound {
        match &self.high {
            Cut::Start | Cut::End => Bound::Unbounded,
            Cut::Before(value) => Bound::Excluded(value.clone()),
            Cut::After(value) => Bound::Included(value.clone()),
        }
    }

    /// Whether the range contains `value`.
    pub fn contains(&self, value: &Value) -> bool {
        self.starts_before(value) && self.ends_after(value)
    }

    fn starts_before(&self, value: &Value) -> bool {
        match &self.low {
            Cut::Start => true,
            Cut::Before(low) => low <= value,
            Cut::After(low) => low < value,
            Cut::End => false,
        }
    }

    fn ends_after(&self, value: &Value) -> bool {
        match &self.high {
            Cut::End => true,
            Cut::After(high) => value <= high,
            Cut::Before(high) => value < high,
            Cut::Start => false,
        }
    }
}

impl ValueSet {
    /// Every value and null.
    pub fn all() -> ValueSet {
        ValueSet { ranges: vec![Range { low: Cut::Start, high: Cut::End }], nulls: true }
    }

    /// Nothing.
    pub fn none() -> ValueSet {
        ValueSet { ranges: Vec::new(), nulls: false }
    }

    /// Everything in any of `ranges`, which may overlap and be in any order.
    pub fn of_ranges(ranges: impl IntoIterator<Item = Range>, nulls: bool) -> ValueSet {
        let mut sorted: Vec<Range> = ranges.into_iter().collect();
        sorted.sort_by(|one, other| one.low.cmp(&other.low));
        let mut merged: Vec<Range> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.low <= last.high => last.high = last.high.clone().max(range.high),
                _ => merged.push(range),
            }
        }
        ValueSet { ranges: merged, nulls }
    }

    /// Exactly these values.
    pub fn of_values(values: impl IntoIterator<Item = Value>, nulls: bool) -> ValueSet {
        ValueSet::of_ranges(values.into_iter().map(Range::point), nulls)
    }

    /// The ranges, sorted, disjoint and not touching.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Whether null is in the set.
    pub fn nulls(&self) -> bool {
        self.nulls
    }

    /// Whether the set contains nothing, not even null.
    pub fn is_none(&self) -> bool {
        self.ranges.is_empty() && !self.nulls
    }

    /// Whether the set contains `value`; `None` is null.
    pub fn contains(&self, value: Option<&Value>) -> bool {
        value.map_or(self.nulls, |value| self.range_of(value).is_some())
    }

    /// The range that contains `value`.
    pub fn range_of(&self, value: &Value) -> Option<&Range> {
        let after = self.ranges.partition_point(|range| range.starts_before(value));
        self.ranges[..after].last().filter(|range| range.ends_after(value))
    }

    /// Whether the set's bounds can be compared with `value`; if not, the set does not constrain it.
    pub fn is_comparable_with(&self, value: &Value) -> bool {
        let cuts = self.ranges.iter().flat_map(|range| [&range.low, &range.high]);
        let mut bounds = cuts.filter_map(|cut| match cut {
            Cut::Before(bound) | Cut::After(bound) => Some(bound),
            Cut::Start | Cut::End => None,
        });
        bounds.next().is_none_or(|bound| bound.is_comparable_with(value))
    }

    /// The union of both sets.
    pub fn union(&self, other: &ValueSet) -> ValueSet {
        let both = self.ranges.iter().chain(&other.ranges).cloned();
        ValueSet::of_ranges(both, self.nulls || other.nulls)
    }

    /// The intersection of both sets.
    pub fn intersect(&self, other: &ValueSet) -> ValueSet {
        let (mut ours, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(one), Some(two)) = (ours.peek(), theirs.peek()) {
            let (low, high) = ((&one.low).max(&two.low), (&one.high).min(&two.high));
            if low < high {
                ranges.push(Range { low: low.clone(), high: high.clone() });
            }
            if one.high <= two.high {
                ours.next()
            } else {
                theirs.next()
            };
        }
        ValueSet { ranges, nulls: self.nulls && other.nulls }
    }

    /// The complement of the set.
    pub fn complement(&self) -> ValueSet {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut low = Cut::Start;
        for range in &self.ranges {
            if low < range.low {
                ranges.push(Range { low, high: range.low.clone() });
            }
            low = range.high.clone();
        }
        if low < Cut::End {
            ranges.push(Range { low, high: Cut::End });
        }
        ValueSet { ranges, nulls: !self.nulls }
    }
}
