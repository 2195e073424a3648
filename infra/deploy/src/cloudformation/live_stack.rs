//! A stack as it exists in CloudFormation: its template and its resources.

use aws_sdk_cloudformation::types::{ResourceStatus, Stack, StackStatus, TemplateStage};
use serde_json::Value;

use crate::assembly::SLOT_TABLE_PARAMETER;
use crate::aws::sdk_error::from_sdk;
use crate::cloudformation::events;
use crate::{Error, Target};

/// A stack that exists, with its template and its resources.
#[derive(Debug)]
pub(crate) struct LiveStack {
    pub(crate) stack: Stack,
    pub(crate) template: Value,
    pub(crate) resources: Vec<LiveResource>,
}

/// One resource of a stack.
#[derive(Debug, Clone)]
pub(crate) struct LiveResource {
    pub(crate) logical_id: String,
    pub(crate) physical_id: String,
    pub(crate) kind: String,
    /// Whether CloudFormation keeps it when the stack is deleted (`DeletionPolicy`).
    pub(crate) retained: bool,
}

impl LiveResource {
    /// Whether a teardown deletes it. What a stack retains although it holds no data serves others as well, and is always kept.
    pub(crate) fn is_deleted(&self, with_data: bool) -> bool {
        !self.retained || (with_data && holds_data(&self.kind))
    }
}

/// Whether deleting a resource of this type loses data.
pub(crate) fn holds_data(kind: &str) -> bool {
    aws::schema(kind).is_some_and(|schema| schema.stateful)
}

impl LiveStack {
    /// The resources that CloudFormation keeps, unless the operation that has created them is rolled back.
    pub(crate) fn retained_except_on_create(&self) -> impl Iterator<Item = &LiveResource> {
        let policy = |id: &str| &self.template["Resources"][id]["DeletionPolicy"];
        self.resources.iter().filter(move |resource| *policy(&resource.logical_id) == "RetainExceptOnCreate")
    }

    /// Whether the stack takes some of the account's QuickSight slots.
    pub(crate) fn takes_slots(&self) -> bool {
        !self.template["Parameters"][SLOT_TABLE_PARAMETER].is_null()
    }
}

/// The stack and its resources; `None` if it does not exist.
pub(crate) async fn read(target: &Target, name: &str) -> Result<Option<LiveStack>, Error> {
    let Some(stack) = events::settle(target, name).await? else { return Ok(None) };
    if stack.stack_status() == Some(&StackStatus::DeleteComplete) {
        return Ok(None);
    }
    let template = match stack.stack_status() {
        // No change set was ever executed, so there is no template yet.
        Some(StackStatus::ReviewInProgress) => Value::Null,
        _ => template_of(target, name).await?.ok_or_else(|| {
            Error::Refused(format!(
                "{name} was not deployed from a JSON template, so it is unknown what it retains; deploy it again first"
            ))
        })?,
    };
    let mut resources = Vec::new();
    let mut next = None;
    loop {
        let request = target.cloudformation.list_stack_resources().stack_name(name).set_next_token(next);
        let page = target.lanes.looks.call(|| request.clone().send()).await;
        let page = page.map_err(|error| from_sdk(&format!("listing the resources of {name}"), error))?;
        for summary in page.stack_resource_summaries.unwrap_or_default() {
            if summary.resource_status() == Some(&ResourceStatus::DeleteComplete) {
                continue;
            }
            let logical_id = summary.logical_resource_id.unwrap_or_default();
            let policy = template["Resources"][&logical_id]["DeletionPolicy"].as_str();
            resources.push(LiveResource {
                retained: matches!(policy, Some("Retain" | "RetainExceptOnCreate")),
                logical_id,
                physical_id: summary.physical_resource_id.unwrap_or_default(),
                kind: summary.resource_type.unwrap_or_default(),
            });
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(Some(LiveStack { stack, template, resources }));
        }
    }
}

/// The template that the stack was deployed from; `None` if it is not JSON.
pub(crate) async fn template_of(target: &Target, name: &str) -> Result<Option<Value>, Error> {
    let request = target.cloudformation.get_template().stack_name(name).template_stage(TemplateStage::Original);
    let answer = target.lanes.looks.call(|| request.clone().send()).await;
    let answer = answer.map_err(|error| from_sdk(&format!("reading the template of {name}"), error))?;
    Ok(serde_json::from_str(answer.template_body().unwrap_or_default()).ok())
}
