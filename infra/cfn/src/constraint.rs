//! Limits on values, from the specification.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::Regex;

use crate::Json;

/// Limits on one property, checked at synth. Intrinsics and dynamic references pass, because their value is known only at deploy time; of
/// `Fn::If`, both values are checked.
///
/// The generated bindings contain these as constants; a limit that is `None` does not apply.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// Smallest number, inclusive.
    pub minimum: Option<f64>,
    /// Largest number, inclusive.
    pub maximum: Option<f64>,
    /// The allowed whole numbers; empty if there is no such set.
    pub numbers: &'static [i64],
    /// The fewest characters of a string.
    pub min_length: Option<u64>,
    /// The most characters of a string.
    pub max_length: Option<u64>,
    /// Regular expression that must match somewhere in the string.
    pub pattern: Option<&'static str>,
    /// The allowed strings; empty if there is no such set.
    pub values: &'static [&'static str],
    /// The fewest items of a list.
    pub min_items: Option<u64>,
    /// The most items of a list.
    pub max_items: Option<u64>,
    /// Whether a list must not contain the same item twice.
    pub unique_items: bool,
    /// Limits on each item of a list, or on each value of a map.
    pub items: Option<&'static Constraint>,
}

impl Constraint {
    /// No limit at all; generated constants state only what differs from this.
    pub const NONE: Self = Self {
        minimum: None,
        maximum: None,
        numbers: &[],
        min_length: None,
        max_length: None,
        pattern: None,
        values: &[],
        min_items: None,
        max_items: None,
        unique_items: false,
        items: None,
    };

    /// Where in `json` this constraint is broken, and how: `("[2]", "is 64; must be 128 to 10240")`.
    pub(crate) fn broken_by(&self, json: &Json) -> Option<(String, String)> {
        match json {
            // A dynamic reference, which CloudFormation replaces.
            Json::String(text) if text.contains("{{resolve:") => None,
            Json::String(text) => self.string(text).map(here),
            Json::Number(number) => self.number(number.as_f64()?).map(here),
            Json::Array(items) => self.list(items),
            Json::Object(map) if !is_intrinsic(map) => {
                let values = self.items?;
                map.iter().find_map(|(key, value)| {
                    values.broken_by(value).map(|(path, message)| (format!("[{key:?}]{path}"), message))
                })
            }
            Json::Object(map) => {
                let branches = map.get("Fn::If")?.as_array()?.iter().skip(1);
                branches.into_iter().find_map(|branch| self.broken_by(branch))
            }
            _ => None,
        }
    }

    fn string(&self, text: &str) -> Option<String> {
        let length = text.chars().count() as u64;
        if !self.values.is_empty() && !self.values.contains(&text) {
            return Some(format!("is {text:?}; must be one of {}", self.values.join(", ")));
        }
        if self.min_length.is_some_and(|min| length < min) || self.max_length.is_some_and(|max| length > max) {
            let allowed = allowed(self.min_length, self.max_length);
            return Some(format!("is {} with {length} characters; must have {allowed} characters", shortened(text)));
        }
        match self.pattern {
            Some(pattern) if !matches(pattern, text) => Some(format!("is {}; must match {pattern}", shortened(text))),
            _ => None,
        }
    }

    fn number(&self, number: f64) -> Option<String> {
        if !self.numbers.is_empty() && !self.numbers.iter().any(|&allowed| allowed as f64 == number) {
            let allowed: Vec<String> = self.numbers.iter().map(i64::to_string).collect();
            return Some(format!("is {number}; must be one of {}", allowed.join(", ")));
        }
        let outside = self.minimum.is_some_and(|min| number < min) || self.maximum.is_some_and(|max| number > max);
        outside.then(|| format!("is {number}; must be {}", allowed(self.minimum, self.maximum)))
    }

    fn list(&self, items: &[Json]) -> Option<(String, String)> {
        let count = items.len() as u64;
        if self.min_items.is_some_and(|min| count < min) || self.max_items.is_some_and(|max| count > max) {
            return Some(here(format!("has {count} items; must have {}", allowed(self.min_items, self.max_items))));
        }
        if self.unique_items
            && let Some(i) = (1..items.len()).find(|&i| items[..i].contains(&items[i]))
        {
            return Some((format!("[{i}]"), format!("is {}, which is already in the list", items[i])));
        }
        let constraint = self.items?;
        items
            .iter()
            .enumerate()
            .find_map(|(i, item)| constraint.broken_by(item).map(|(path, message)| (format!("[{i}]{path}"), message)))
    }
}

