//! Rights, given where a function is defined.

use cfn::{Json, Value};
use serde_json::json;

/// Permission for some actions on some resources; a ref's `grant` methods make these.
#[derive(Clone, Debug)]
pub struct Grant {
    actions: Vec<&'static str>,
    resources: Vec<Json>,
}

impl Grant {
    /// The actions, such as `dynamodb:GetItem`, on the resources with these ARNs.
    pub fn new<const N: usize>(actions: impl Into<Vec<&'static str>>, resources: [Value<String>; N]) -> Self {
        Self { actions: actions.into(), resources: resources.map(Json::from).to_vec() }
    }

    fn statement(self) -> Json {
        let resource = match &self.resources[..] {
            [only] => only.clone(),
            _ => Json::Array(self.resources),
        };
        json!({ "Effect": "Allow", "Action": self.actions, "Resource": resource })
    }
}

/// The policy document that grants `grants` and nothing else.
pub(crate) fn policy(grants: impl IntoIterator<Item = Grant>) -> Json {
    let statements: Vec<Json> = grants.into_iter().map(Grant::statement).collect();
    document(statements)
}

/// The trust policy of a role that only `service` may take on; `condition` may be null.
pub(crate) fn assumed_by(service: &str, condition: Json) -> Json {
    let mut statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    document(vec![statement])
}

/// A policy document of these statements.
pub(crate) fn document(statements: Vec<Json>) -> Json {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The statement that refuses everything that does not come over TLS.
pub(crate) fn deny_plain_http(actions: &str, resources: Vec<Value<String>>) -> Json {
    let resources: Vec<Json> = resources.into_iter().map(Json::from).collect();
    json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": { "Bool": { "aws:SecureTransport": false } },
    })
}
