//! Reads lines that look like the ones before: the same fields in the same order, no spaces, no escapes, nothing nested.
//!
//! All lines of Slack's files do, and reading them takes a third of the instructions that a JSON parser needs. Any other line is left
//! to the JSON parser, which decides whether it is valid: this reader only accepts lines that the parser would read alike.

use crate::table::COLUMNS;

/// The fields of the lines so far, in order.
#[derive(Default)]
pub(crate) struct Shape {
    fields: Vec<Field>,
}

struct Field {
    /// The name as it is in the line, with quotes and colon.
    key: String,
    /// The column of the field; `None` if it is unknown.
    column: Option<usize>,
}

/// The values of one line, by column.
pub(crate) type Values<'a> = [Cell<'a>; COLUMNS.len()];

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// The line does not have the field, or its value is null.
    Null,
    Flag(bool),
    Count(i64),
    Text(&'a str),
}

/// A line with more fields is not worth remembering.
const MOST_FIELDS: usize = 64;

/// Digits that fit into 64 bits, whatever they are.
const MOST_DIGITS: usize = 18;

impl Shape {
    /// Remembers the fields of a line, in order, if it has more than the line that is remembered: a line may leave fields out.
    pub(crate) fn remember<'n>(&mut self, fields: impl ExactSizeIterator<Item = (&'n str, Option<usize>)>) {
        if (self.fields.len() + 1..=MOST_FIELDS).contains(&fields.len()) {
            let field = |(name, column): (&str, _)| Field { key: format!("\"{name}\":"), column };
            self.fields = fields.map(field).collect();
        }
    }

    /// The values of a line; `None` if it looks different.
    pub(crate) fn read<'a>(&self, line: &'a str) -> Option<Values<'a>> {
        let mut values = [Cell::Null; COLUMNS.len()];
        let mut fields = self.fields.iter();
        let mut rest = line.strip_prefix('{')?;
        loop {
            let (field, after) = fields.find_map(|field| Some((field, rest.strip_prefix(field.key.as_str())?)))?;
            let (value, after) = value(after)?;
            if let Some(column) = field.column {
                values[column] = value;
            }
            match after.as_bytes().first()? {
                b',' => rest = &after[1..],
                b'}' if after.len() == 1 => return Some(values),
                _ => return None,
            }
        }
    }
}

/// A value, and what follows it.
fn value(text: &str) -> Option<(Cell<'_>, &str)> {
    match text.as_bytes().first()? {
        b'"' => {
            let text = &text[1..];
            let (value, rest) = text.split_at(memchr::memchr(b'"', text.as_bytes())?);
            // Every byte is looked at, because that is faster than to stop at the first one.
            let is_plain = value.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'\\'));
            is_plain.then_some((Cell::Text(value), &rest[1..]))
        }
        b't' => Some((Cell::Flag(true), text.strip_prefix("true")?)),
        b'f' => Some((Cell::Flag(false), text.strip_prefix("false")?)),
        b'n' => Some((Cell::Null, text.strip_prefix("null")?)),
        first if first.is_ascii_digit() => {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            // A number does not begin with a zero, other than zero itself.
            let is_plain = length == 1 || (length <= MOST_DIGITS && *first != b'0');
            let (digits, rest) = text.split_at(length.min(MOST_DIGITS));
            let number = digits.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
            is_plain.then_some((Cell::Count(number), rest))
        }
        _ => None,
    }
}
