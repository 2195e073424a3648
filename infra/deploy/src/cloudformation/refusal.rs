//! Why CloudFormation, or a hook of the account, refused a change set before anything was changed. The change set itself only says that
//! something was found.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html>

use aws_sdk_cloudformation::types::{HookFailureMode, HookStatus, OperationEvent, ValidationStatus};

use crate::Target;
use crate::assembly::StackArtifact;
use crate::cloudformation::failed_resource::described;

/// One sentence per finding, with the resource and the line of Rust that added it. Empty if nothing was found in the resources, or the
/// caller may not read it. Findings that only warn are left out.
pub(crate) async fn findings(target: &Target, change_set: &str, artifact: Option<&StackArtifact>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut next = None;
    loop {
        let request = target.cloudformation.describe_events().change_set_name(change_set).set_next_token(next);
        let Ok(page) = target.lanes.looks.call(|| request.clone().send()).await else { return findings };
        findings.extend(page.operation_events().iter().filter_map(|event| finding(event, artifact)));
        next = page.next_token;
        if next.is_none() {
            return findings;
        }
    }
}

fn finding(event: &OperationEvent, artifact: Option<&StackArtifact>) -> Option<String> {
    let refuses = |mode: Option<&HookFailureMode>| mode != Some(&HookFailureMode::Warn);
    let reason = |reason: Option<&str>| reason.unwrap_or("no reason was given").to_owned();
    let what = match (event.validation_status(), event.hook_status()) {
        (Some(ValidationStatus::Failed), _) if refuses(event.validation_failure_mode()) => {
            let path = event.validation_path().map(|path| format!("{path}: ")).unwrap_or_default();
            format!("{path}{}", reason(event.validation_status_reason()))
        }
        (_, Some(HookStatus::HookCompleteFailed | HookStatus::HookFailed)) if refuses(event.hook_failure_mode()) => {
            format!("the hook {}: {}", event.hook_type().unwrap_or_default(), reason(event.hook_status_reason()))
        }
        _ => return None,
    };
    // A hook may be about the stack as a whole.
    let Some(name) = event.logical_resource_id() else { return Some(what) };
    Some(format!("{}: {what}", described(name, event.resource_type().unwrap_or_default(), artifact)))
}
