//! CloudFormation's event: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.

use serde_json::Value;

/// One event, read so leniently that what is wrong with it can still be answered.
#[derive(Debug)]
pub struct Request {
    /// What is to be done, or why that is not known.
    pub kind: Result<Kind, String>,
    /// The event's own id; an event that is delivered again has the same.
    pub request_id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// What the last answer called it; of an Update or Delete.
    pub physical_id: Option<String>,
    /// What the template says; CloudFormation makes texts of numbers and booleans.
    pub properties: Value,
    /// What the template said before; of an Update.
    pub old_properties: Value,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Make it.
    Create,
    /// Make of it what the properties now say.
    Update,
    /// Take it away.
    Delete,
}

impl Request {
    pub(crate) fn read(event: &Value) -> Request {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let kind = match event["RequestType"].as_str() {
            Some("Create") => Ok(Kind::Create),
            Some("Update") => Ok(Kind::Update),
            Some("Delete") => Ok(Kind::Delete),
            other => Err(format!(
                "the request type is {}; allowed are Create, Update and Delete",
                other.unwrap_or("missing")
            )),
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

    /// The stack's name, out of `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`.
    pub fn stack_name(&self) -> &str {
        self.stack_id.split('/').nth(1).unwrap_or("no-stack")
    }

    /// The id of what a failed Create has not made; its Delete is to touch nothing.
    pub fn not_made(&self) -> String {
        format!("{}/{}/not-made", self.stack_name(), self.logical_id)
    }
}
