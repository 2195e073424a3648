//! Tables: keys and their definitions, and how they are paid for.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>

use std::collections::BTreeSet;

use cfn::{Finding, Json, Template};

use super::{at, list, of_type};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in of_type(template, "AWS::DynamoDB::Table") {
        let messages = [definitions(&entry.properties), billing(&entry.properties)].into_iter().flatten();
        findings.extend(messages.map(|message| at(id, entry, message)));
    }
    findings
}

/// The attributes that are defined are those of the keys.
fn definitions(table: &Json) -> Option<String> {
    let names = |attributes: &Json| -> BTreeSet<String> {
        let names = list(attributes).iter().filter_map(|attribute| attribute["AttributeName"].as_str());
        names.map(str::to_owned).collect()
    };
    let defined = names(&table["AttributeDefinitions"]);
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].into_iter().flat_map(|name| list(&table[name]));
    let mut keys = names(&table["KeySchema"]);
    keys.extend(indexes.flat_map(|index| names(&index["KeySchema"])));
    if keys.is_empty() || defined == keys {
        return None;
    }
    let and = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    Some(format!("defines the attributes {}, but its keys are {}; define exactly the keys", and(defined), and(keys)))
}

fn billing(table: &Json) -> Option<String> {
    let throughput = &table["ProvisionedThroughput"];
    match table["BillingMode"].as_str() {
        Some("PAY_PER_REQUEST") if !throughput.is_null() => {
            Some("is billed per request and has a ProvisionedThroughput; remove it".to_owned())
        }
        None | Some("PROVISIONED") if throughput.is_null() && !table["BillingMode"].is_object() => {
            Some("has no ProvisionedThroughput; set it, or the BillingMode PAY_PER_REQUEST".to_owned())
        }
        _ => None,
    }
}
