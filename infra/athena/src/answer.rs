//! The rows of a query, counted or sorted if the query says so, and how they are printed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use athena_federation::Value;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::filter::at;
use crate::sql::{Item, Plan};

/// A value of a result; `None` is NULL.
type Found = Option<Value>;

/// Collects the rows of a query, in the order of its splits.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    plan: &'a Plan,
    pub(crate) partitions: usize,
    pub(crate) splits: usize,
    read: usize,
    spilled: usize,
    kept: Vec<Vec<Found>>,
    groups: BTreeMap<Vec<Found>, Vec<Count>>,
}

/// What a query answers.
#[derive(Debug)]
pub struct Answer {
    /// The headings.
    pub columns: Vec<String>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<Value>>>,
    /// Partitions that the connector found.
    pub partitions: usize,
    /// Splits that it divided them into.
    pub splits: usize,
    /// Rows that it sent.
    pub read: usize,
    /// Blocks of them that came through S3.
    pub spilled: usize,
}

/// One aggregate while rows are read.
#[derive(Debug)]
enum Count {
    Rows(i64),
    Distinct(BTreeSet<Value>),
    /// `None` until there is a value that is not NULL.
    Sum(Option<i128>),
    /// A column of the group.
    Same,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Collector<'a> {
        let mut groups = BTreeMap::new();
        if plan.groups.as_ref().is_some_and(Vec::is_empty) {
            // Without GROUP BY there is one row, even for no rows.
            groups.insert(Vec::new(), counts(plan));
        }
        Collector { plan, partitions: 0, splits: 0, read: 0, spilled: 0, kept: Vec::new(), groups }
    }

    /// Whether a column has to be read.
    pub(crate) fn needs(&self, name: &str) -> bool {
        let shown = self.plan.items.iter().any(|(_, item)| item.column() == Some(name));
        let grouped = self.plan.groups.iter().flatten().any(|column| column == name);
        shown
            || grouped
            || self.plan.filter.as_ref().is_some_and(|filter| filter.columns().iter().any(|column| column == name))
    }

    pub(crate) fn take(&mut self, batches: &[RecordBatch], spilled: usize) {
        self.spilled += spilled;
        for batch in batches {
            self.read += batch.num_rows();
            for row in 0..batch.num_rows() {
                // The connector may have left rows in that do not match, as Athena knows.
                if self.plan.filter.as_ref().is_none_or(|filter| filter.holds(batch, row) == Some(true)) {
                    self.keep(batch, row);
                }
            }
        }
    }

    fn keep(&mut self, rows: &RecordBatch, row: usize) {
        let plan = self.plan;
        let Some(groups) = &plan.groups else {
            let values = plan.items.iter().map(|(_, item)| item.column().and_then(|name| at(rows, name, row)));
            return self.kept.push(values.collect());
        };
        let group = groups.iter().map(|name| at(rows, name, row)).collect();
        let counts = self.groups.entry(group).or_insert_with(|| counts(plan));
        for ((_, item), count) in plan.items.iter().zip(counts) {
            let value = item.column().and_then(|name| at(rows, name, row));
            match (count, value) {
                (Count::Rows(count), value) if *item == Item::Rows || value.is_some() => *count += 1,
                (Count::Distinct(values), Some(value)) => _ = values.insert(value),
                (Count::Sum(sum), Some(Value::Integer(value))) => {
                    *sum = Some(sum.unwrap_or_default() + i128::from(value))
                }
                _ => {}
            }
        }
    }

    /// Whether further rows cannot change the answer.
    pub(crate) fn has_enough(&self) -> bool {
        let in_any_order = self.plan.groups.is_none() && self.plan.order.is_empty();
        in_any_order && self.plan.limit.is_some_and(|limit| self.kept.len() >= limit)
    }

    pub(crate) fn finish(self) -> Answer {
        let plan = self.plan;
        let mut rows = self.kept;
        for (group, counts) in self.groups {
            let names = plan.groups.iter().flatten();
            let by_name: BTreeMap<_, _> = names.map(String::as_str).zip(group).collect();
            let shown = plan.items.iter().zip(counts).map(|((_, item), count)| match count {
                Count::Rows(count) => Some(Value::Integer(count)),
                Count::Distinct(values) => i64::try_from(values.len()).ok().map(Value::Integer),
                Count::Sum(sum) => sum.map(|unscaled| match i64::try_from(unscaled) {
                    Ok(sum) => Value::Integer(sum),
                    Err(_) => Value::Decimal { unscaled, scale: 0 },
                }),
                Count::Same => item.column().and_then(|name| by_name.get(name).cloned().flatten()),
            });
            rows.push(shown.collect());
        }
        if !plan.order.is_empty() {
            rows.sort_by(|one, other| {
                let pairs = plan.order.iter().map(|(at, descending)| compare(&one[*at], &other[*at], *descending));
                pairs.fold(Ordering::Equal, Ordering::then)
            });
        }
        rows.truncate(plan.limit.unwrap_or(usize::MAX));
        let columns = plan.items.iter().map(|(heading, _)| heading.clone()).collect();
        let (partitions, splits, read, spilled) = (self.partitions, self.splits, self.read, self.spilled);
        Answer { columns, rows, partitions, splits, read, spilled }
    }
}

