//! What a tenant holds of the account's QuickSight slots: slots, which no other tenant can take until they are returned, and the tenant's
//! place in the line for them. Both are items of a table of the platform, which all tenants share.

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::aws::json::{CallError, DYNAMODB};
use crate::aws::platform;
use crate::aws::sdk_error::from_sdk;
use crate::{Error, Target};

/// What the tenant holds.
pub(super) struct HeldSlots {
    pub(super) table: String,
    /// `slot#2`, and `waiting#<tenant>`.
    pub(super) keys: Vec<String>,
}

/// What the tenant holds; `None` if it holds nothing, or there is no table of slots.
pub(super) async fn held(target: &Target, tenant: &str) -> Result<Option<HeldSlots>, Error> {
    let Some(table) = platform::slot_table(target).await? else { return Ok(None) };
    let mut keys = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut question = json!({ "TableName": table, "ConsistentRead": true });
        if !after.is_null() {
            question["ExclusiveStartKey"] = after;
        }
        let page = target.lanes.looks.call_to("DynamoDB", || target.json.call(&DYNAMODB, "Scan", &question)).await;
        let mut page = page.map_err(|error| from_sdk(&format!("looking for QuickSight slots in {table}"), error))?;
        let items = page["Items"].as_array().into_iter().flatten();
        keys.extend(items.filter_map(|item| key_of(item, tenant)));
        after = page["LastEvaluatedKey"].take();
        if after.is_null() {
            keys.sort();
            return Ok((!keys.is_empty()).then_some(HeldSlots { table, keys }));
        }
    }
}

/// The item's key, if the item belongs to the tenant.
fn key_of(item: &Value, tenant: &str) -> Option<String> {
    let key = item["slot"]["S"].as_str()?;
    let own = match key.strip_prefix(WAITING) {
        Some(who) => who == tenant,
        None => item["tenant"]["S"] == tenant,
    };
    own.then(|| key.to_owned())
}

/// Returns everything that still belongs to the tenant.
pub(super) async fn give_back(target: &Target, held: &HeldSlots, tenant: &str) -> Result<(), Error> {
    for key in &held.keys {
        let mut question = json!({ "TableName": held.table, "Key": { "slot": { "S": key } } });
        if !key.starts_with(WAITING) {
            question["ConditionExpression"] = json!("tenant = :tenant");
            question["ExpressionAttributeValues"] = json!({ ":tenant": { "S": tenant } });
        }
        match target.lanes.changes.call_to("DynamoDB", || target.json.call(&DYNAMODB, "DeleteItem", &question)).await {
            Err(error) if !is_taken(&error) => return Err(from_sdk(&format!("returning {key}"), error)),
            _ => {}
        }
    }
    Ok(())
}

fn is_taken(error: &CallError) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

/// The start of the key of a place in the line, before the tenant.
const WAITING: &str = "waiting#";
