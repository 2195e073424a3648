//! Deletes resources of any type outside their stacks. Cloud Control has one interface for all types, so no type needs code here.
//! <https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-delete.html>

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::aws::json::{CLOUD_CONTROL, CallError};
use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::{Error, Target};

/// Deletes the resource and waits until it is gone. One that does not exist is not an error.
pub(crate) async fn delete(target: &Target, kind: &str, id: &str) -> Result<(), Error> {
    let doing = format!("deleting {id}");
    let token = target.token(&format!("{kind}/{id}/delete"));
    let mut question = json!({ "TypeName": kind, "Identifier": id, "ClientToken": token });
    let mut operation = "DeleteResource";
    let mut pauses = Pauses::new();
    loop {
        let lane = if operation == "DeleteResource" { &target.lanes.changes } else { &target.lanes.looks };
        let answer = lane.call_to("Cloud Control", || target.json.call(&CLOUD_CONTROL, operation, &question)).await;
        let event = match answer {
            Err(error) if is_absent(&error) => return Ok(()),
            answer => answer.map_err(|error| from_sdk(&doing, error))?["ProgressEvent"].take(),
        };
        match event["OperationStatus"].as_str() {
            Some("SUCCESS") => return Ok(()),
            Some("PENDING" | "IN_PROGRESS") => pauses.wait(&format!("the deletion of {id}")).await?,
            _ if event["ErrorCode"] == "NotFound" => return Ok(()),
            status => {
                let reason = event["StatusMessage"].as_str().or(status).unwrap_or("no reason was given");
                return Err(Error::Failed(format!("{doing} failed: {reason}")));
            }
        }
        question = json!({ "RequestToken": event["RequestToken"] });
        operation = "GetResourceRequestStatus";
    }
}

/// Whether the resource exists.
pub(crate) async fn exists(target: &Target, kind: &str, id: &str) -> Result<bool, Error> {
    Ok(properties(target, kind, id).await?.is_some())
}

/// The identifier of the resource of this type that has this ARN, for types whose identifier is not part of it.
pub(crate) async fn with_arn(target: &Target, kind: &str, arn: &str) -> Result<Option<String>, Error> {
    let mut question = json!({ "TypeName": kind });
    loop {
        let page = call(target, "ListResources", &question).await;
        let mut page = page.map_err(|error| from_sdk(&format!("looking for {arn}"), error))?;
        for found in page["ResourceDescriptions"].as_array().into_iter().flatten() {
            let id = found["Identifier"].as_str().unwrap_or_default();
            if properties(target, kind, id).await?.is_some_and(|properties| properties.contains(arn)) {
                return Ok(Some(id.to_owned()));
            }
        }
        question["NextToken"] = page["NextToken"].take();
        if question["NextToken"].is_null() {
            return Ok(None);
        }
    }
}

/// The resource's properties as JSON; `None` if it does not exist.
async fn properties(target: &Target, kind: &str, id: &str) -> Result<Option<String>, Error> {
    match call(target, "GetResource", &json!({ "TypeName": kind, "Identifier": id })).await {
        Ok(answer) => Ok(answer["ResourceDescription"]["Properties"].as_str().map(str::to_owned)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(from_sdk(&format!("looking at {id}"), error)),
    }
}

async fn call(target: &Target, operation: &str, question: &Value) -> Result<Value, CallError> {
    target.lanes.looks.call_to("Cloud Control", || target.json.call(&CLOUD_CONTROL, operation, question)).await
}

fn is_absent(error: &CallError) -> bool {
    error.code() == Some("ResourceNotFoundException")
}
