//! HTTP APIs of API Gateway, for pages that people open in a browser.

use aws::apigatewayv2::api::{self, Api};
use aws::apigatewayv2::integration::{self, Integration};
use aws::apigatewayv2::route::{self, Route};
use aws::apigatewayv2::stage::RouteSettings;
use cfn::intrinsic::sub;
use cfn::{Construct, Referable, Scope, Value};

use crate::FunctionRef;
use crate::access_log::Delivery;
use crate::api_v2::add_api;

/// An HTTP API at the root of its host, where cookies with the prefix `__Host-` can be set. Its routes are added later, by [`HttpRoutes`], so
/// that their function can know its URL.
///
/// Everybody can call; the function checks the caller. The limit is five requests per second, and a burst of ten. The access log contains
/// routes, but never what a caller put into the path, the query, a header or a body.
#[derive(Clone, Debug)]
pub struct HttpApi {
    description: String,
}

impl HttpApi {
    const REQUESTS_A_SECOND: f64 = 5.0;
    const BURST: i64 = 10;

    /// An API without routes.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned() }
    }
}

impl Construct for HttpApi {
    type Ref = HttpApiRef;

    fn add_to(self, scope: &mut Scope<'_>) -> HttpApiRef {
        let api = Api::new().description(self.description).protocol_type("HTTP");
        let limits =
            RouteSettings::new().throttling_rate_limit(Self::REQUESTS_A_SECOND).throttling_burst_limit(Self::BURST);
        let logged = [("route", "routeKey"), ("bytes", "responseLength"), ("milliseconds", "responseLatency")];
        HttpApiRef(add_api(scope, api, "$default", limits, Delivery::Vended, &logged))
    }
}

/// An HTTP API in a stack.
#[derive(Clone, Debug)]
pub struct HttpApiRef(api::ApiRef);

impl HttpApiRef {
    /// The URL of one of its paths, such as `/callback`.
    pub fn url(&self, path: &str) -> Value<String> {
        let api = self.0.logical_id();
        sub(format!("https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}{path}"))
    }
}

/// The routes of an HTTP API that call one function, which receives events in payload format 2.0.
#[derive(Clone, Debug)]
pub struct HttpRoutes {
    api: HttpApiRef,
    function: FunctionRef,
    routes: Vec<(&'static str, &'static str)>,
}

impl HttpRoutes {
    /// No routes yet, from `api` to `function`.
    pub fn new(api: &HttpApiRef, function: &FunctionRef) -> Self {
        Self { api: api.clone(), function: function.clone(), routes: Vec::new() }
    }

    /// Adds a route, `("GET", "/install")`.
    #[must_use]
    pub fn route(mut self, method: &'static str, path: &'static str) -> Self {
        self.routes.push((method, path));
        self
    }
}

impl Construct for HttpRoutes {
    type Ref = ();

    fn add_to(self, scope: &mut Scope<'_>) {
        let api = &self.api.0;
        let integration = scope.add(
            "Integration",
            Integration::new(integration::Required { api_id: api.reference(), integration_type: "AWS_PROXY".into() })
                .integration_uri(self.function.arn())
                .payload_format_version("2.0"),
        );
        let target = sub(format!("integrations/${{{}}}", integration.logical_id()));
        for (method, path) in self.routes {
            let required = route::Required { api_id: api.reference(), route_key: format!("{method} {path}").into() };
            scope.add(&name_of(method, path), Route::new(required).authorization_type("NONE").target(target.clone()));
        }
        scope.add("Permission", self.function.callable_by_api(api));
    }
}

/// `GET /install` as `GetInstall`.
fn name_of(method: &str, path: &str) -> String {
    let lower = method.to_lowercase();
    let words = std::iter::once(lower.as_str()).chain(path.split(|c: char| !c.is_ascii_alphanumeric()));
    words.flat_map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1))).collect()
}
