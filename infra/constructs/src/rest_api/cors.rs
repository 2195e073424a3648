//! What a browser needs to let a page of a different origin call an API.

use std::collections::{BTreeMap, BTreeSet};

use aws::apigateway::gateway_response::{self, GatewayResponse};
use aws::apigateway::method::{self, Integration, IntegrationResponse, Method, MethodResponse};
use aws::apigateway::rest_api::RestApiRef;
use cfn::intrinsic::sub_with;
use cfn::{Scope, Value};

use super::routes::{Resources, Route, name_of};

/// The only origin whose pages may call an API, and the headers that they may send. Cookies are not sent. The functions add the origin to
/// their own answers.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Scheme and host, without a slash at the end.
    pub origin: Value<String>,
    /// Names of request headers, in lower case.
    pub allowed_headers: Vec<&'static str>,
}

impl Cors {
    /// Seconds for which a browser caches the answer; the longest time that Chromium accepts.
    const MAX_AGE: u32 = 7200;

    /// Answers the preflight request that browsers send before a request with a token, on every path, without calling a function.
    pub(super) fn add_preflights(
        &self,
        routes: &[Route],
        resources: &Resources<'_>,
        scope: &mut Scope<'_>,
        api: &RestApiRef,
    ) -> Vec<method::MethodRef> {
        let mut paths: BTreeMap<&[&str], BTreeSet<&str>> = BTreeMap::new();
        for route in routes {
            paths.entry(&route.path).or_default().insert(route.method);
        }
        let preflights = paths.into_iter().map(|(path, methods)| {
            let methods: Vec<&str> = methods.into_iter().collect();
            let headers = [
                ("Access-Control-Allow-Origin", self.quoted_origin()),
                ("Access-Control-Allow-Methods", quoted(&methods)),
                ("Access-Control-Allow-Headers", quoted(&self.allowed_headers)),
                ("Access-Control-Max-Age", quoted(&[&Self::MAX_AGE.to_string()])),
                ("Vary", quoted(&["Origin"])),
            ]
            .map(|(name, value)| (format!("method.response.header.{name}"), value));
            let sent = headers.iter().map(|(name, _)| (name.clone(), true)).collect::<BTreeMap<_, _>>();
            let integration = Integration::new(method::Type::Mock)
                .request_templates([("application/json", r#"{"statusCode":204}"#)])
                .integration_responses([IntegrationResponse::new("204").response_parameters(BTreeMap::from(headers))]);
            let preflight = Method::new(method::Required {
                http_method: "OPTIONS".into(),
                resource_id: resources.get(path).cloned().unwrap_or_else(|| api.root_resource_id()),
                rest_api_id: api.reference(),
            })
            .authorization_type("NONE")
            .api_key_required(false)
            .integration(integration)
            .method_responses([MethodResponse::new("204").response_parameters(sent)]);
            scope.add(&format!("Options{}", name_of(path)), preflight)
        });
        preflights.collect()
    }

    /// API Gateway's own answers, such as 401 without a valid token: without these headers, a page sees only that something failed, but not
    /// what.
    pub(super) fn add_gateway_responses(
        &self,
        scope: &mut Scope<'_>,
        api: &RestApiRef,
    ) -> [gateway_response::GatewayResponseRef; 2] {
        [("ClientErrors", "DEFAULT_4XX"), ("ServerErrors", "DEFAULT_5XX")].map(|(id, kind)| {
            let headers = [
                ("gatewayresponse.header.Access-Control-Allow-Origin", self.quoted_origin()),
                ("gatewayresponse.header.Vary", quoted(&["Origin"])),
            ];
            let response = GatewayResponse::new(gateway_response::Required {
                response_type: kind.into(),
                rest_api_id: api.reference(),
            });
            scope.add(id, response.response_parameters(headers))
        })
    }

    fn quoted_origin(&self) -> Value<String> {
        match self.origin.json().as_str() {
            Some(origin) => quoted(&[origin]),
            None => sub_with("'${Origin}'", [("Origin", self.origin.clone())]),
        }
    }
}

/// A fixed value, which API Gateway distinguishes by quotes from a reference to the request.
fn quoted(list: &[&str]) -> Value<String> {
    format!("'{}'", list.join(",")).into()
}
