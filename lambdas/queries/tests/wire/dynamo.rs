//! A DynamoDB of one table, as far as the query app uses it.

use std::collections::{BTreeMap, VecDeque};

use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

pub(crate) const TABLE: &str = "requests";

#[derive(Default)]
pub(crate) struct Dynamo {
    /// Items by `id` and `part`.
    pub(crate) items: BTreeMap<(String, String), Value>,
    pub(crate) calls: Vec<String>,
    /// What is done instead of the work, by operation, one a call.
    pub(crate) faults: BTreeMap<&'static str, VecDeque<Fault>>,
    /// Items of a page.
    pub(crate) page: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Works,
    Denies,
    /// Meets another transaction.
    Conflicts,
    /// Does its work and closes the connection.
    LosesAnswer,
}

impl Dynamo {
    /// Answers a request, when it is one to DynamoDB.
    pub(crate) fn answer(&mut self, request: &Request) -> Option<Answer> {
        let operation = request.header("x-amz-target").strip_prefix("DynamoDB_20120810.")?.to_owned();
        let body: Value = serde_json::from_str(&request.body).unwrap();
        self.calls.push(operation.clone());
        let fault = self.faults.get_mut(operation.as_str()).and_then(VecDeque::pop_front).unwrap_or(Fault::Works);
        if let Fault::Denies = fault {
            let refusal = json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "canary-arn"});
            return Some(reply(400, refusal));
        }
        if let Fault::Conflicts = fault {
            let reasons = json!([{"Code": "None"}, {"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]);
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return Some(reply(400, json!({"__type": kind, "CancellationReasons": reasons, "Message": "canceled"})));
        }
        let answer = match operation.as_str() {
            "GetItem" => {
                assert_eq!(body["ConsistentRead"], true, "a single item is read as of now");
                let item = self.items.get(&key(&body["Key"]));
                reply(200, item.map_or(json!({}), |item| json!({"Item": item})))
            }
            "PutItem" | "DeleteItem" | "UpdateItem" => self.write(&operation, &body),
            "TransactWriteItems" => self.transact(&body),
            "Query" => self.query(&body),
            other => panic!("the fake does not know {other}"),
        };
        Some(if let Fault::LosesAnswer = fault { Answer::HangUp } else { answer })
    }

    /// An attribute of an item, `null` without it.
    pub(crate) fn attribute(&self, id: &str, part: &str, name: &str) -> Value {
        let item = self.items.get(&(id.to_owned(), part.to_owned()));
        let typed = item.and_then(|item| item[name].as_object());
        typed.and_then(|typed| typed.values().next()).cloned().unwrap_or_default()
    }

    fn write(&mut self, operation: &str, body: &Value) -> Answer {
        assert_eq!(body["TableName"], TABLE);
        let place = key(if operation == "PutItem" { &body["Item"] } else { &body["Key"] });
        let old = self.items.get(&place).cloned();
        if !holds(body, old.as_ref()) {
            let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            let mut failure = json!({"__type": kind, "message": "no"});
            if let ("ALL_OLD", Some(old)) =
                (body["ReturnValuesOnConditionCheckFailure"].as_str().unwrap_or_default(), old)
            {
                failure["Item"] = old;
            }
            return reply(400, failure);
        }
        self.apply(operation.trim_end_matches("Item"), body);
        let shown = match body["ReturnValues"].as_str() {
            Some("ALL_NEW") => self.items.get(&place).cloned(),
            Some("ALL_OLD") => old,
            _ => None,
        };
        reply(200, shown.map_or(json!({}), |item| json!({"Attributes": item})))
    }

    fn transact(&mut self, body: &Value) -> Answer {
        assert!(body["ClientRequestToken"].is_string(), "a retry has to be recognised");
        let writes: Vec<(&String, &Value)> = body["TransactItems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_object().unwrap().iter().next().unwrap())
            .collect();
        let held: Vec<bool> = writes
            .iter()
            .map(|(verb, write)| {
                let place = key(if *verb == "Put" { &write["Item"] } else { &write["Key"] });
                holds(write, self.items.get(&place))
            })
            .collect();
        if held.contains(&false) {
            let code = |held: &bool| json!({"Code": if *held { "None" } else { "ConditionalCheckFailed" }});
            let reasons: Vec<Value> = held.iter().map(code).collect();
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return reply(400, json!({"__type": kind, "CancellationReasons": reasons, "Message": "canceled"}));
        }
        for (verb, write) in writes {
            self.apply(verb, write);
        }
        reply(200, json!({}))
    }

    fn apply(&mut self, verb: &str, write: &Value) {
        match verb {
            "Put" => drop(self.items.insert(key(&write["Item"]), write["Item"].clone())),
            "Delete" => drop(self.items.remove(&key(&write["Key"]))),
            "Update" => update(write, self.items.entry(key(&write["Key"])).or_insert_with(|| write["Key"].clone())),
            "ConditionCheck" => {}
            other => panic!("the fake does not know {other}"),
        }
    }

    fn query(&mut self, body: &Value) -> Answer {
        let is_index = body["IndexName"] == "open";
        let (name, value) = body["KeyConditionExpression"].as_str().unwrap().split_once(" = ").unwrap();
        let (name, value) = (attribute(body, name), &body["ExpressionAttributeValues"][value]);
        assert_eq!(name, if is_index { "open" } else { "id" }, "only keys are queried");
        assert_eq!(body["ConsistentRead"] == true, !is_index, "an index is never as of now, a partition is read so");
        let order = |item: &Value| {
            let since = item["since"]["N"].as_str().map_or(0, |text| text.parse::<u64>().unwrap());
            (if is_index { since } else { 0 }, key(item))
        };
        let mut items: Vec<Value> =
            self.items.values().filter(|item| item.get(&name) == Some(value)).cloned().collect();
        items.sort_by_key(order);
        if body["ExclusiveStartKey"].is_object() {
            let start = order(&body["ExclusiveStartKey"]);
            items.retain(|item| order(item) > start);
        }
        let limit = if self.page == 0 { 100 } else { self.page };
        let has_more = items.len() > limit;
        items.truncate(limit);
        let mut answer = json!({"Items": items, "Count": items.len()});
        if has_more {
            let last = items.last().unwrap();
            answer["LastEvaluatedKey"] = json!({"id": last["id"], "part": last["part"]});
            if is_index {
                answer["LastEvaluatedKey"]["open"] = last["open"].clone();
                answer["LastEvaluatedKey"]["since"] = last["since"].clone();
            }
        }
        reply(200, answer)
    }
}

fn key(item: &Value) -> (String, String) {
    let text = |name: &str| item[name]["S"].as_str().expect("an item has its key").to_owned();
    (text("id"), text("part"))
}

fn attribute(write: &Value, placeholder: &str) -> String {
    let name = write["ExpressionAttributeNames"][placeholder].as_str();
    name.unwrap_or_else(|| panic!("{placeholder} is no placeholder of {write}")).to_owned()
}

/// Whether a condition holds: terms with `AND`, `OR` and one level of parentheses.
fn holds(write: &Value, item: Option<&Value>) -> bool {
    let Some(condition) = write["ConditionExpression"].as_str() else { return true };
    // Every placeholder has to be used, or DynamoDB refuses the write.
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
    assert!(group.ends_with(')'), "the fake knows a group at the end only");
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
        "<" => number(found) < number(value(other)),
        ">" => number(found) > number(value(other)),
        _ => panic!("the fake does not know `{term}`"),
    }
}

fn update(write: &Value, item: &mut Value) {
    let expression = format!(" {}", write["UpdateExpression"].as_str().unwrap());
    let (sets, removes) = expression.split_once(" REMOVE ").unwrap_or((&expression, ""));
    let sets = sets.trim_start_matches(" SET ").trim().to_owned();
    let old = item.clone();
    for set in sets.split(", #").filter(|set| !set.is_empty()) {
        let (name, value) = set.split_once(" = ").unwrap();
        let name = attribute(write, &format!("#{}", name.trim_start_matches('#')));
        item[name] = evaluated(value, write, &old);
    }
    for remove in removes.split(", ").filter(|it| !it.is_empty()) {
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
