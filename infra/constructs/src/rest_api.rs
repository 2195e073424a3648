//! REST APIs of API Gateway.

mod access;
mod cors;
mod fingerprint;
mod routes;

use access::{Key, Reach};
use aws::apigateway::deployment::Deployment;
use aws::apigateway::rest_api;
use aws::apigateway::stage::{self, MethodSetting, Stage};
use cfn::intrinsic::{sub, sub_with};
use cfn::{Attributes, Construct, Json, Referable, Scope, Value};
pub use cors::Cors;
use fingerprint::fingerprint;
use routes::{Route, add_methods, add_permissions};

use crate::FunctionRef;

/// A REST API whose routes are all handled by functions.
///
/// Calls need an API key unless the API is [`RestApi::keyless`], and are throttled; bodies are checked against their JSON schema. The
/// access log contains routes, but never what a caller put into the path, the query, a header or a body. It needs the account's role
/// for API Gateway's logs, which the platform stack sets. The stage is not traced, because a trace contains whole addresses, with the IDs and
/// credentials in them.
#[derive(Clone, Debug)]
pub struct RestApi {
    description: String,
    routes: Vec<Route>,
    usage: Usage,
    needs_key: bool,
    reach: Reach,
    user_pool: Option<Value<String>>,
    cors: Option<Cors>,
}

/// How many requests callers may send to an API.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Requests per second, on average.
    pub requests_a_second: u32,
    /// Additional requests at once.
    pub burst: u32,
    /// Requests per day with one API key; `None` means no limit.
    pub requests_a_day: Option<u32>,
}

/// The only stage of every API: test and production are separate tenants.
const STAGE: &str = "live";

/// TLS 1.2 or 1.3; by default, a regional API accepts TLS 1.0. A policy of this kind needs an endpoint access mode. `STRICT` would in
/// addition compare the host name of the TLS handshake, which has not been tried with the host names of private APIs.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html>
const SECURITY_POLICY: &str = "SecurityPolicy_TLS13_1_2_2021_06";

impl RestApi {
    /// An API without routes, for ten requests per second.
    pub fn new(description: &str) -> Self {
        Self {
            description: description.to_owned(),
            routes: Vec::new(),
            usage: Usage { requests_a_second: 10, burst: 20, requests_a_day: None },
            needs_key: true,
            reach: Reach::default(),
            user_pool: None,
            cors: None,
        }
    }

    /// A route without a schema for its body, `("GET", "/checks/{checkId}")`; the method `ANY` matches what no other route of the path
    /// matches.
    #[must_use]
    pub fn route(self, method: &'static str, path: &'static str, function: &FunctionRef) -> Self {
        self.add_route(method, path, function, None)
    }

    /// A route whose JSON body must match `schema` (draft 4).
    #[must_use]
    pub fn route_with_body(
        self,
        method: &'static str,
        path: &'static str,
        function: &FunctionRef,
        schema: Json,
    ) -> Self {
        self.add_route(method, path, function, Some(schema))
    }

    /// How many requests callers may send.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// Lets everybody call who can reach it: for pages that browsers open, and for functions that check callers themselves.
    #[must_use]
    pub fn keyless(mut self) -> Self {
        self.needs_key = false;
        self
    }

    /// Also requires a token of this Cognito user pool, and passes its claims to the function.
    #[must_use]
    pub fn users_of(mut self, user_pool_arn: Option<Value<String>>) -> Self {
        self.user_pool = user_pool_arn;
        self
    }

    /// Lets a page of a different origin call it and read its answers, including those of API Gateway itself.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Makes it private: only requests through this VPC endpoint are accepted.
    #[must_use]
    pub fn private(mut self, vpc_endpoint: Option<Value<String>>) -> Self {
        self.reach.vpc_endpoint = vpc_endpoint;
        self
    }

    /// Accepts only callers with addresses in these CIDR blocks; no blocks means everybody.
    #[must_use]
    pub fn only_from(mut self, blocks: Vec<String>) -> Self {
        self.reach.blocks = blocks;
        self
    }

