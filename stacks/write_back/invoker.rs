//! The role with which Redshift calls the signing function.

use aws::iam::policy::{self, Policy};
use aws::iam::role::Role;
use aws::lambda::permission::{self, Permission};
use cfn::{Json, Stack, Value};
use constructs::FunctionRef;
use serde_json::json;

use crate::shared::warehouse::Warehouse;

/// The role with which Redshift calls the signing function.
pub(super) struct Invoker {
    pub(super) arn: Value<String>,
    name: Value<String>,
}

impl Invoker {
    /// The role that the warehouse already has, or a new one. Redshift allows a few dozen roles per cluster: tenants that share a
    /// cluster share a role.
    pub(super) fn add(stack: &mut Stack, warehouse: &Warehouse) -> Self {
        if let Some(role) = warehouse.sign_role() {
            return Self { arn: role.as_str().into(), name: role.name().into() };
        }
        let role = stack.add("SignInvoker", role(warehouse));
        Self { arn: role.arn(), name: role.reference() }
    }

    /// Both sides of the right to call the signing function: the role's, and the function's. The role's is a separate policy, since the
    /// function needs the API's ID, and the API may need a workgroup that has the role.
    pub(super) fn may_call(&self, stack: &mut Stack, sign: &FunctionRef) {
        let statement =
            json!({ "Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": Json::from(sign.arn()) });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let required =
            policy::Required { policy_document: document.into(), policy_name: format!("{}-sign", stack.name()).into() };
        stack.add("SignInvokerGrants", Policy::new(required).roles([self.name.clone()]));
        stack.add(
            "SignPermission",
            Permission::new(permission::Required {
                action: "lambda:InvokeFunction".into(),
                function_name: sign.arn(),
                principal: self.arn.clone(),
            }),
        );
    }
}

/// A role for database users of this account only.
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html>
fn role(warehouse: &Warehouse) -> Role {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] },
        "Action": "sts:AssumeRole",
        "Condition": { "StringLike": { "sts:ExternalId": Json::from(warehouse.users()) } },
    });
    Role::new(json!({ "Version": "2012-10-17", "Statement": [statement] }))
        .description("Redshift calls the function that signs links of quotes; attach it to the cluster or namespace")
}
