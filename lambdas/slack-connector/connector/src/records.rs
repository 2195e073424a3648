//! Turns lines of JSON into columns.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;

use crate::lines::Take;
use crate::members::Part;
use crate::shape::{Cell as Plain, Shape, Values};
use crate::table::{Booleans, COLUMNS, ID_COLUMN, Kind, OLDER_ID_COLUMN, column, schema};

/// One day's records while they are collected into batches, with only the columns that a query needs.
pub struct Records {
    day: String,
    part: Part,
    schema: SchemaRef,
    columns: Columns,
    shape: Shape,
    rows: usize,
    /// The bytes of the lines of these rows.
    bytes: usize,
    ready: Vec<RecordBatch>,
}

/// A batch has as many rows as a part of a day, so that its one block is not assembled from several batches and in memory twice.
const BATCH: usize = 65_536;

/// Or this many bytes of lines, twice those of a block, because lines may be long.
const BATCH_BYTES: usize = 32 << 20;

/// Why a line is not a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not a file but an error from Slack with this code.
    Slack(String),
    /// The line is malformed: its number and the problem, without its content.
    Malformed(u64, String),
}

impl Records {
    /// Collects the columns that `wanted` selects from the records of `day`.
    pub fn new(day: String, part: Part, booleans: Booleans, wanted: impl Fn(&str) -> bool) -> Records {
        let all = schema(booleans);
        let kept = COLUMNS.map(|(name, _)| wanted(name));
        let fields = all.fields().iter().zip(kept).filter(|(_, kept)| *kept).map(|(field, _)| field.clone());
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let builders = std::array::from_fn(|index| match (kept[index], COLUMNS[index].1, booleans) {
            (false, ..) => Builder::Skipped,
            (true, Kind::Day, _) => Builder::Day(StringBuilder::new()),
            (true, Kind::Text, _) => Builder::Text(StringBuilder::new()),
            (true, Kind::Flag, Booleans::Boolean) => Builder::Flag(BooleanBuilder::new()),
            (true, Kind::Flag, Booleans::Text) => Builder::FlagText(StringBuilder::new()),
            (true, Kind::Count, _) => Builder::Count(Int64Builder::new()),
        });
        let columns = Columns { builders, seen: 0, order: Vec::new(), older_id: None };
        Records { day, part, schema, columns, shape: Shape::default(), rows: 0, bytes: 0, ready: Vec::new() }
    }

    /// The full batches so far, each returned once.
    pub fn ready(&mut self) -> Vec<RecordBatch> {
        std::mem::take(&mut self.ready)
    }

    /// All batches that were not returned yet; the last one may be short.
    pub fn finish(mut self) -> Vec<RecordBatch> {
        self.batch();
        self.ready
    }

    fn batch(&mut self) {
        if self.rows == 0 {
            return;
        }
        let arrays: Vec<ArrayRef> = self.columns.builders.iter_mut().filter_map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .expect("each builder has the type of its column and a value for each row");
        self.ready.push(batch);
        (self.rows, self.bytes) = (0, 0);
    }
}

impl Records {
    /// The values of a line that looks like the ones before and names its member, if each has the type of its column.
    fn plain<'a>(&self, line: &'a str) -> Option<Values<'a>> {
        let values = self.shape.read(line)?;
        let is_known = matches!(values[ID_COLUMN], Plain::Text(_)) && values[OLDER_ID_COLUMN] == Plain::Null;
        let fits = |(builder, value): (&Builder, &Plain<'_>)| builder.takes(value, &self.day);
        (is_known && self.columns.builders.iter().zip(&values).all(fits)).then_some(values)
    }

    /// Adds a line of any form.
    fn parse(&mut self, number: u64, line: &str) -> Result<(), Refusal> {
        let mut json = serde_json::Deserializer::from_str(line);
        let record = Record { columns: &mut self.columns, day: &self.day };
        // serde_json's message would quote the line; our own, which is short and names the column, is recognized by its start.
        let readable = record.deserialize(&mut json).and_then(|()| json.end());
        readable.map_err(|error| Refusal::Malformed(number, reason(&error)))?;
        self.shape.remember(self.columns.order.iter().map(|(name, column)| (name.as_str(), *column)));
        Ok(())
    }
}

