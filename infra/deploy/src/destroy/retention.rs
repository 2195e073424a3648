//! `destroy --with-data`: makes the deletion of a stack include the data that the stack would retain.
//!
//! CloudFormation itself deletes the retained tables, secrets, queues and so on: the stack is first updated to a template that retains
//! none of them. So no type of resource needs code here, except buckets, which must be empty before they can be deleted. Each step can be
//! repeated after an interruption.

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, StackStatus};
use serde_json::{Value, json};

use crate::aws::{assets, bucket};
use crate::cloudformation::live_stack::{self, LiveResource, LiveStack};
use crate::cloudformation::next_step::{NextStep, next_step};
use crate::cloudformation::ready::state_of;
use crate::cloudformation::request::{Purpose, Request};
use crate::cloudformation::version::RELEASED;
use crate::cloudformation::{change_set, events};
use crate::{Error, Progress, Target};

/// Prepares a stack so that deleting it leaves no data. Returns what will be left nevertheless, because the stack is in a state in which it
/// cannot be updated: the caller deletes that after the stack.
pub(crate) async fn release(
    target: &Target,
    live: &LiveStack,
    progress: &Progress,
) -> Result<Vec<LiveResource>, Error> {
    let released = live.stack.stack_status().is_some_and(|status| next_step(status) == NextStep::Update);
    if released {
        retain_no_data(target, live, progress).await?;
    }
    let (left, deleted): (Vec<_>, Vec<_>) = live
        .resources
        .iter()
        .filter(|resource| resource.is_deleted(true))
        .partition(|resource| resource.retained && !released);
    for resource in deleted.into_iter().filter(|resource| resource.kind == "AWS::S3::Bucket") {
        bucket::empty(target, &resource.physical_id, progress).await?;
    }
    Ok(left.into_iter().cloned().collect())
}

async fn retain_no_data(target: &Target, live: &LiveStack, progress: &Progress) -> Result<(), Error> {
    let name = live.stack.stack_name().unwrap_or_default();
    let Some(template) = without_retention(&live.template) else { return Ok(()) };
    progress.begin(format!("{name}: releasing what it retains"), 0);
    let unchanged = |key: &str| Parameter::builder().parameter_key(key).use_previous_value(true).build();
    let request = Request {
        stack: name,
        artifact: None,
        purpose: Purpose::Deploy,
        kind: ChangeSetType::Update,
        before: state_of(&live.stack),
        template: assets::template_source(target, &template.to_string(), "").await?,
        parameters: live
            .stack
            .parameters()
            .iter()
            .filter_map(|parameter| parameter.parameter_key())
            .map(unchanged)
            .collect(),
        tags: None,
        express: false,
        execution_role: None,
    };
    let Some(change_set) = change_set::create(target, request).await? else { return Ok(()) };
    let since = events::newest(target, &change_set.stack_id).await?;
    change_set::execute(target, &change_set, name).await?;
    let outcome = events::follow(target, &change_set.stack_id, since, None, progress).await?;
    match outcome.status {
        StackStatus::UpdateComplete => Ok(()),
        status => Err(Error::Failed(format!(
            "{name} still retains its data and was not deleted; the update ended as {}: {}",
            status.as_str(),
            outcome.failure.unwrap_or_default()
        ))),
    }
}

/// The template without retention policies and deletion protection of data; `None` if it has neither.
fn without_retention(template: &Value) -> Option<Value> {
    let protections = [
        ("AWS::DynamoDB::Table", "DeletionProtectionEnabled", json!(true), json!(false)),
        ("AWS::Cognito::UserPool", "DeletionProtection", json!("ACTIVE"), json!("INACTIVE")),
    ];
    let mut template = template.clone();
    let mut changed = false;
    for resource in template.get_mut("Resources")?.as_object_mut()?.values_mut() {
        if !live_stack::holds_data(resource["Type"].as_str().unwrap_or_default()) {
            continue;
        }
        if matches!(resource["DeletionPolicy"].as_str(), Some("Retain" | "RetainExceptOnCreate")) {
            resource["DeletionPolicy"] = json!("Delete");
            // To CloudFormation a new policy alone is not a change, but new metadata is.
            resource["Metadata"]["DeletedWithItsData"] = json!(true);
            changed = true;
        }
        for (kind, property, on, off) in &protections {
            if resource["Type"] == *kind && resource["Properties"][property] == *on {
                resource["Properties"][property] = off.clone();
                changed = true;
            }
        }
    }
    if changed {
        let description = template["Description"].as_str().unwrap_or_default();
        // CloudFormation allows 1,024 bytes.
        let description: String = format!("{RELEASED}{description}").chars().take(255).collect();
        template["Description"] = description.into();
    }
    changed.then_some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_retention_of_a_template_is_changed() {
        let template = json!({"Resources": {
            "Claims": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate",
                       "Properties": {"DeletionProtectionEnabled": true, "BillingMode": "PAY_PER_REQUEST"}},
            "Users": {"Type": "AWS::Cognito::UserPool", "Properties": {"DeletionProtection": "ACTIVE"}},
            "Ping": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 128}},
        }});
        let expected = json!({"Description": RELEASED, "Resources": {
            "Claims": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete", "Metadata": {"DeletedWithItsData": true},
                       "Properties": {"DeletionProtectionEnabled": false, "BillingMode": "PAY_PER_REQUEST"}},
            "Users": {"Type": "AWS::Cognito::UserPool", "Properties": {"DeletionProtection": "INACTIVE"}},
            "Ping": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 128}},
        }});
        assert_eq!(without_retention(&template), Some(expected.clone()));
        assert_eq!(without_retention(&expected), None, "a second run finds nothing to do");
    }
}