/// Whether an object is an intrinsic call: one key, `Ref` or `Fn::…`.
pub fn is_intrinsic(map: &serde_json::Map<String, Json>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

fn here(message: String) -> (String, String) {
    (String::new(), message)
}

fn allowed<N: std::fmt::Display + PartialEq>(min: Option<N>, max: Option<N>) -> String {
    match (min, max) {
        (Some(min), Some(max)) if min == max => format!("exactly {min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "anything".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Patterns are compiled once per thread: the synth of a fleet uses the same few again and again.
fn matches(pattern: &'static str, text: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<&'static str, Option<Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        let regex = compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
        // The generator only emits patterns that compile.
        regex.as_ref().is_none_or(|regex| regex.is_match(text))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MEMORY: Constraint = Constraint { minimum: Some(128.0), maximum: Some(10240.0), ..Constraint::NONE };
    const NAME: Constraint = Constraint { max_length: Some(3), pattern: Some("^[a-z]+$"), ..Constraint::NONE };
    const NAMES: Constraint =
        Constraint { max_items: Some(2), unique_items: true, items: Some(&NAME), ..Constraint::NONE };

    fn message(constraint: &Constraint, json: Json) -> Option<String> {
        constraint.broken_by(&json).map(|(path, message)| format!("{path} {message}").trim().to_owned())
    }

    #[test]
    fn a_broken_limit_is_reported_with_the_value_and_what_is_allowed() {
        assert_eq!(message(&MEMORY, json!(64)).unwrap(), "is 64; must be 128 to 10240");
        assert_eq!(
            message(&NAME, json!("abcd")).unwrap(),
            r#"is "abcd" with 4 characters; must have at most 3 characters"#
        );
        assert_eq!(message(&NAME, json!("A")).unwrap(), r#"is "A"; must match ^[a-z]+$"#);
        assert_eq!(message(&NAMES, json!(["a", "b", "c"])).unwrap(), "has 3 items; must have at most 2");
        assert_eq!(message(&NAMES, json!(["a", "a"])).unwrap(), r#"[1] is "a", which is already in the list"#);
        assert_eq!(message(&NAMES, json!(["a", "B"])).unwrap(), r#"[1] is "B"; must match ^[a-z]+$"#);
    }

    #[test]
    fn a_set_of_numbers_allows_no_other_number() {
        const DAYS: Constraint = Constraint { numbers: &[1, 7, 30], ..Constraint::NONE };
        assert_eq!(message(&DAYS, json!(8)).unwrap(), "is 8; must be one of 1, 7, 30");
        assert_eq!(message(&DAYS, json!(7)), None);
    }

    #[test]
    fn limits_are_inclusive_and_intrinsics_pass() {
        for json in [json!(128), json!(10240), json!({ "Ref": "Memory" })] {
            assert_eq!(message(&MEMORY, json), None);
        }
    }

    #[test]
    fn a_dynamic_reference_may_be_any_text() {
        assert_eq!(message(&NAME, json!("{{resolve:ssm:/shared/name}}")), None);
        assert_eq!(message(&NAMES, json!(["a", "x{{resolve:ssm:/shared/name}}"])), None);
    }

    #[test]
    fn both_values_of_a_condition_are_checked() {
        let either = |then: Json, otherwise: Json| message(&MEMORY, json!({ "Fn::If": ["Large", then, otherwise] }));
        assert_eq!(either(json!(64), json!(128)).unwrap(), "is 64; must be 128 to 10240");
        assert_eq!(either(json!(128), json!(64)).unwrap(), "is 64; must be 128 to 10240");
        assert_eq!(either(json!(128), json!({ "Fn::If": ["Small", 64, 128] })).unwrap(), "is 64; must be 128 to 10240");
        assert_eq!(either(json!(128), json!({ "Ref": "AWS::NoValue" })), None);
    }
}