impl Take for Records {
    type Error = Refusal;

    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Refusal> {
        let malformed = |what: &str| Refusal::Malformed(number, what.to_owned());
        let line = std::str::from_utf8(line).map_err(|_| malformed("is not UTF-8"))?;
        // A byte order mark is not part of JSON, but some writers add it.
        let line = if number == 1 { line.strip_prefix('\u{FEFF}').unwrap_or(line) } else { line };
        if line.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return Ok(());
        }
        if number == 1
            && let Some(code) = slack_error(line)
        {
            return Err(Refusal::Slack(code));
        }
        if let Some(values) = self.plain(line) {
            let Plain::Text(id) = values[ID_COLUMN] else { unreachable!("a plain line names its member") };
            if !self.part.has(id) {
                return Ok(());
            }
            self.columns.append(&values, &self.day);
        } else {
            if !self.part.has_line(line).map_err(|()| malformed("has no readable user_id"))? {
                return Ok(());
            }
            self.parse(number, line)?;
        }
        self.rows += 1;
        self.bytes += line.len();
        if self.rows == BATCH || self.bytes >= BATCH_BYTES {
            self.batch();
        }
        Ok(())
    }
}

/// The code of `{"ok":false,"error":"…"}`.
fn slack_error(line: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        ok: Option<bool>,
        error: Option<String>,
    }
    let envelope: Envelope = serde_json::from_str(line).ok()?;
    envelope.ok.map(|_| envelope.error.unwrap_or_default())
}

/// The column that identifies a member, and its name in older files.
const OLDER_ID: &str = COLUMNS[OLDER_ID_COLUMN].0;

/// The start of each message of [`Record`].
const OURS: &str = "column ";

fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.strip_prefix(OURS) {
        // serde_json appends " at line 1 column 7", which counts within the line.
        Some(rest) => format!("has in {}", rest.split(" at line ").next().unwrap_or(rest)),
        None => "is not one JSON object".to_owned(),
    }
}

struct Columns {
    builders: [Builder; COLUMNS.len()],
    /// One bit per column that the line has contained so far.
    seen: u32,
    /// The columns of the last line's fields, in order: the next line most likely has the same ones.
    order: Vec<(String, Option<usize>)>,
    /// The line's `enterprise_user_id`, which was the name of `user_id` in older files.
    older_id: Option<String>,
}

/// A column being built.
enum Builder {
    Skipped,
    Day(StringBuilder),
    Text(StringBuilder),
    Flag(BooleanBuilder),
    FlagText(StringBuilder),
    Count(Int64Builder),
}

impl Builder {
    /// Whether a value can be added as it is.
    fn takes(&self, value: &Plain<'_>, day: &str) -> bool {
        match (self, value) {
            (_, Plain::Null)
            | (Builder::Skipped, _)
            | (Builder::Text(_), Plain::Text(_))
            | (Builder::Flag(_) | Builder::FlagText(_), Plain::Flag(_))
            | (Builder::Count(_), Plain::Count(_)) => true,
            (Builder::Day(_), Plain::Text(text)) => *text == day,
            _ => false,
        }
    }

    /// Adds a value that it takes.
    fn append(&mut self, value: &Plain<'_>, day: &str) {
        match (self, value) {
            (Builder::Day(builder) | Builder::Text(builder), Plain::Text(text)) => builder.append_value(text),
            (Builder::Flag(builder), Plain::Flag(flag)) => builder.append_value(*flag),
            (Builder::FlagText(builder), Plain::Flag(flag)) => {
                builder.append_value(if *flag { "true" } else { "false" })
            }
            (Builder::Count(builder), Plain::Count(count)) => builder.append_value(*count),
            (builder, _) => builder.null(day),
        }
    }

