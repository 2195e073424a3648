//! Where the APIs' access logs go.

use crate::RustFunction;
use aws::logs::log_group::LogGroup;
use cfn::intrinsic::sub;
use cfn::{Attributes, Referable, Scope, Value};

/// A log group `Logs` for a stage's access log: its ARN as API Gateway takes it.
///
/// A format that goes with it names routes and nothing that a caller wrote.
pub(crate) fn access_log_arn(scope: &mut Scope<'_>) -> Value<String> {
    let group = scope.add("Logs", LogGroup::new().retention_in_days(RustFunction::LOG_DAYS).disposable());
    // The group's own ARN ends in `:*`, which API Gateway would take off and then call a change.
    let group = group.logical_id();
    sub(format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{group}}}"))
}
