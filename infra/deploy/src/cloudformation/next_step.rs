//! What a deployment does first with a stack, depending on the stack's status.

use aws_sdk_cloudformation::types::{Stack, StackStatus};

/// What a deployment does next with a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// There is nothing to update: create a change set of the type CREATE.
    Create,
    /// Create a change set of the type UPDATE.
    Update,
    /// The creation failed, and the stack cannot be updated: delete what is left, then create it again.
    Recreate,
    /// The rollback of an update failed: continue it, then look again.
    ContinueRollback,
    /// Someone else's operation is in progress: wait until it ends, then look again.
    Wait,
    /// A person has to decide; the text says what to do.
    Stop(&'static str),
}

/// The next step for each status in CloudFormation.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>
pub(crate) fn next_step(status: &StackStatus) -> NextStep {
    use StackStatus as S;
    match status {
        S::DeleteComplete | S::ReviewInProgress => NextStep::Create,
        S::CreateComplete
        | S::UpdateComplete
        | S::UpdateRollbackComplete
        | S::UpdateFailed
        | S::ImportComplete
        | S::ImportRollbackComplete => NextStep::Update,
        S::RollbackComplete | S::RollbackFailed | S::CreateFailed => NextStep::Recreate,
        S::CreateInProgress
        | S::DeleteInProgress
        | S::ImportInProgress
        | S::ImportRollbackInProgress
        | S::RollbackInProgress
        | S::UpdateCompleteCleanupInProgress
        | S::UpdateInProgress
        | S::UpdateRollbackCompleteCleanupInProgress
        | S::UpdateRollbackInProgress => NextStep::Wait,
        S::DeleteFailed => {
            NextStep::Stop("an earlier deletion did not finish; run scripts/destroy first, then deploy again")
        }
        S::UpdateRollbackFailed => NextStep::ContinueRollback,
        S::ImportRollbackFailed => NextStep::Stop(
            "an import could not be rolled back; fix the resources that its events name in the CloudFormation console",
        ),
        _ => NextStep::Stop("this status is newer than this tool; look at the stack in the CloudFormation console"),
    }
}

/// Whether the stack exists and its last operation succeeded.
pub(crate) fn has_succeeded(stack: &Stack) -> bool {
    use StackStatus as S;
    matches!(stack.stack_status(), Some(S::CreateComplete | S::UpdateComplete | S::UpdateCompleteCleanupInProgress))
}

/// Whether CloudFormation is still working on the stack.
pub(crate) fn is_under_way(status: &StackStatus) -> bool {
    next_step(status) == NextStep::Wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_sdk_has_a_next_step() {
        for name in StackStatus::values() {
            let decided = next_step(&StackStatus::from(*name));
            assert!(
                !matches!(decided, NextStep::Stop(advice) if advice.contains("newer than this tool")),
                "{name} has no next step"
            );
            assert_eq!(
                decided == NextStep::Wait,
                name.ends_with("_IN_PROGRESS") && *name != "REVIEW_IN_PROGRESS",
                "{name}"
            );
        }
        assert!(matches!(next_step(&StackStatus::from("A_NEW_STATUS")), NextStep::Stop(_)));
    }
}
