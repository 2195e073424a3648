//! Access logs of APIs.

use std::collections::BTreeMap;

use aws::logs::log_group::LogGroup;
use cfn::intrinsic::sub;
use cfn::{Attributes, Referable, Scope, Value};

use crate::RustFunction;

/// What every stage logs about a request: a name, and the variable in API Gateway's `$context`.
const COMMON: [(&str, &str); 5] = [
    ("requestId", "requestId"),
    ("time", "requestTime"),
    ("ip", "identity.sourceIp"),
    ("status", "status"),
    ("error", "error.responseType"),
];

/// Who delivers an access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The account's role for API Gateway.
    Role,
    /// CloudWatch's log delivery, as for all HTTP APIs. It needs a resource policy of CloudWatch Logs, which names the group unless the group
    /// is below `/aws/vendedlogs/`; after a few dozen names, such a policy is full.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html>
    Vended,
}

/// Adds the log group `Logs` for a stage's access log. Returns its ARN as API Gateway accepts it, and the format: one line of JSON per request.
///
/// `own` is what this kind of API logs in addition to the common fields. It may contain routes, but nothing that a caller wrote.
pub(crate) fn access_log(scope: &mut Scope<'_>, delivery: Delivery, own: &[(&str, &str)]) -> (Value<String>, String) {
    let mut group = LogGroup::new().retention_in_days(RustFunction::LOG_DAYS);
    if delivery == Delivery::Vended {
        group = group.log_group_name(sub(format!("/aws/vendedlogs/apigateway/${{AWS::StackName}}-{}", scope.path())));
    }
    let group = scope.add("Logs", group.disposable());
    // The group's own ARN ends in `:*`, which API Gateway would remove and then report as drift.
    let group = group.logical_id();
    let arn = sub(format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{group}}}"));
    let format: BTreeMap<&str, String> =
        COMMON.iter().chain(own).map(|(name, variable)| (*name, format!("$context.{variable}"))).collect();
    (arn, serde_json::json!(format).to_string())
}
