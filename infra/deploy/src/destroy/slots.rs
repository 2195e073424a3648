//! What a tenant holds of the account's QuickSight slots, in a table of the platform that all tenants share: slots, which no other tenant
//! can take before they are given back, and its place in the line for them. Who is gone gives nothing back.

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::aws::json::{DYNAMODB, Refusal};
use crate::aws::target;
use crate::error::from_sdk;
use crate::{Error, Target};

/// What the tenant holds.
pub(crate) struct Held {
    pub(crate) table: String,
    /// `slot#2`, and `waiting#<tenant>`.
    pub(crate) keys: Vec<String>,
}

/// What the tenant holds; `None` if nothing, or if there is no table of slots.
pub(crate) async fn held(target: &Target, tenant: &str) -> Result<Option<Held>, Error> {
    let Some(table) = target::slot_table(target).await? else { return Ok(None) };
    let mut keys = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut question = json!({ "TableName": table, "ConsistentRead": true });
        if !after.is_null() {
            question["ExclusiveStartKey"] = after;
        }
        let page = target.lanes.looks.call(|| target.json.call(&DYNAMODB, "Scan", &question)).await;
        let mut page = page.map_err(|error| from_sdk(&format!("looking for QuickSight slots in {table}"), error))?;
        let items = page["Items"].as_array().into_iter().flatten();
        keys.extend(items.filter_map(|item| key_of(item, tenant)));
        after = page["LastEvaluatedKey"].take();
        if after.is_null() {
            keys.sort();
            return Ok((!keys.is_empty()).then_some(Held { table, keys }));
        }
    }
}

/// The item's key, if the item is the tenant's.
fn key_of(item: &Value, tenant: &str) -> Option<String> {
    let key = item["slot"]["S"].as_str()?;
    let own = match key.strip_prefix(WAITING) {
        Some(who) => who == tenant,
        None => item["tenant"]["S"] == tenant,
    };
    own.then(|| key.to_owned())
}

/// Gives everything back, unless somebody else has it by now.
pub(crate) async fn give_back(target: &Target, held: &Held, tenant: &str) -> Result<(), Error> {
    for key in &held.keys {
        let mut question = json!({ "TableName": held.table, "Key": { "slot": { "S": key } } });
        if !key.starts_with(WAITING) {
            question["ConditionExpression"] = json!("tenant = :tenant");
            question["ExpressionAttributeValues"] = json!({ ":tenant": { "S": tenant } });
        }
        match target.lanes.changes.call(|| target.json.call(&DYNAMODB, "DeleteItem", &question)).await {
            Err(error) if !is_taken(&error) => return Err(from_sdk(&format!("giving back {key}"), error)),
            _ => {}
        }
    }
    Ok(())
}

fn is_taken(error: &Refusal) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

/// What the key of a place in the line begins with, before the tenant.
const WAITING: &str = "waiting#";
