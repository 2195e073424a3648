//! A DynamoDB with one table, as far as the query app uses it.

use std::collections::{BTreeMap, VecDeque};

use loopback::dynamo::{attribute, cancelled, holds, refused, update, writes};
use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

pub(crate) const TABLE: &str = "requests";

#[derive(Default)]
pub(crate) struct Dynamo {
    /// Items by `id` and `part`.
    pub(crate) items: BTreeMap<(String, String), Value>,
    pub(crate) calls: Vec<String>,
    /// What happens instead of the work, by operation, one per call.
    pub(crate) faults: BTreeMap<&'static str, VecDeque<Fault>>,
    /// Items per page.
    pub(crate) page: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Works,
    Denies,
    /// Conflicts with another transaction.
    Conflicts,
    /// Does the work, then closes the connection.
    LosesAnswer,
}

impl Dynamo {
    /// Answers a request if it is one to DynamoDB.
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
                assert_eq!(body["ConsistentRead"], true, "a single item is read consistently");
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
            return refused(body, old.as_ref());
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
        let writes = writes(body);
        let holds = |(verb, write): &(&str, &Value)| {
            let place = key(if *verb == "Put" { &write["Item"] } else { &write["Key"] });
            holds(write, self.items.get(&place))
        };
        if let Some(refusal) = cancelled(&writes.iter().map(holds).collect::<Vec<_>>()) {
            return refusal;
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
        let (condition, range) =
            match body["KeyConditionExpression"].as_str().unwrap().split_once(" AND #part BETWEEN ") {
                Some((condition, range)) => (condition, Some(range.split_once(" AND ").unwrap())),
                None => (body["KeyConditionExpression"].as_str().unwrap(), None),
            };
        let (name, value) = condition.split_once(" = ").unwrap();
        let (name, value) = (attribute(body, name), &body["ExpressionAttributeValues"][value]);
        assert_eq!(name, if is_index { "open" } else { "id" }, "only keys are queried");
        assert_eq!(
            body["ConsistentRead"] == true,
            !is_index,
            "an index is never read consistently, a partition always"
        );
        let order = |item: &Value| {
            let since = item["since"]["N"].as_str().map_or(0, |text| text.parse::<u64>().unwrap());
            (if is_index { since } else { 0 }, key(item))
        };
        let mut items: Vec<Value> =
            self.items.values().filter(|item| item.get(&name) == Some(value)).cloned().collect();
        items.sort_by_key(order);
        if let Some((from, to)) = range {
            let bound = |name: &str| body["ExpressionAttributeValues"][name]["S"].as_str().unwrap().to_owned();
            items.retain(|item| (bound(from)..=bound(to)).contains(&key(item).1));
        }
        if body["ScanIndexForward"] == false {
            items.reverse();
        }
        if body["ExclusiveStartKey"].is_object() {
            let start = order(&body["ExclusiveStartKey"]);
            items.retain(|item| order(item) > start);
        }
        let asked = body["Limit"].as_u64().map_or(100, |limit| limit as usize);
        let limit = if self.page == 0 { asked } else { self.page };
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
