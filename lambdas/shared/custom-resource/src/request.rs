//! CloudFormation's event: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.

use serde_json::Value;

/// One event, read so leniently that even a malformed event can be answered.
#[derive(Debug)]
pub struct Request {
    /// What is requested, or why that is unknown.
    pub kind: Result<Kind, String>,
    /// The event's own ID; an event that is delivered again has the same one.
    pub request_id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// The physical ID in the last answer; for an Update or Delete.
    pub physical_id: Option<String>,
    /// The properties in the template; CloudFormation turns numbers and booleans into text.
    pub properties: Value,
    /// The previous properties; for an Update.
    pub old_properties: Value,
}

/// What is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Create the resource.
    Create,
    /// Change the resource to match its properties.
    Update,
    /// Delete the resource.
    Delete,
}

impl Request {
    pub(crate) fn read(event: &Value) -> Request {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let kind = match event["RequestType"].as_str() {
            Some("Create") => Ok(Kind::Create),
            Some("Update") => Ok(Kind::Update),
            Some("Delete") => Ok(Kind::Delete),
            other => {
                Err(format!("the request type is {}; must be Create, Update or Delete", other.unwrap_or("missing")))
            }
        };
        Request {
            kind,
            request_id: text("RequestId"),
            stack_id: text("StackId"),
            logical_id: text("LogicalResourceId"),
            physical_id: event["PhysicalResourceId"].as_str().map(str::to_owned),
            properties: event["ResourceProperties"].clone(),
            old_properties: event["OldResourceProperties"].clone(),
        }
    }

    /// The stack's name, from `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`.
    pub fn stack_name(&self) -> &str {
        self.stack_id.split('/').nth(1).unwrap_or("no-stack")
    }

    /// The ID after a failed Create; a Delete of it touches nothing.
    pub fn not_made(&self) -> String {
        format!("{}/{}/not-made", self.stack_name(), self.logical_id)
    }
}
