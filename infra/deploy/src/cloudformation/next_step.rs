//! What to do with a stack, by the status it is found in.

use aws_sdk_cloudformation::types::StackStatus;

/// The first step of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// There is nothing that could be updated: a change set of the type CREATE.
    Create,
    /// A change set of the type UPDATE.
    Update,
    /// The stack never came to be and cannot be updated: delete what is left, then create.
    Recreate,
    /// An update could not be undone: continue to undo it, then look again.
    ContinueRollback,
    /// Somebody else's operation is under way: wait for its end, then look again.
    Wait,
    /// A person has to decide; the text says what can be done.
    Stop(&'static str),
}

/// The verb for each status that CloudFormation has.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>
pub(crate) fn verb(status: &StackStatus) -> Verb {
    use StackStatus as S;
    match status {
        S::DeleteComplete | S::ReviewInProgress => Verb::Create,
        S::CreateComplete
        | S::UpdateComplete
        | S::UpdateRollbackComplete
        | S::UpdateFailed
        | S::ImportComplete
        | S::ImportRollbackComplete => Verb::Update,
        S::RollbackComplete | S::RollbackFailed | S::CreateFailed => Verb::Recreate,
        S::CreateInProgress
        | S::DeleteInProgress
        | S::ImportInProgress
        | S::ImportRollbackInProgress
        | S::RollbackInProgress
        | S::UpdateCompleteCleanupInProgress
        | S::UpdateInProgress
        | S::UpdateRollbackCompleteCleanupInProgress
        | S::UpdateRollbackInProgress => Verb::Wait,
        S::DeleteFailed => {
            Verb::Stop("an earlier deletion did not finish; run scripts/destroy first, then deploy again")
        }
        S::UpdateRollbackFailed => Verb::ContinueRollback,
        S::ImportRollbackFailed => {
            Verb::Stop("an import could not be undone; repair what its events name in the CloudFormation console")
        }
        _ => Verb::Stop("this status is newer than this tool; look at the stack in the CloudFormation console"),
    }
}

/// Whether CloudFormation is still working on the stack.
pub(crate) fn is_under_way(status: &StackStatus) -> bool {
    verb(status) == Verb::Wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_sdk_has_its_own_verb() {
        for name in StackStatus::values() {
            let decided = verb(&StackStatus::from(*name));
            assert!(
                !matches!(decided, Verb::Stop(advice) if advice.contains("newer than this tool")),
                "{name} has no verb"
            );
            assert_eq!(
                decided == Verb::Wait,
                name.ends_with("_IN_PROGRESS") && *name != "REVIEW_IN_PROGRESS",
                "{name}"
            );
        }
        assert!(matches!(verb(&StackStatus::from("A_NEW_STATUS")), Verb::Stop(_)));
    }
}
