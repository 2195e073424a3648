//! Limits as Rust expressions.

use crate::patterns::{Pattern, portable};
use crate::specification::Limits;

/// What remains to be checked at synth, as a `cfn::Constraint`; the values of an enum are checked by the compiler.
pub fn expression(limits: &Limits, is_enum: bool) -> Option<String> {
    let mut fields = Vec::new();
    let mut field =
        |name: &str, value: Option<String>| fields.extend(value.map(|value| format!("{name}: Some({value})")));
    field("minimum", limits.minimum.as_ref().and_then(float));
    field("maximum", limits.maximum.as_ref().and_then(float));
    if !is_enum {
        field("min_length", limits.min_length.map(|length| length.to_string()));
        field("max_length", limits.max_length.map(|length| length.to_string()));
        field("pattern", limits.pattern.as_deref().and_then(pattern));
    }
    field("min_items", limits.min_items.map(|count| count.to_string()));
    field("max_items", limits.max_items.map(|count| count.to_string()));
    field("items", limits.items.as_ref().and_then(|items| expression(items, is_enum)).map(|items| format!("&{items}")));
    if !limits.numbers.is_empty() {
        fields.push(format!("numbers: &{:?}", limits.numbers.iter().collect::<Vec<_>>()));
    }
    if limits.unique_items {
        fields.push("unique_items: true".to_owned());
    }
    (!fields.is_empty()).then(|| format!("cfn::Constraint {{ {}, ..cfn::Constraint::NONE }}", fields.join(", ")))
}

fn float(number: &serde_json::Number) -> Option<String> {
    number.as_f64().map(|number| format!("{number:?}"))
}

fn pattern(text: &str) -> Option<String> {
    match portable(text) {
        Pattern::Checked(text) => Some(literals(&text)),
        Pattern::AllowsAll | Pattern::Unsupported => None,
    }
}

/// A string literal, in pieces if rustfmt could not fit it into a line.
fn literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = chars.chunks(70).map(|piece| literal(&piece.iter().collect::<String>())).collect();
    if let [one] = pieces.as_slice() { one.clone() } else { format!("concat!({})", pieces.join(", ")) }
}

/// A string literal, raw if that is easier to read.
fn literal(text: &str) -> String {
    let raw = text.contains(['\\', '"']) && !text.contains("\"#") && !text.contains(char::is_control);
    match (raw, text.contains('"')) {
        (false, _) => format!("{text:?}"),
        (true, false) => format!("r\"{text}\""),
        (true, true) => format!("r#\"{text}\"#"),
    }
}
