//! What a change set or a deletion has API Gateway do that it does only so often.

use aws_sdk_cloudformation::types::{ChangeAction, Replacement, ResourceChange};

use crate::aws::lanes::Work;
use crate::cloudformation::live_stack::LiveStack;

/// The work of a change set.
pub(crate) fn work_of(changes: &[ResourceChange]) -> Vec<Work> {
    let mut work = Vec::new();
    for change in changes {
        let kind = change.resource_type().unwrap_or_default();
        let replaced = matches!(change.replacement(), Some(Replacement::True | Replacement::Conditional));
        if change.action() == Some(&ChangeAction::Add) || replaced {
            work.extend(creation(kind));
        }
        if change.action() == Some(&ChangeAction::Remove) || replaced {
            work.extend(deletion(kind));
        }
    }
    work
}

/// The work of deleting a stack.
pub(crate) fn work_of_deleting(live: &LiveStack) -> Vec<Work> {
    live.resources.iter().filter_map(|resource| deletion(&resource.kind)).collect()
}

fn creation(kind: &str) -> Option<Work> {
    match kind {
        "AWS::ApiGateway::RestApi" => Some(Work::CreateApi),
        "AWS::ApiGateway::Deployment" => Some(Work::CreateDeployment),
        "AWS::ApiGateway::UsagePlan" => Some(Work::CreateUsagePlan),
        _ => None,
    }
}

fn deletion(kind: &str) -> Option<Work> {
    (kind == "AWS::ApiGateway::RestApi").then_some(Work::DeleteApi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_created_and_what_is_deleted_count_and_a_replacement_is_both() {
        let change = |action, kind: &str, replacement| {
            ResourceChange::builder().action(action).resource_type(kind).set_replacement(replacement).build()
        };
        let changes = [
            change(ChangeAction::Add, "AWS::ApiGateway::RestApi", None),
            change(ChangeAction::Add, "AWS::ApiGateway::UsagePlan", None),
            change(ChangeAction::Modify, "AWS::ApiGateway::Deployment", Some(Replacement::True)),
            change(ChangeAction::Modify, "AWS::ApiGateway::RestApi", Some(Replacement::False)),
            change(ChangeAction::Remove, "AWS::ApiGateway::RestApi", None),
            change(ChangeAction::Add, "AWS::Lambda::Function", None),
        ];
        let expected = [Work::CreateApi, Work::CreateUsagePlan, Work::CreateDeployment, Work::DeleteApi];
        assert_eq!(work_of(&changes), expected);
    }
}
