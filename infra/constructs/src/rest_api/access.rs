//! Who may call a REST API, how often, and what is logged about it.

use aws::apigateway::api_key::{ApiKey, StageKey};
use aws::apigateway::rest_api::{EndpointConfiguration, RestApiRef};
use aws::apigateway::stage::{AccessLogSetting, StageRef};
use aws::apigateway::usage_plan::{ApiStage, QuotaSettings, ThrottleSettings, UsagePlan};
use aws::apigateway::usage_plan_key::{self, UsagePlanKey};
use cfn::{Construct, Json, Scope, Value};
use serde_json::json;

use super::Usage;
use crate::access_log::{Delivery, access_log};
use crate::grant::document;

/// From where an API can be called.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// The one VPC endpoint, for a private API.
    pub(super) vpc_endpoint: Option<Value<String>>,
    /// The CIDR blocks of the callers; no blocks means everybody.
    pub(super) blocks: Vec<String>,
}

impl Reach {
    pub(super) fn endpoint(&self) -> EndpointConfiguration {
        match &self.vpc_endpoint {
            None => EndpointConfiguration::new().types(["REGIONAL"]),
            Some(endpoint) => EndpointConfiguration::new().types(["PRIVATE"]).vpc_endpoint_ids([endpoint.clone()]),
        }
    }

    /// The resource policy; none if everybody may call.
    pub(super) fn policy(&self) -> Option<Json> {
        let mut denied = Vec::new();
        if let Some(endpoint) = &self.vpc_endpoint {
            denied.push(json!({ "StringNotEquals": { "aws:SourceVpce": endpoint.json() } }));
        }
        if !self.blocks.is_empty() {
            // Requests through a VPC endpoint have no public address.
            let address = if self.vpc_endpoint.is_some() { "aws:VpcSourceIp" } else { "aws:SourceIp" };
            denied.push(json!({ "NotIpAddress": { address: self.blocks } }));
        }
        let statement = |effect: &str| json!({ "Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" });
        let denials = denied.into_iter().map(|condition| {
            let mut statement = statement("Deny");
            statement["Condition"] = condition;
            statement
        });
        let denials: Vec<Json> = denials.collect();
        (!denials.is_empty()).then(|| document([vec![statement("Allow")], denials].concat()))
    }
}

/// The access log of a stage. `resourcePath` is the route, `/checks/{checkId}`: nothing that a caller wrote is logged.
pub(super) fn log(scope: &mut Scope<'_>) -> AccessLogSetting {
    let own = [
        ("key", "identity.apiKeyId"),
        ("method", "httpMethod"),
        ("route", "resourcePath"),
        ("bytes", "responseLength"),
        ("milliseconds", "responseLatency"),
    ];
    let (arn, format) = access_log(scope, Delivery::Role, &own);
    AccessLogSetting::new().destination_arn(arn).format(format)
}

/// The API key and its usage plan.
pub(super) struct Key<'a> {
    pub(super) api: &'a RestApiRef,
    pub(super) stage: &'a StageRef,
    pub(super) usage: Usage,
}

impl Construct for Key<'_> {
    /// The key's ID.
    type Ref = Value<String>;

    fn add_to(self, scope: &mut Scope<'_>) -> Value<String> {
        let key = scope.add(
            "Key",
            ApiKey::new()
                .enabled(true)
                .stage_keys([StageKey::new().rest_api_id(self.api.reference()).stage_name(self.stage.reference())]),
        );
        let mut plan = UsagePlan::new()
            .api_stages([ApiStage::new().api_id(self.api.reference()).stage(self.stage.reference())])
            .throttle(ThrottleSettings::new().rate_limit(self.usage.requests_a_second).burst_limit(self.usage.burst));
        if let Some(requests) = self.usage.requests_a_day {
            plan = plan.quota(QuotaSettings::new().limit(requests).period("DAY"));
        }
        let plan = scope.add("UsagePlan", plan);
        scope.add(
            "UsagePlanKey",
            UsagePlanKey::new(usage_plan_key::Required {
                key_id: key.reference(),
                key_type: usage_plan_key::KeyType::ApiKey.into(),
                usage_plan_id: plan.reference(),
            }),
        );
        key.reference()
    }
}
