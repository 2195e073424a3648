//! Reads Redshift's batch in one pass into one string.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use write_back::{Fault, Row};

/// The rows of one call; other fields from Redshift are not needed.
#[derive(Deserialize)]
pub struct Batch {
    /// The number of rows according to Redshift.
    #[serde(default)]
    pub(crate) num_records: Option<u64>,
    #[serde(default)]
    arguments: Rows,
}

/// The function's arguments: action, customer, skill, cost, quote ID, viewer.
const FIELDS: usize = 6;

/// All texts of all rows in one string, and where each begins and ends: a batch costs two growing allocations.
#[derive(Default)]
struct Rows {
    text: String,
    rows: Vec<Spans>,
}

/// The positions of a row's texts, `None` for NULL; or why there is no row.
type Spans = Result<[Option<(u32, u32)>; FIELDS], Fault>;

impl Batch {
    /// The rows in order; an invalid row is represented by its fault.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Result<Row<'_>, Fault>> {
        let text = &self.arguments.text;
        self.arguments.rows.iter().map(move |row| {
            let field = |span: Option<(u32, u32)>| span.map(|(start, end)| &text[start as usize..end as usize]);
            row.map(|[action, customer, skill, cost, quote_id, viewer]| Row {
                action: field(action),
                customer: field(customer),
                skill: field(skill),
                cost: field(cost),
                quote_id: field(quote_id),
                viewer: field(viewer),
            })
        })
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows, D::Error> {
        deserializer.deserialize_seq(Arguments)
    }
}

struct Arguments;

impl<'de> Visitor<'de> for Arguments {
    type Value = Rows;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Rows, A::Error> {
        let mut read = Rows::default();
        while let Some(row) = rows.next_element_seed(RowSeed(&mut read.text))? {
            read.rows.push(row);
        }
        Ok(read)
    }
}

/// Reads one row and appends its texts to the string.
struct RowSeed<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Spans;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Spans, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Spans;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a row")
    }

    fn visit_unit<E>(self) -> Result<Spans, E> {
        Ok(Err(Fault::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Spans, A::Error> {
        let mut spans = [None; FIELDS];
        let mut read = 0;
        let mut is_well_shaped = true;
        while let Some(field) = fields.next_element_seed(FieldSeed(self.0))? {
            match (field, spans.get_mut(read)) {
                (Ok(span), Some(place)) => *place = span,
                _ => is_well_shaped = false,
            }
            read += 1;
        }
        Ok(if is_well_shaped && read == FIELDS { Ok(spans) } else { Err(Fault::Shape) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spans, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(Fault::Shape))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Spans, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Spans, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Spans, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Spans, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_str<E>(self, _: &str) -> Result<Spans, E> {
        Ok(Err(Fault::Shape))
    }
}

/// Reads one text and appends it to the string.
struct FieldSeed<'a>(&'a mut String);

type Span = Result<Option<(u32, u32)>, Fault>;

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Span;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = Span;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or null")
    }

    fn visit_unit<E>(self) -> Result<Span, E> {
        Ok(Ok(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Span, E> {
        // Lambda sends at most 6 MB, so every text of a batch fits.
        let start = u32::try_from(self.0.len());
        self.0.push_str(text);
        Ok(match (start, u32::try_from(self.0.len())) {
            (Ok(start), Ok(end)) => Ok(Some((start, end))),
            _ => Err(Fault::Shape),
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Span, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Span, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Span, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Span, E> {
        Ok(Err(Fault::Shape))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Span, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(Fault::Shape))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Span, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(Fault::Shape))
    }
}
