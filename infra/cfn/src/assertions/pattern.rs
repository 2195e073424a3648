//! Patterns: JSON in which some values represent others.

use std::collections::BTreeMap;

use serde_json::json;

use crate::Json;

/// The key of a value that represents others. CloudFormation has no such key.
const KEY: &str = "ferrostack:pattern";

/// In a pattern: the key must not exist.
pub fn absent() -> Json {
    json!({ KEY: "absent" })
}

/// In a pattern: any value, but one must exist.
pub fn any() -> Json {
    json!({ KEY: "any" })
}

/// In a pattern: any value, which the assertion returns under this name.
pub fn capture(name: &str) -> Json {
    json!({ KEY: "capture", "name": name })
}

/// In a pattern: a list with at least these items, which are patterns too, in any order.
pub fn contains<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Json {
    let items: Vec<Json> = items.into_iter().map(Into::into).collect();
    json!({ KEY: "contains", "items": items })
}

/// Where a value differs from a pattern, and how; `actual` is `None` if the key does not exist.
pub(super) fn compare(
    actual: Option<&Json>,
    pattern: &Json,
    path: String,
    captured: &mut BTreeMap<String, Json>,
) -> Option<String> {
    let kind = pattern[KEY].as_str();
    let Some(actual) = actual else {
        return (kind != Some("absent")).then(|| format!("`{path}` does not exist"));
    };
    match (kind, pattern) {
        (Some("absent"), _) => Some(format!("`{path}` exists, and is {actual}")),
        (Some("any"), _) => None,
        (Some("capture"), _) => {
            captured.insert(pattern["name"].as_str().unwrap_or_default().to_owned(), actual.clone());
            None
        }
        (Some(_), _) => missing_item(actual, &pattern["items"], &path, captured),
        (None, Json::Object(fields)) => {
            if !actual.is_object() {
                return Some(format!("`{path}` is {actual}, and not an object"));
            }
            fields.iter().find_map(|(name, field)| compare(actual.get(name), field, format!("{path}/{name}"), captured))
        }
        (None, Json::Array(items)) => {
            let Some(actual_items) = actual.as_array().filter(|actual| actual.len() == items.len()) else {
                return Some(format!("`{path}` is {actual}, and not a list of {}", items.len()));
            };
            let mut pairs = actual_items.iter().zip(items).enumerate();
            pairs.find_map(|(index, (actual, item))| compare(Some(actual), item, format!("{path}/{index}"), captured))
        }
        (None, value) => (actual != value).then(|| format!("`{path}` is {actual}, and not {value}")),
    }
}

fn missing_item(actual: &Json, items: &Json, path: &str, captured: &mut BTreeMap<String, Json>) -> Option<String> {
    let Some(actual_items) = actual.as_array() else { return Some(format!("`{path}` is {actual}, and not a list")) };
    let missing = items.as_array().into_iter().flatten().find(|item| {
        !actual_items.iter().any(|actual| {
            // A value that does not match captures nothing.
            let mut found = BTreeMap::new();
            let matches = compare(Some(actual), item, String::new(), &mut found).is_none();
            if matches {
                captured.extend(found);
            }
            matches
        })
    });
    missing.map(|item| format!("`{path}` does not contain {item}"))
}
