//! Limits as Rust expressions.

use crate::patterns::{Pattern, portable};
use crate::specification::Limits;

/// What is left to check at synth, as a `cfn::Constraint`; an enum has its set and its spelling checked by the compiler.
pub fn expression(limits: &Limits, is_enum: bool) -> Option<String> {
    let mut fields = Vec::new();
    let mut field = |name: &str, value: Option<String>| fields.extend(value.map(|it| format!("{name}: Some({it})")));
    field("minimum", limits.minimum.as_ref().and_then(float));
    field("maximum", limits.maximum.as_ref().and_then(float));
    if !is_enum {
        field("min_length", limits.min_length.map(|it| it.to_string()));
        field("max_length", limits.max_length.map(|it| it.to_string()));
        field("pattern", limits.pattern.as_deref().and_then(pattern));
    }
    field("min_items", limits.min_items.map(|it| it.to_string()));
    field("max_items", limits.max_items.map(|it| it.to_string()));
    field("items", limits.items.as_ref().and_then(|it| expression(it, is_enum)).map(|it| format!("&{it}")));
    if !limits.numbers.is_empty() {
        fields.push(format!("numbers: &{:?}", limits.numbers.iter().collect::<Vec<_>>()));
    }
    if limits.unique_items {
        fields.push("unique_items: true".to_owned());
    }
    (!fields.is_empty()).then(|| format!("cfn::Constraint {{ {}, ..cfn::Constraint::NONE }}", fields.join(", ")))
}

fn float(number: &serde_json::Number) -> Option<String> {
    number.as_f64().map(|it| format!("{it:?}"))
}

fn pattern(text: &str) -> Option<String> {
    match portable(text) {
        Pattern::Checked(text) => Some(literals(&text)),
        Pattern::AllowsAll | Pattern::Unsupported => None,
    }
}

/// A string literal, in pieces where rustfmt could not fit it into a line.
fn literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = chars.chunks(70).map(|it| literal(&it.iter().collect::<String>())).collect();
    if let [one] = pieces.as_slice() { one.clone() } else { format!("concat!({})", pieces.join(", ")) }
}

/// A raw string literal when that reads better.
fn literal(text: &str) -> String {
    let raw = text.contains(['\\', '"']) && !text.contains("\"#") && !text.contains(char::is_control);
    match (raw, text.contains('"')) {
        (false, _) => format!("{text:?}"),
        (true, false) => format!("r\"{text}\""),
        (true, true) => format!("r#\"{text}\"#"),
    }
}
