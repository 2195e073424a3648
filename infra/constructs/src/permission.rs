//! Who may call a function, according to its resource policy.

use aws::lambda::permission::{Permission, Required};
use cfn::intrinsic::sub;
use cfn::{Referable, Value};

use crate::FunctionRef;

impl FunctionRef {
    /// Lets a service call it for one resource.
    pub(crate) fn callable_by(&self, service: &str, source_arn: Value<String>) -> Permission {
        Permission::new(Required {
            action: "lambda:InvokeFunction".into(),
            function_name: self.arn(),
            principal: service.into(),
        })
        .source_arn(source_arn)
    }

    /// Lets an API call it, from any route or authorizer of the API.
    pub(crate) fn callable_by_api(&self, api: &impl Referable) -> Permission {
        let calls = sub(format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/*",
            api.logical_id()
        ));
        self.callable_by("apigateway.amazonaws.com", calls)
    }

    /// How API Gateway names it in places where it does not accept a function's ARN.
    pub(crate) fn invocation_uri(&self) -> Value<String> {
        sub(format!(
            "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}.Arn}}/invocations",
            self.logical_id()
        ))
    }
}
