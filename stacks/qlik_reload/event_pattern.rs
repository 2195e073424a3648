//! Event patterns, checked for what EventBridge would reject, and for what would never match.

use cfn::Json;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number};
use serde_saphyr::Spanned;
use std::fmt;

/// An event pattern. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct EventPattern(Map<String, Json>);

impl EventPattern {
    /// Most characters of a pattern. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    const LENGTH: usize = 2048;

    /// The pattern as JSON.
    pub fn json(&self) -> Json {
        Json::Object(self.0.clone())
    }
}

impl TryFrom<Written> for EventPattern {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Json::Object(pattern) = written.0 else {
            return Err(format!(
                "the pattern is {}; must be keys with lists of values, such as `source: [my.application]`",
                written.0
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

/// JSON whose numbers look in a template as they do in the tenant file. YAML reads `012345670123` as a number without its zero, and a
/// pattern with that number would never match.
#[derive(Debug)]
struct Written(Json);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Spanned::<Read>::deserialize(deserializer)?;
        let length = read.referenced.span().len();
        match read.value.0 {
            Json::Number(number) if number.to_string().len() as u64 != length || !is_exact(&number) => {
                Err(D::Error::custom(format!(
                    "this number would be written as {number} in the pattern; put the value in quotes if it is a text, and write a number as JSON does"
                )))
            }
            json => Ok(Self(json)),
        }
    }
}

/// Beyond 2^53, not every number has a value of its own. A number with leading zeros is read as a fraction, `007` as 7.0.
fn is_exact(number: &Number) -> bool {
    number.is_i64()
        || number.is_u64()
        || number.as_f64().is_some_and(|value| value.abs() < 9_007_199_254_740_992.0 && value.fract() != 0.0)
}

/// JSON as the parser reads it.
struct Read(Json);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor).map(Self)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of an event pattern")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value);
        number.map(Json::Number).ok_or_else(|| E::custom(format!("{value} is not a number in JSON; put it in quotes")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Written(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some((key, Written(value))) = entries.next_entry::<String, Written>()? {
            map.insert(key, value);
        }
        Ok(Json::Object(map))
    }
}
