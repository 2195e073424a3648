//! The services that speak JSON: the sizes of resources, and DynamoDB with the only table that the deployer itself writes to.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::fake_aws::Fake;

/// Items of the slot table, by key.
pub(crate) type Items = BTreeMap<String, Value>;

/// An item of the slot table.
pub(crate) fn item(key: &str, tenant: &str) -> (String, Value) {
    (key.to_owned(), json!({ "slot": { "S": key }, "tenant": { "S": tenant }, "since": { "N": "1" } }))
}

pub(crate) fn answer(fake: &mut Fake, target: &str, body: &[u8]) -> Response {
    let operation = target.split('.').nth(1).unwrap();
    let question: Value = serde_json::from_slice(body).unwrap();
    fake.calls.push(operation.to_owned());
    match operation {
        operation if fake.refused_json.contains(&operation) => refusal("AccessDeniedException"),
        "Scan" => scan(fake, &question),
        "GetResources" => reply(200, &tagged(fake)),
        "GetResourceRequestStatus" => reply(200, &json!({ "ProgressEvent": { "OperationStatus": "SUCCESS" } })),
        "GetResource" | "DeleteResource" => cloud_control(fake, operation, &question),
        "DeleteItem" => delete(fake, &question),
        operation => match fake.described.get(operation) {
            Some(described) => reply(200, described),
            None => refusal("AccessDeniedException"),
        },
    }
}

/// Resources by tags. Real filters are left to the tests of rollbacks.
fn tagged(fake: &Fake) -> Value {
    let list = fake.tagged.iter().map(|(arn, tags)| {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        json!({ "ResourceARN": arn, "Tags": tags })
    });
    json!({ "ResourceTagMappingList": list.collect::<Vec<_>>() })
}

/// Cloud Control, which deletes at the second look.
fn cloud_control(fake: &mut Fake, operation: &str, question: &Value) -> Response {
    let found = json!([question["TypeName"], question["Identifier"]]);
    let Some(at) = fake.outside.iter().position(|(kind, id)| json!([kind, id]) == found) else {
        return refusal("ResourceNotFoundException");
    };
    if operation == "GetResource" {
        return reply(200, &json!({ "ResourceDescription": { "Properties": "{}" } }));
    }
    fake.outside.remove(at);
    reply(200, &json!({ "ProgressEvent": { "OperationStatus": "IN_PROGRESS", "RequestToken": "1" } }))
}

/// Two items per page.
fn scan(fake: &Fake, question: &Value) -> Response {
    assert_eq!((&question["TableName"], &question["ConsistentRead"]), (&json!("slots"), &json!(true)));
    let after = question["ExclusiveStartKey"]["slot"]["S"].as_str().unwrap_or_default();
    let left: Vec<_> = fake.slots.iter().filter(|(key, _)| key.as_str() > after).collect();
    let page = &left[..left.len().min(2)];
    let mut answer = json!({ "Items": page.iter().map(|(_, item)| item).collect::<Vec<_>>() });
    if page.len() < left.len() {
        answer["LastEvaluatedKey"] = json!({ "slot": { "S": page[1].0 } });
    }
    reply(200, &answer)
}

fn delete(fake: &mut Fake, question: &Value) -> Response {
    let meanwhile = std::mem::take(&mut fake.taken_meanwhile);
    fake.slots.extend(meanwhile);
    let key = question["Key"]["slot"]["S"].as_str().unwrap();
    if let Some(condition) = question["ConditionExpression"].as_str() {
        assert_eq!(condition, "tenant = :tenant");
        let wanted = &question["ExpressionAttributeValues"][":tenant"];
        if fake.slots.get(key).map(|item| &item["tenant"]) != Some(wanted) {
            return refusal("ConditionalCheckFailedException");
        }
    }
    fake.slots.remove(key);
    reply(200, &json!({}))
}

fn refusal(code: &str) -> Response {
    reply(400, &json!({ "__type": format!("com.amazonaws.service#{code}"), "message": "the fake was told to refuse" }))
}

fn reply(status: u16, body: &Value) -> Response {
    let kind = [("content-type", "application/x-amz-json-1.0")];
    (StatusCode::from_u16(status).unwrap(), kind, body.to_string()).into_response()
}
