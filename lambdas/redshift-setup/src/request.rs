//! CloudFormation's event: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.

use serde_json::Value;

/// One event, read so leniently that what is wrong with it can still be answered.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) kind: Result<Kind, String>,
    pub(crate) request_id: String,
    pub(crate) stack_id: String,
    pub(crate) logical_id: String,
    /// Of an Update or Delete.
    pub(crate) physical_id: Option<String>,
    pub(crate) properties: Value,
    pub(crate) old_properties: Value,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Update,
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
    pub(crate) fn stack_name(&self) -> &str {
        self.stack_id.split('/').nth(1).unwrap_or("no-stack")
    }
}