fn counts(plan: &Plan) -> Vec<Count> {
    let count = |(_, item): &(String, Item)| match item {
        Item::Column(_) => Count::Same,
        Item::Rows | Item::Count(_) => Count::Rows(0),
        Item::Distinct(_) => Count::Distinct(BTreeSet::new()),
        Item::Sum(_) => Count::Sum(None),
    };
    plan.items.iter().map(count).collect()
}

/// NULL comes last in either direction, as in Athena.
fn compare(one: &Found, other: &Found, descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

impl Answer {
    /// For people.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row.iter().map(|value| match value {
                Some(Value::Integer(_) | Value::Float(_) | Value::Decimal { .. }) => {
                    Cell::new(text(value)).set_alignment(CellAlignment::Right)
                }
                None => Cell::new("NULL"),
                // Nothing from a source may control the terminal.
                _ => Cell::new(text(value).replace(char::is_control, "\u{FFFD}")),
            }));
        }
        table.to_string()
    }

    /// With a line of headings. NULL is an empty field, an empty text is `""`.
    pub fn csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\r\n";
        let headings = self.columns.iter().map(|column| quoted(column)).collect();
        let rows = self.rows.iter().map(|row| {
            line(row.iter().map(|value| value.as_ref().map_or(String::new(), |_| quoted(&text(value)))).collect())
        });
        std::iter::once(line(headings)).chain(rows).collect()
    }

    /// What the query cost.
    pub fn summary(&self) -> String {
        format!(
            "{} rows; {} partitions, {} splits, {} rows read, {} spilled blocks",
            self.rows.len(),
            self.partitions,
            self.splits,
            self.read,
            self.spilled
        )
    }
}

/// RFC 4180.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn text(value: &Found) -> String {
    match value {
        None => String::new(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Float(number)) => number.to_string(),
        Some(Value::Decimal { unscaled, scale }) => decimal(*unscaled, *scale),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Bytes(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Some(Value::Day(day)) => time::Date::from_julian_day(day.saturating_add(EPOCH))
            .map_or_else(|_| day.to_string(), |date| date.to_string()),
        Some(Value::Time(micros)) => time::OffsetDateTime::from_unix_timestamp_nanos(micros.saturating_mul(1000))
            .map_or_else(|_| micros.to_string(), |time| time.to_string()),
    }
}

/// 1970-01-01, counted as Julian days.
const EPOCH: i32 = 2_440_588;

fn decimal(unscaled: i128, scale: i8) -> String {
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{unscaled}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}