    fn null(&mut self, day: &str) {
        match self {
            Builder::Skipped => {}
            // The file determines a record's day, whether the record names it or not.
            Builder::Day(builder) => builder.append_value(day),
            Builder::Text(builder) | Builder::FlagText(builder) => builder.append_null(),
            Builder::Flag(builder) => builder.append_null(),
            Builder::Count(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> Option<ArrayRef> {
        match self {
            Builder::Skipped => None,
            Builder::Day(builder) | Builder::Text(builder) | Builder::FlagText(builder) => {
                Some(Arc::new(builder.finish()))
            }
            Builder::Flag(builder) => Some(Arc::new(builder.finish())),
            Builder::Count(builder) => Some(Arc::new(builder.finish())),
        }
    }
}

impl Columns {
    /// Adds a row.
    fn append(&mut self, values: &Values<'_>, day: &str) {
        for (builder, value) in self.builders.iter_mut().zip(values) {
            builder.append(value, day);
        }
    }

    /// The column of the line's field at `position`.
    fn find(&mut self, position: usize, name: &str) -> Option<usize> {
        if let Some((known, column)) = self.order.get(position)
            && known == name
        {
            return *column;
        }
        let found = column(name);
        self.order.truncate(position);
        // A line with a thousand unknown fields is not worth remembering.
        if position == self.order.len() && position < 64 && name.len() <= 64 {
            self.order.push((name.to_owned(), found));
        }
        found
    }
}

/// One line: a JSON object whose fields are added to the columns.
struct Record<'a> {
    columns: &'a mut Columns,
    day: &'a str,
}

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Record { columns, day } = self;
        columns.seen = 0;
        columns.older_id = None;
        let mut position = 0;
        while let Some(found) = map.next_key_seed(Name { columns, position })? {
            position += 1;
            let Some(index) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (name, bit) = (COLUMNS[index].0, 1 << index);
            if columns.seen & bit != 0 {
                return Err(serde::de::Error::custom(format_args!("{OURS}`{name}` two values")));
            }
            columns.seen |= bit;
            let cell = Cell { builder: &mut columns.builders[index], name, day };
            if name == OLDER_ID {
                // Kept as it is, because the column itself may not be wanted.
                let value: Json = map.next_value()?;
                columns.older_id = match &value {
                    Json::String(id) => Some(id.clone()),
                    Json::Number(id) => Some(id.to_string()),
                    _ => None,
                };
                cell.deserialize(value).map_err(serde::de::Error::custom)?;
                continue;
            }
            map.next_value_seed(cell)?;
        }
        let id = ID_COLUMN;
        if columns.seen & (1 << id) == 0
            && let (Builder::Text(builder), Some(older)) = (&mut columns.builders[id], &columns.older_id)
        {
            builder.append_value(older);
            columns.seen |= 1 << id;
        }
        if columns.seen.count_ones() as usize != COLUMNS.len() {
            for (index, builder) in columns.builders.iter_mut().enumerate() {
                if columns.seen & (1 << index) == 0 {
                    builder.null(day);
                }
            }
        }
        Ok(())
    }
}

/// The name of a field.
struct Name<'a> {
    columns: &'a mut Columns,
    position: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.columns.find(self.position, name))
    }
}

/// The value of a field.
struct Cell<'a> {
    builder: &'a mut Builder,
    name: &'static str,
    day: &'a str,
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        match self.builder {
            Builder::Skipped => IgnoredAny::deserialize(input).map(|_| ()),
            _ => input.deserialize_any(self),
        }
    }
}

impl Cell<'_> {
    fn wrong<E: serde::de::Error>(&self, found: &str) -> E {
        let wanted = match self.builder {
            Builder::Skipped | Builder::Text(_) => "text",
            Builder::Day(_) => "the day of the file",
            Builder::Flag(_) | Builder::FlagText(_) => "true or false",
            Builder::Count(_) => "a whole number of 64 bits",
        };
        E::custom(format_args!("{OURS}`{}` {found} instead of {wanted}", self.name))
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.builder.null(self.day);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        match self.builder {
            Builder::Flag(builder) => builder.append_value(value),
            Builder::FlagText(builder) => builder.append_value(if value { "true" } else { "false" }),
            _ => return Err(self.wrong("true or false")),
        }
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        match self.builder {
            Builder::Count(builder) => builder.append_value(value),
            // Employee numbers are text that some systems write as a number; no information is lost.
            Builder::Text(builder) => builder.append_value(value.to_string()),
            _ => return Err(self.wrong("a number")),
        }
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(self.wrong("a larger number")),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.wrong("a fraction"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        match self.builder {
            Builder::Text(builder) => builder.append_value(value),
            Builder::Day(builder) if value == self.day => builder.append_value(value),
            _ => return Err(self.wrong("text")),
        }
        Ok(())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.wrong("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.wrong("an object"))
    }
}
