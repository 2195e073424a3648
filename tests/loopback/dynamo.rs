//! DynamoDB's handling of the expressions in a write, as far as the functions use them. Items are in its JSON.
//!
//! # Panics
//!
//! Everything here panics on expressions that no fake has needed yet.

use serde_json::{Value, json};

use crate::{Answer, reply};

/// The response to a write whose condition does not hold, with the existing item if that was requested.
pub fn refused(write: &Value, item: Option<&Value>) -> Answer {
    let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let mut refusal = json!({"__type": kind, "message": "no"});
    if let (true, Some(item)) = (write["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD", item) {
        refusal["Item"] = item.clone();
    }
    reply(400, refusal)
}

/// The writes of a transaction: `Put`, `Update` …, each with its content.
pub fn writes(transaction: &Value) -> Vec<(&str, &Value)> {
    assert!(transaction["ClientRequestToken"].is_string(), "a retry must be recognizable");
    let items = transaction["TransactItems"].as_array().unwrap().iter();
    items
        .map(|item| item.as_object().unwrap().iter().next().map(|(verb, write)| (verb.as_str(), write)).unwrap())
        .collect()
}

/// The response to a transaction if the conditions of some of its writes do not hold.
pub fn cancelled(held: &[bool]) -> Option<Answer> {
    let code = |held: &bool| json!({"Code": if *held { "None" } else { "ConditionalCheckFailed" }});
    let reasons: Vec<Value> = held.iter().map(code).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let refusal = json!({"__type": kind, "CancellationReasons": reasons, "Message": "canceled"});
    held.contains(&false).then(|| reply(400, refusal))
}

/// The attribute that a placeholder of a request stands for.
pub fn attribute(write: &Value, placeholder: &str) -> String {
    let name = write["ExpressionAttributeNames"][placeholder].as_str();
    name.unwrap_or_else(|| panic!("{placeholder} is not a placeholder of {write}")).to_owned()
}

/// Whether the condition of a write, if it has one, holds for the existing item: terms with `AND`, `OR`, and a group in
/// parentheses at the end.
pub fn holds(write: &Value, item: Option<&Value>) -> bool {
    let Some(condition) = write["ConditionExpression"].as_str() else { return true };
    // Every placeholder must be used, or DynamoDB rejects the write.
    let expressions = format!("{condition} {}", write["UpdateExpression"].as_str().unwrap_or_default());
    for list in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        for placeholder in write[list].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(expressions.contains(placeholder.as_str()), "{placeholder} is not used in {expressions}");
        }
    }
    all(condition, write, item)
}

fn all(condition: &str, write: &Value, item: Option<&Value>) -> bool {
    if let Some((before, group)) = condition.split_once(" AND (") {
        return all(before, write, item) && all(group.trim_end_matches(')'), write, item) || unbalanced(group);
    }
    condition.split(" OR ").any(|terms| terms.split(" AND ").all(|term| term_holds(term.trim(), write, item)))
}

fn unbalanced(group: &str) -> bool {
    assert!(group.ends_with(')'), "the fake only knows a group at the end");
    false
}

fn term_holds(term: &str, write: &Value, item: Option<&Value>) -> bool {
    let found = |placeholder: &str| item.and_then(|item| item.get(attribute(write, placeholder)));
    let value = |placeholder: &str| &write["ExpressionAttributeValues"][placeholder];
    if let Some(rest) = term.strip_prefix("attribute_not_exists(") {
        return found(rest.trim_end_matches(')')).is_none();
    }
    if let Some(rest) = term.strip_prefix("attribute_exists(") {
        return found(rest.trim_end_matches(')')).is_some();
    }
    if let Some((name, list)) = term.split_once(" IN (") {
        return list.trim_end_matches(')').split(", ").any(|one| found(name) == Some(value(one)));
    }
    let [name, sign, other] = term.split(' ').collect::<Vec<_>>()[..] else {
        panic!("the fake does not know `{term}`")
    };
    let Some(found) = found(name) else { return false };
    let number = |value: &Value| value["N"].as_str().unwrap().parse::<i128>().unwrap();
    match sign {
        "=" => found == value(other),
        "<=" => number(found) <= number(value(other)),
        "<" => number(found) < number(value(other)),
        ">" => number(found) > number(value(other)),
        _ => panic!("the fake does not know `{term}`"),
    }
}

/// Applies the update expression of a write to an item.
pub fn update(write: &Value, item: &mut Value) {
    let expression = format!(" {}", write["UpdateExpression"].as_str().unwrap());
    let (sets, removes) = expression.split_once(" REMOVE ").unwrap_or((&expression, ""));
    let sets = sets.trim_start_matches(" SET ").trim().to_owned();
    let old = item.clone();
    for set in sets.split(", #").filter(|set| !set.is_empty()) {
        let (name, value) = set.split_once(" = ").unwrap();
        let name = attribute(write, &format!("#{}", name.trim_start_matches('#')));
        item[name] = evaluated(value, write, &old);
    }
    for remove in removes.split(", ").filter(|part| !part.is_empty()) {
        item.as_object_mut().unwrap().remove(&attribute(write, remove));
    }
}

fn evaluated(value: &str, write: &Value, old: &Value) -> Value {
    let values = &write["ExpressionAttributeValues"];
    if let Some((left, right)) = value.split_once(" + ") {
        let number = |value: &Value| value["N"].as_str().unwrap().parse::<i64>().unwrap();
        let sum = number(&evaluated(left, write, old)) + number(&evaluated(right, write, old));
        return json!({"N": sum.to_string()});
    }
    if let Some(rest) = value.strip_prefix("if_not_exists(") {
        let (name, other) = rest.trim_end_matches(')').split_once(", ").unwrap();
        return old.get(attribute(write, name)).unwrap_or(&values[other]).clone();
    }
    values.get(value).unwrap_or_else(|| panic!("the fake does not know `{value}`")).clone()
}
