//! Rights, given where a function is defined.

use cfn::{Json, Value};
use serde_json::json;

/// Permission for some actions on some resources; the `grant` methods of refs create these.
#[derive(Clone, Debug)]
pub struct Grant {
    actions: Vec<&'static str>,
    resources: Vec<Json>,
    condition: Json,
}

impl Grant {
    /// The actions, such as `dynamodb:GetItem`, on the resources with these ARNs.
    pub fn new(actions: impl Into<Vec<&'static str>>, resources: impl IntoIterator<Item = Value<String>>) -> Self {
        let resources = resources.into_iter().map(Json::from).collect();
        Self { actions: actions.into(), resources, condition: Json::Null }
    }

    /// Limits the permission to requests that meet this IAM condition.
    #[must_use]
    pub fn only_when(mut self, condition: Json) -> Self {
        self.condition = condition;
        self
    }

    fn statement(self) -> Json {
        let resource = match &self.resources[..] {
            [only] => only.clone(),
            _ => Json::Array(self.resources),
        };
        let mut statement = json!({ "Effect": "Allow", "Action": self.actions, "Resource": resource });
        if !self.condition.is_null() {
            statement["Condition"] = self.condition;
        }
        statement
    }
}

/// The policy document that grants `grants` and nothing else.
pub(crate) fn policy(grants: impl IntoIterator<Item = Grant>) -> Json {
    let statements: Vec<Json> = grants.into_iter().map(Grant::statement).collect();
    document(statements)
}

/// The trust policy of a role that only `service` may assume; `condition` may be null.
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

/// The statement that denies everything that is not sent over TLS.
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
