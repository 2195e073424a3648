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

/// Adds the log group `Logs` for a stage's access log. Returns its ARN as API Gateway accepts it, and the format: one line of JSON per request.
///
/// `own` is what this kind of API logs in addition to the common fields. It may contain routes, but nothing that a caller wrote.
pub(crate) fn access_log(scope: &mut Scope<'_>, own: &[(&str, &str)]) -> (Value<String>, String) {
    let group = scope.add("Logs", LogGroup::new().retention_in_days(RustFunction::LOG_DAYS).disposable());
    // The group's own ARN ends in `:*`, which API Gateway would remove and then report as drift.
    let group = group.logical_id();
    let arn = sub(format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{group}}}"));
    let format: BTreeMap<&str, String> =
        COMMON.iter().chain(own).map(|(name, variable)| (*name, format!("$context.{variable}"))).collect();
    (arn, serde_json::json!(format).to_string())
}
