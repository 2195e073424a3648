//! REST APIs of API Gateway.

use crate::FunctionRef;
use aws::apigateway::api_key::{ApiKey, StageKey};
use aws::apigateway::deployment::Deployment;
use aws::apigateway::method::{self, Integration, Method};
use aws::apigateway::model::Model;
use aws::apigateway::request_validator::RequestValidator;
use aws::apigateway::resource::{self, Resource};
use aws::apigateway::rest_api::{self, EndpointConfiguration};
use aws::apigateway::stage::{self, MethodSetting, Stage};
use aws::apigateway::usage_plan::{ApiStage, ThrottleSettings, UsagePlan};
use aws::apigateway::usage_plan_key::{self, UsagePlanKey};
use aws::lambda::permission::{self, Permission};
use cfn::intrinsic::sub_with;
use cfn::{Attributes, Construct, Json, Scope, Value, sha256};
use serde_json::json;
use std::collections::BTreeMap;

/// A regional REST API whose every route wants an API key and calls a function. Calls are throttled by a usage plan,
/// bodies are checked against their JSON schema, and neither bodies nor headers are logged.
#[derive(Clone, Debug)]
pub struct RestApi {
    description: String,
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    method: &'static str,
    /// The segments of the path; `{name}` is a parameter.
    path: Vec<&'static str>,
    function: FunctionRef,
    /// JSON schema, draft 4, of the body.
    body: Option<Json>,
}

impl Route {
    /// All that a deployment publishes of it.
    fn fingerprint(&self) -> String {
        json!([self.method, self.path, Json::from(self.function.arn()), self.body]).to_string()
    }
}

/// The stage of every API: it has one, a tenant is a stage of its own.
const STAGE: &str = "live";
/// Requests a second that an API key may make on average.
const REQUESTS_A_SECOND: i64 = 10;
/// Requests at once that it may make on top.
const BURST: i64 = 20;

impl RestApi {
    /// An API without routes.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned(), routes: Vec::new() }
    }

    /// A route without a body, `("GET", "/reloads/{reloadId}")`.
    #[must_use]
    pub fn route(self, method: &'static str, path: &'static str, function: &FunctionRef) -> Self {
        self.add_route(method, path, function, None)
    }

    /// A route whose JSON body must fit `schema` (draft 4).
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

    fn add_route(
        mut self,
        method: &'static str,
        path: &'static str,
        function: &FunctionRef,
        body: Option<Json>,
    ) -> Self {
        let path = path.split('/').filter(|it| !it.is_empty()).collect();
        self.routes.push(Route { method, path, function: function.clone(), body });
        self
    }
}

impl Construct for RestApi {
    type Ref = RestApiRef;

    fn add_to(self, scope: &mut Scope<'_>) -> RestApiRef {
        let api = scope.add_here(
            rest_api::RestApi::new()
                .name(format!("{}-{}", scope.stack_name(), scope.path()))
                .description(self.description)
                .endpoint_configuration(EndpointConfiguration::new().types(["REGIONAL"])),
        );
        let validator = scope.add(
            "Validator",
            RequestValidator::new(api.reference()).validate_request_body(true).validate_request_parameters(true),
        );
        let mut resources = BTreeMap::new();
        let mut deployed = Vec::new();
        let mut methods = Vec::new();
        for route in &self.routes {
            let parent = resource_of(scope, &api, &mut resources, &route.path);
            let name = format!("{}{}", pascal(&route.method.to_lowercase()), name_of(&route.path));
            let mut method = Method::new(method::Required {
                http_method: route.method.into(),
                resource_id: parent,
                rest_api_id: api.reference(),
            })
            .authorization_type("NONE")
            .api_key_required(true)
            .request_validator_id(validator.reference())
            .integration(
                Integration::new(method::Type::AwsProxy)
                    .integration_http_method("POST")
                    .uri(sub_with(
                        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations",
                        [("Function", route.function.arn())],
                    )),
            );
            if let Some(schema) = &route.body {
                let model = scope.add(
                    &format!("{name}Body"),
                    Model::new(api.reference()).content_type("application/json").schema(schema.clone()),
                );
                method = method.request_models([("application/json", model.reference())]);
            }
            if let Some(parameters) = path_parameters(&route.path) {
                method = method.request_parameters(parameters);
            }
            methods.push(scope.add(&name, method));
            deployed.push(route.fingerprint());
            scope.add(
                &format!("{name}Permission"),
                Permission::new(permission::Required {
                    action: "lambda:InvokeFunction".into(),
                    function_name: route.function.arn(),
                    principal: "apigateway.amazonaws.com".into(),
                })
                .source_arn(invocations(&api, route)),
            );
        }
        // API Gateway publishes what a deployment saw when it was made: another one must be made when a route changes.
        let deployment =
            scope.add(&format!("Deployment{}", hash(&deployed)), Deployment::new(api.reference()).depends_on(&methods));
        let stage = scope.add(
            "Stage",
            Stage::new(api.reference())
                .stage_name(STAGE)
                .deployment_id(deployment.reference())
                .tracing_enabled(true)
                .method_settings([MethodSetting::new()
                    .http_method("*")
                    .resource_path("/*")
                    .data_trace_enabled(false)
                    .throttling_rate_limit(REQUESTS_A_SECOND)
                    .throttling_burst_limit(BURST)]),
        );
        access(scope, &api, &stage);
        RestApiRef { api, stage }
    }
}