    fn add_route(
        mut self,
        method: &'static str,
        path: &'static str,
        function: &FunctionRef,
        body: Option<Json>,
    ) -> Self {
        let path = path.split('/').filter(|segment| !segment.is_empty()).collect();
        self.routes.push(Route { method, path, function: function.clone(), body });
        self
    }
}

impl Construct for RestApi {
    type Ref = RestApiRef;

    fn add_to(self, scope: &mut Scope<'_>) -> RestApiRef {
        let name = format!("{}-{}", scope.stack_name(), scope.path());
        let mut api = rest_api::RestApi::new()
            .name(name.as_str())
            .description(self.description.as_str())
            .security_policy(SECURITY_POLICY)
            .endpoint_access_mode("BASIC")
            .endpoint_configuration(self.reach.endpoint());
        if let Some(policy) = self.reach.policy() {
            api = api.policy(policy);
        }
        let api = scope.add_here(api);
        let (mut methods, resources) = add_methods(&self, scope, &api);
        let mut responses = Vec::new();
        if let Some(cors) = &self.cors {
            methods.extend(cors.add_preflights(&self.routes, &resources, scope, &api));
            responses.extend(cors.add_gateway_responses(scope, &api));
        }
        add_permissions(&self, scope, &api);
        let mut deployment = Deployment::new(api.reference()).depends_on(&methods);
        if !responses.is_empty() {
            deployment = deployment.depends_on(&responses);
        }
        // A deployment of API Gateway is a snapshot, so a change needs a new deployment.
        let published = fingerprint(scope.template(), api.logical_id());
        let deployment = scope.add(&format!("Deployment{published}"), deployment);
        let log = access::log(scope);
        let stage = scope.add(
            "Stage",
            Stage::new(api.reference())
                .stage_name(STAGE)
                .deployment_id(deployment.reference())
                .tracing_enabled(false)
                .access_log_setting(log)
                .method_settings([MethodSetting::new()
                    .http_method("*")
                    .resource_path("/*")
                    .data_trace_enabled(false)
                    .throttling_rate_limit(self.usage.requests_a_second)
                    .throttling_burst_limit(self.usage.burst)]),
        );
        let key = self.needs_key.then(|| scope.add_here(Key { api: &api, stage: &stage, usage: self.usage }));
        RestApiRef { api, stage, key, vpc_endpoint: self.reach.vpc_endpoint }
    }
}

/// A REST API in a stack.
#[derive(Clone, Debug)]
pub struct RestApiRef {
    api: rest_api::RestApiRef,
    stage: stage::StageRef,
    key: Option<Value<String>>,
    vpc_endpoint: Option<Value<String>>,
}

impl RestApiRef {
    /// The API's ID.
    pub fn id(&self) -> Value<String> {
        self.api.reference()
    }

    /// The ID of its API key; the key itself is shown by the console, or by `aws apigateway get-api-key --include-value`.
    pub fn key_id(&self) -> Option<Value<String>> {
        self.key.clone()
    }

    /// The ARN of its stage.
    pub fn stage_arn(&self) -> Value<String> {
        let (api, stage) = (self.api.logical_id(), self.stage.logical_id());
        sub(format!("arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{{api}}}/stages/${{{stage}}}"))
    }

    /// The URL of a path, such as `/checks`; `""` is the start of all URLs.
    pub fn url(&self, path: &str) -> Value<String> {
        self.address("https://", path)
    }

    /// Host and stage, without a scheme.
    pub fn host(&self) -> Value<String> {
        self.address("", "")
    }

    fn address(&self, scheme: &str, path: &str) -> Value<String> {
        let (api, stage) = (self.api.logical_id(), self.stage.logical_id());
        let rest = format!(".execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{stage}}}{path}");
        match &self.vpc_endpoint {
            None => sub(format!("{scheme}${{{api}}}{rest}")),
            Some(endpoint) => {
                sub_with(format!("{scheme}${{{api}}}-${{Endpoint}}{rest}"), [("Endpoint", endpoint.clone())])
            }
        }
    }
}
