//! Reads Redshift's batch in one pass into one string.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use write_back::{Fault, Row};

/// The rows of one call; other fields from Redshift are not needed.
#[derive(Deserialize)]
pub struct Batch {
    /// The number of rows according to Redshift.
    #[serde(default, deserialize_with = "count")]
    pub(crate) num_records: Option<u64>,
    #[serde(default)]
    arguments: Rows,
}

/// The function's arguments: action, customer, skill, cost, quote ID.
const FIELDS: usize = 5;

/// All texts of all rows in one string, and where each begins and ends: a batch costs two growing allocations.
#[derive(Default)]
struct Rows {
    text: String,
    rows: Vec<Spans>,
    problem: Option<String>,
}

/// A row as sent: its texts, or that it is not a list of as many as the function has arguments.
enum Sent {
    Row(Spans),
    Malformed,
}

/// The positions of a row's texts, `None` for NULL; or why there is no row.
type Spans = Result<[Option<(u32, u32)>; FIELDS], Fault>;

impl Batch {
    /// What is wrong with the batch as a whole, in one sentence: Redshift calls a function that has other arguments.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.arguments.problem.as_deref()
    }

    /// The rows in order; an invalid row is represented by its fault.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Result<Row<'_>, Fault>> {
        let text = &self.arguments.text;
        self.arguments.rows.iter().map(move |row| {
            let field = |span: Option<(u32, u32)>| span.map(|(start, end)| &text[start as usize..end as usize]);
            row.map(|[action, customer, skill, cost, quote_id]| Row {
                action: field(action),
                customer: field(customer),
                skill: field(skill),
                cost: field(cost),
                quote_id: field(quote_id),
            })
        })
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows, D::Error> {
        deserializer.deserialize_any(Arguments)
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
            match row {
                Sent::Row(row) => read.rows.push(row),
                Sent::Malformed => {
                    let number = read.rows.len() + 1;
                    let problem = || format!("row {number} of arguments is not a list of {FIELDS} values");
                    read.problem.get_or_insert_with(problem);
                    read.rows.push(Err(Fault::Shape));
                }
            }
        }
        Ok(read)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Rows::malformed())
    }

    fn visit_unit<E>(self) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }

    fn visit_str<E>(self, _: &str) -> Result<Rows, E> {
        Ok(Rows::malformed())
    }
}

impl Rows {
    fn malformed() -> Rows {
        Rows { problem: Some("arguments is not a list of rows".to_owned()), ..Rows::default() }
    }
}

/// The number of rows; `None` if it is anything else than a whole number.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_u64())
}

/// Reads one row and appends its texts to the string.
struct RowSeed<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Sent;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sent, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Sent;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a row")
    }

    fn visit_unit<E>(self) -> Result<Sent, E> {
        Ok(Sent::Row(Err(Fault::Null)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Sent, A::Error> {
        let mut spans = [None; FIELDS];
        let mut read = 0;
        let mut are_texts = true;
        while let Some(field) = fields.next_element_seed(FieldSeed(self.0))? {
            match (field, spans.get_mut(read)) {
                (Ok(span), Some(place)) => *place = span,
                (Err(_), Some(_)) => are_texts = false,
                (_, None) => {}
            }
            read += 1;
        }
        Ok(match (read == FIELDS, are_texts) {
            (true, true) => Sent::Row(Ok(spans)),
            (true, false) => Sent::Row(Err(Fault::Shape)),
            (false, _) => Sent::Malformed,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sent, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sent::Malformed)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sent, E> {
        Ok(Sent::Malformed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sent, E> {
        Ok(Sent::Malformed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sent, E> {
        Ok(Sent::Malformed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sent, E> {
        Ok(Sent::Malformed)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sent, E> {
        Ok(Sent::Malformed)
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