/// The API key and the usage plan that lets it in.
fn access(scope: &mut Scope<'_>, api: &rest_api::RestApiRef, stage: &stage::StageRef) {
    let key = scope.add(
        "Key",
        ApiKey::new()
            .enabled(true)
            .stage_keys([StageKey::new().rest_api_id(api.reference()).stage_name(stage.reference())]),
    );
    let plan = scope.add(
        "UsagePlan",
        UsagePlan::new()
            .api_stages([ApiStage::new().api_id(api.reference()).stage(stage.reference())])
            .throttle(ThrottleSettings::new().rate_limit(REQUESTS_A_SECOND).burst_limit(BURST)),
    );
    scope.add(
        "UsagePlanKey",
        UsagePlanKey::new(usage_plan_key::Required {
            key_id: key.reference(),
            key_type: usage_plan_key::KeyType::ApiKey.into(),
            usage_plan_id: plan.reference(),
        }),
    );
}

/// The API resource of a path; the ones on the way to it are made once.
fn resource_of<'a>(
    scope: &mut Scope<'_>,
    api: &rest_api::RestApiRef,
    resources: &mut BTreeMap<Vec<&'a str>, Value<String>>,
    path: &[&'a str],
) -> Value<String> {
    let Some((segment, parent)) = path.split_last() else { return api.root_resource_id() };
    if let Some(known) = resources.get(path) {
        return known.clone();
    }
    let parent_id = resource_of(scope, api, resources, parent);
    let resource = scope.add(
        &format!("{}Resource", name_of(path)),
        Resource::new(resource::Required { parent_id, path_part: (*segment).into(), rest_api_id: api.reference() }),
    );
    resources.insert(path.to_vec(), resource.reference());
    resource.reference()
}

/// `{reloadId}` in the path is a required parameter.
fn path_parameters(path: &[&str]) -> Option<BTreeMap<String, bool>> {
    let parameters: BTreeMap<String, bool> = path
        .iter()
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| (format!("method.request.path.{name}"), true))
        .collect();
    (!parameters.is_empty()).then_some(parameters)
}

/// The ARN of the calls of one route, at any stage; parameters of the path may be anything.
fn invocations(api: &rest_api::RestApiRef, route: &Route) -> Value<String> {
    let path: Vec<&str> = route.path.iter().map(|it| if it.starts_with('{') { "*" } else { it }).collect();
    sub_with(
        format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*/{}/{}",
            route.method,
            path.join("/")
        ),
        [("Api", api.reference())],
    )
}

fn name_of(path: &[&str]) -> String {
    path.iter().map(|it| pascal(it.trim_matches(['{', '}']))).collect()
}

fn pascal(text: &str) -> String {
    let mut chars = text.chars().filter(char::is_ascii_alphanumeric);
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// Eight digits are enough to tell one deployment of this API from the next.
fn hash(parts: &[String]) -> String {
    sha256(parts.join("\n"))[..8].to_owned()
}

/// A REST API in a stack.
#[derive(Clone, Debug)]
pub struct RestApiRef {
    api: rest_api::RestApiRef,
    stage: stage::StageRef,
}

impl RestApiRef {
    /// The address under which its routes lie, without a slash at the end.
    pub fn url(&self) -> Value<String> {
        sub_with(
            "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}",
            [("Api", self.api.reference()), ("Stage", self.stage.reference())],
        )
    }
}
