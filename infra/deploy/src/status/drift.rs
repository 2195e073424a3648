//! What was changed by hand: CloudFormation compares each resource with the template that it was deployed from.

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{StackDriftDetectionStatus, StackResourceDriftStatus};

use crate::aws::pauses::Pauses;
use crate::aws::sdk_error::from_sdk;
use crate::{Error, Target};

/// The resources of the stack that are no longer as deployed, for example `Claims MODIFIED`, by name. Types that CloudFormation cannot
/// compare are not included.
pub(super) async fn drifted(target: &Target, stack: &str) -> Result<Vec<String>, Error> {
    let doing = format!("comparing the resources of {stack} with its template");
    let detect = target.cloudformation.detect_stack_drift().stack_name(stack);
    let started = target.lanes.changes.call(|| detect.clone().send()).await;
    // A comparison that somebody else started would do, but only they know its ID.
    let started = match started {
        Err(error) if error.message().is_some_and(|text| text.contains("already in progress")) => {
            return Err(Error::Failed(format!("{doing} is already under way; try again in a minute")));
        }
        started => started.map_err(|error| from_sdk(&doing, error))?,
    };
    let id = started.stack_drift_detection_id.unwrap_or_default();
    let mut pauses = Pauses::new();
    loop {
        let look = target.cloudformation.describe_stack_drift_detection_status().stack_drift_detection_id(&id);
        let state = target.lanes.looks.call(|| look.clone().send()).await.map_err(|error| from_sdk(&doing, error))?;
        match state.detection_status() {
            Some(StackDriftDetectionStatus::DetectionInProgress) | None => pauses.wait(&doing).await?,
            Some(StackDriftDetectionStatus::DetectionComplete) => break,
            Some(_) => {
                let reason = state.detection_status_reason().unwrap_or("CloudFormation gave no reason");
                return Err(Error::Failed(format!("{doing} failed: {reason}")));
            }
        }
    }
    let mut drifted = Vec::new();
    let mut next = None;
    loop {
        let list = target
            .cloudformation
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
            .set_next_token(next);
        let page = target.lanes.looks.call(|| list.clone().send()).await.map_err(|error| from_sdk(&doing, error))?;
        for drift in page.stack_resource_drifts() {
            let status = drift.stack_resource_drift_status().map_or("", StackResourceDriftStatus::as_str);
            drifted.push(format!("{} {status}", drift.logical_resource_id().unwrap_or_default()));
        }
        next = page.next_token;
        if next.is_none() {
            drifted.sort();
            return Ok(drifted);
        }
    }
}
