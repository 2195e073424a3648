//! The routes of a REST API.

use std::collections::BTreeMap;

use aws::apigateway::authorizer::{self, Authorizer};
use aws::apigateway::method::{self, Integration, Method};
use aws::apigateway::model::Model;
use aws::apigateway::request_validator::RequestValidator;
use aws::apigateway::resource::{self, Resource};
use aws::apigateway::rest_api;
use cfn::{Json, Referable, Scope, Value};

use super::RestApi;
use crate::FunctionRef;

/// A method of a path, and the function it calls.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    /// The segments of the path; `{name}` is a parameter.
    pub(super) path: Vec<&'static str>,
    pub(super) function: FunctionRef,
    /// JSON schema, draft 4, of the body.
    pub(super) body: Option<Json>,
}

/// The API resources by their paths, without the root.
pub(super) type Resources<'a> = BTreeMap<Vec<&'a str>, Value<String>>;

/// Adds the methods of all routes, with the API resources of their paths.
pub(super) fn add_methods<'a>(
    definition: &'a RestApi,
    scope: &mut Scope<'_>,
    api: &rest_api::RestApiRef,
) -> (Vec<method::MethodRef>, Resources<'a>) {
    let validator = scope.add(
        "Validator",
        RequestValidator::new(api.reference()).validate_request_body(true).validate_request_parameters(true),
    );
    let authorizer = definition.user_pool.as_ref().map(|user_pool| add_authorizer(scope, api, user_pool));
    let mut resources = BTreeMap::new();
    let mut methods = Vec::new();
    for route in &definition.routes {
        let parent = resource_of(scope, api, &mut resources, &route.path);
        let name = format!("{}{}", pascal(&route.method.to_lowercase()), name_of(&route.path));
        let mut method = Method::new(method::Required {
            http_method: route.method.into(),
            resource_id: parent,
            rest_api_id: api.reference(),
        })
        .api_key_required(definition.needs_key)
        .request_validator_id(validator.reference())
        .integration(
            Integration::new(method::Type::AwsProxy)
                .integration_http_method("POST")
                .uri(route.function.invocation_uri()),
        );
        method = match &authorizer {
            Some(authorizer) => method.authorization_type("COGNITO_USER_POOLS").authorizer_id(authorizer.reference()),
            None => method.authorization_type("NONE"),
        };
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
    }
    (methods, resources)
}

/// Adds the authorizer that checks tokens of the user pool.
fn add_authorizer(
    scope: &mut Scope<'_>,
    api: &rest_api::RestApiRef,
    user_pool: &Value<String>,
) -> authorizer::AuthorizerRef {
    let required = authorizer::Required {
        name: "Users".into(),
        rest_api_id: api.reference(),
        r#type: "COGNITO_USER_POOLS".into(),
    };
    let authorizer = Authorizer::new(required).identity_source("method.request.header.Authorization");
    scope.add("Users", authorizer.provider_arns([user_pool.clone()]))
}

/// Lets the API call its functions: one permission per function, for the routes of this API only.
pub(super) fn add_permissions(definition: &RestApi, scope: &mut Scope<'_>, api: &rest_api::RestApiRef) {
    let functions: BTreeMap<&str, &FunctionRef> =
        definition.routes.iter().map(|route| (route.function.logical_id().as_str(), &route.function)).collect();
    for (id, function) in functions {
        scope.add(&format!("Calls{id}"), function.callable_by_api(api));
    }
}

/// The API resource of a path; each resource on the way to it is added once.
fn resource_of<'a>(
    scope: &mut Scope<'_>,
    api: &rest_api::RestApiRef,
    resources: &mut Resources<'a>,
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

/// `{checkId}` in the path is a required parameter.
fn path_parameters(path: &[&str]) -> Option<BTreeMap<String, bool>> {
    let parameters: BTreeMap<String, bool> = path
        .iter()
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| (format!("method.request.path.{name}"), true))
        .collect();
    (!parameters.is_empty()).then_some(parameters)
}

pub(super) fn name_of(path: &[&str]) -> String {
    path.iter().map(|segment| pascal(segment.trim_matches(['{', '}']))).collect()
}

fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.flat_map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1))).collect()
}
