//! Event patterns: what EventBridge would reject, and what would never match.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use cfn::{Finding, Json, Template};
use serde_json::Map;

use crate::checks::of_type;
use crate::estimate::Estimate;

/// Most characters of a pattern. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const LENGTH: usize = 2048;

/// Checks the structure of a pattern.
///
/// # Errors
///
/// One sentence about the first mistake.
pub fn check(pattern: &Json) -> Result<(), String> {
    let Json::Object(fields) = pattern else {
        return Err(format!(
            "the pattern is {pattern}; must be keys with lists of values, such as `source: [my.application]`"
        ));
    };
    check_fields(fields)
}

/// The patterns of rules, and the filters of event sources, which have the same form.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>
pub(crate) fn check_all(template: &Template) -> Vec<Finding> {
    let estimate = Estimate::new(template);
    let rules = of_type(template, "AWS::Events::Rule").filter(|(_, rule)| !rule.properties["EventPattern"].is_null());
    let rules = rules.map(|(id, rule)| (id, rule, estimate.resolved(&rule.properties["EventPattern"])));
    let sources = of_type(template, "AWS::Lambda::EventSourceMapping").flat_map(|(id, source)| {
        let filters = source.properties["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
        let text = |filter: &Json| estimate.text(&filter["Pattern"]);
        filters.map(text).map(move |text| (id, source, serde_json::from_str(&text).unwrap_or(Json::String(text))))
    });
    let wrong = |(id, entry, pattern): (&str, &cfn::Entry, Json)| {
        check(&pattern).err().map(|message| Finding::error(id, message).at(entry.location))
    };
    rules.chain(sources).filter_map(wrong).collect()
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
