//! Event patterns, checked for what EventBridge would reject, and for what would never match.

use cfn::Json;
use serde::Deserialize;
use serde_json::Map;

/// An event pattern. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Json")]
pub struct EventPattern(Map<String, Json>);

impl EventPattern {
    /// Most characters of a pattern. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    const LENGTH: usize = 2048;

    /// The pattern as JSON.
    pub fn json(&self) -> Json {
        Json::Object(self.0.clone())
    }
}

impl TryFrom<Json> for EventPattern {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        let Json::Object(pattern) = json else {
            return Err(format!(
                "the pattern is {json}; must be keys with lists of values, such as `source: [my.application]`"
            ));
        };
        check_fields(&pattern)?;
        let length = Json::Object(pattern.clone()).to_string().chars().count();
        if length > Self::LENGTH {
            return Err(format!("the pattern has {length} characters as JSON; must be at most {}", Self::LENGTH));
        }
        Ok(Self(pattern))
    }
}

/// An empty pattern would match every event of the account.
fn check_fields(fields: &Map<String, Json>) -> Result<(), String> {
    if fields.is_empty() {
        return Err("the pattern is empty; must have at least one key, such as `source: [my.application]`".to_owned());
    }
    fields.iter().try_for_each(|(key, value)| match value {
        Json::Array(alternatives) if key == "$or" => check_alternatives(alternatives),
        Json::Array(items) if !items.is_empty() => items.iter().try_for_each(|item| check_item(key, item)),
        Json::Object(inner) => check_fields(inner),
        _ => Err(format!(
            "`{key}` of the pattern is {value}; must be a list of values to match, as in `{key}: [{value}]`"
        )),
    })
}

fn check_alternatives(alternatives: &[Json]) -> Result<(), String> {
    if alternatives.len() < 2 {
        return Err("`$or` of the pattern must be a list of at least two patterns".to_owned());
    }
    alternatives.iter().try_for_each(|alternative| match alternative {
        Json::Object(fields) => check_fields(fields),
        other => Err(format!("`$or` of the pattern contains {other}; must be a list of patterns")),
    })
}

fn check_item(key: &str, item: &Json) -> Result<(), String> {
    match item {
        Json::Array(_) => Err(format!("`{key}` of the pattern contains a list in its list; remove the inner brackets")),
        Json::Object(matcher) => check_matcher(key, matcher),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

const MATCHERS: &str = "prefix, suffix, anything-but, equals-ignore-case, wildcard, numeric, exists or cidr";

fn check_matcher(key: &str, matcher: &Map<String, Json>) -> Result<(), String> {
    let Some((name, value)) = matcher.iter().next().filter(|_| matcher.len() == 1) else {
        return Err(format!(
            "`{key}` of the pattern has a matcher with {} keys; must be one of {MATCHERS}",
            matcher.len()
        ));
    };
    let is_right = match name.as_str() {
        "prefix" | "suffix" => value.is_string() || is_single(value, &["equals-ignore-case"], Json::is_string),
        "equals-ignore-case" | "wildcard" | "cidr" => value.is_string(),
        "exists" => value.is_boolean(),
        "numeric" => value.as_array().is_some_and(|range| is_range(range)),
        "anything-but" => {
            is_plain(value) || is_single(value, &["prefix", "suffix", "wildcard", "equals-ignore-case"], is_plain)
        }
        _ => return Err(format!("`{key}` of the pattern has the unknown matcher `{name}`; must be {MATCHERS}")),
    };
    if is_right {
        return Ok(());
    }
    Err(format!(
        "`{key}` of the pattern has the matcher `{name}` with {value}, which EventBridge does not accept there"
    ))
}

/// A text or a number, or a list of them.
fn is_plain(value: &Json) -> bool {
    match value {
        Json::Array(items) => !items.is_empty() && items.iter().all(|item| item.is_string() || item.is_number()),
        value => value.is_string() || value.is_number(),
    }
}

fn is_single(value: &Json, names: &[&str], is_right: fn(&Json) -> bool) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1 && fields.iter().all(|(name, value)| names.contains(&name.as_str()) && is_right(value))
    })
}

/// `["=", 5]` or `[">", 0, "<=", 10]`.
fn is_range(range: &[Json]) -> bool {
    (range.len() == 2 || range.len() == 4)
        && range.chunks(2).all(|pair| {
            pair[0].as_str().is_some_and(|sign| ["=", "<", "<=", ">", ">="].contains(&sign)) && pair[1].is_number()
        })
}
