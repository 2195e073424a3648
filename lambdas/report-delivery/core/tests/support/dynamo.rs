//! A DynamoDB of two tables over loopback, as far as report delivery uses it: the functions' wire tests share it by path.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use loopback::answers::Case;
use loopback::dynamo::{cancelled, holds, update, writes};
use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

pub(crate) const JOBS: &str = "jobs";
pub(crate) const SLOTS: &str = "slots";

#[derive(Default)]
pub(crate) struct Dynamo {
    pub(crate) jobs: BTreeMap<String, Value>,
    pub(crate) slots: BTreeMap<String, Value>,
    /// The operations and bodies, in order.
    pub(crate) calls: Vec<(String, Value)>,
    /// Items that left a table or an index.
    pub(crate) items_read: usize,
    /// What happens instead of the work, one per call.
    pub(crate) faults: VecDeque<Fault>,
    /// The answer to the next call of an operation, whatever the tables would answer.
    pub(crate) once: Option<(&'static str, Case)>,
    /// Tokens of the transactions that were carried out: the same token again has no further effect.
    tokens: BTreeSet<String>,
    /// Items a page, 100 when zero.
    pub(crate) page: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Works,
    Denies,
    /// Does the work, then closes the connection.
    LosesAnswer,
}

impl Dynamo {
    /// Answers a request if it is one to DynamoDB.
    pub(crate) fn answer(&mut self, request: &Request) -> Option<Answer> {
        let operation = request.header("x-amz-target").strip_prefix("DynamoDB_20120810.")?.to_owned();
        let body: Value = serde_json::from_str(&request.body).unwrap();
        self.calls.push((operation.clone(), body.clone()));
        let fault = self.faults.pop_front().unwrap_or(Fault::Works);
        if let Fault::Denies = fault {
            let refusal = json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "canary-arn"});
            return Some(reply(400, refusal));
        }
        let case = self.once.take_if(|(call, _)| *call == operation || writes_word(&body, call)).map(|(_, case)| case);
        if let Some(case) = case.as_ref().filter(|case| !case.takes_effect) {
            return Some(case.answer.clone());
        }
        let answer = match operation.as_str() {
            "GetItem" => self.get(&body),
            "TransactWriteItems" => self.transact(&body),
            "Query" | "Scan" => self.read(&body),
            other => panic!("the fake does not know {other}"),
        };
        Some(match (case, fault) {
            (Some(case), _) => case.answer,
            (None, Fault::LosesAnswer) => Answer::HangUp,
            (None, _) => answer,
        })
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|(called, _)| called == operation).count()
    }

    /// An attribute of a job, `null` without it.
    pub(crate) fn job(&self, id: &str, attribute: &str) -> Value {
        let item = self.jobs.get(id).unwrap_or(&Value::Null);
        let typed = item[attribute].as_object();
        typed.and_then(|typed| typed.values().next()).cloned().unwrap_or_default()
    }

    fn table(&mut self, name: &Value) -> &mut BTreeMap<String, Value> {
        match name.as_str() {
            Some(JOBS) => &mut self.jobs,
            Some(SLOTS) => &mut self.slots,
            other => panic!("there is no table {other:?}"),
        }
    }

    fn get(&mut self, body: &Value) -> Answer {
        assert_eq!(body["ConsistentRead"], true, "a single job is read as of now");
        self.items_read += 1;
        match self.table(&body["TableName"]).get(&name(&body["Key"])) {
            Some(item) if item["dashboardId"] == body["Key"]["dashboardId"] => reply(200, json!({"Item": item})),
            _ => reply(200, json!({})),
        }
    }

    fn transact(&mut self, body: &Value) -> Answer {
        let token = body["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
        if self.tokens.contains(&token) {
            return reply(200, json!({}));
        }
        let writes = writes(body);
        let held: Vec<bool> = writes
            .iter()
            .map(|(verb, write)| {
                let key = if *verb == "Put" { &write["Item"] } else { &write["Key"] };
                holds(write, self.table(&write["TableName"]).get(&name(key)))
            })
            .collect();
        if let Some(refusal) = cancelled(&held) {
            return refusal;
        }
        self.tokens.insert(token);
        for (verb, write) in writes {
            let key = if verb == "Put" { &write["Item"] } else { &write["Key"] };
            let name = name(key);
            let table = self.table(&write["TableName"]);
            match verb {
                "Put" => {
                    table.insert(name, write["Item"].clone());
                }
                "Delete" => {
                    table.remove(&name);
                }
                "Update" => {
                    let item = table.entry(name).or_insert_with(|| write["Key"].clone());
                    update(write, item);
                }
                other => panic!("the fake does not know {other}"),
            }
        }
        reply(200, json!({}))
    }

    fn read(&mut self, body: &Value) -> Answer {
        let index = body["IndexName"] == "open";
        let limit = body["Limit"].as_u64().map_or(100, |limit| limit as usize);
        let limit = if self.page == 0 { limit } else { limit.min(self.page) };
        let mut items: Vec<Value> = self.table(&body["TableName"]).values().cloned().collect();
        if let Some(condition) = body["KeyConditionExpression"].as_str() {
            let (attribute, value) = condition.split_once(" = ").unwrap();
            let attribute = body["ExpressionAttributeNames"][attribute].as_str().unwrap().to_owned();
            let value = &body["ExpressionAttributeValues"][value];
            assert_eq!(attribute, if index { "open" } else { "dashboardId" });
            items.retain(|item| item.get(&attribute) == Some(value));
        }
        let since = |item: &Value| item["since"]["N"].as_str().map_or(0, |text| text.parse::<u64>().unwrap());
        let place = |item: &Value| (if index { since(item) } else { 0 }, name(item));
        items.sort_by_key(place);
        if body["ExclusiveStartKey"].is_object() {
            // That item itself may have left the index meanwhile.
            let start = place(&body["ExclusiveStartKey"]);
            items.retain(|item| place(item) > start);
        }
        let more = items.len() > limit;
        items.truncate(limit);
        self.items_read += items.len();
        let mut answer = json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()});
        if more {
            let mut key = json!({});
            for attribute in ["dashboardId", "jobId", "slot", "open", "since"] {
                let of_key = !matches!(attribute, "open" | "since") || index;
                if let Some(value) = items.last().and_then(|item| item.get(attribute)).filter(|_| of_key) {
                    key[attribute] = value.clone();
                }
            }
            answer["LastEvaluatedKey"] = key;
        }
        reply(200, answer)
    }
}

/// Whether a transaction writes a text that begins with this word in capitals, such as `TRYING`.
fn writes_word(body: &Value, word: &str) -> bool {
    let begins = format!("\"{word} ");
    word.chars().all(|letter| letter.is_ascii_uppercase())
        && body["TransactItems"].as_array().into_iter().flatten().any(|item| item.to_string().contains(&begins))
}

/// What an item is filed under: its slot's or its job's name.
fn name(key: &Value) -> String {
    let text = |attribute: &str| key[attribute]["S"].as_str();
    text("jobId").or(text("slot")).expect("an item has its key").to_owned()
}
