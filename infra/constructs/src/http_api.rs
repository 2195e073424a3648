//! HTTP APIs of API Gateway: for pages that people open in a browser.

use crate::FunctionRef;
use crate::access_log::access_log_arn;
use aws::apigatewayv2::api::{self, Api};
use aws::apigatewayv2::integration::{self, Integration};
use aws::apigatewayv2::route::{self, Route};
use aws::apigatewayv2::stage::{self, AccessLogSettings, RouteSettings, Stage};
use aws::lambda::permission::{self, Permission};
use cfn::intrinsic::sub;
use cfn::{Construct, Referable, Scope, Value};
use serde_json::json;

/// An HTTP API at the root of its host, where cookies with the prefix `__Host-` can be set. Its routes are added after it, by
/// [`HttpRoutes`], so that their function can know its address.
///
/// Everybody can call; the function checks who does. Five requests a second, ten at once on top. The access log names routes
/// and never what a caller put into the path, the query, a header or a body.
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
        let name = format!("{}-{}", scope.stack_name(), scope.path());
        let api = scope.add_here(Api::new().name(name).description(self.description).protocol_type("HTTP"));
        let log = access_log_arn(scope);
        let format = json!({
            "requestId": "$context.requestId",
            "time": "$context.requestTime",
            "ip": "$context.identity.sourceIp",
            "route": "$context.routeKey",
            "status": "$context.status",
            "error": "$context.error.responseType",
            "bytes": "$context.responseLength",
            "milliseconds": "$context.responseLatency",
        });
        scope.add(
            "Stage",
            Stage::new(stage::Required { api_id: api.reference(), stage_name: "$default".into() })
                .auto_deploy(true)
                .access_log_settings(AccessLogSettings::new().destination_arn(log).format(format.to_string()))
                .default_route_settings(
                    RouteSettings::new()
                        .throttling_rate_limit(Self::REQUESTS_A_SECOND)
                        .throttling_burst_limit(Self::BURST),
                ),
        );
        HttpApiRef(api)
    }
}

/// An HTTP API in a stack.
#[derive(Clone, Debug)]
pub struct HttpApiRef(api::ApiRef);

impl HttpApiRef {
    /// The address of one of its paths, `/callback`.
    pub fn url(&self, path: &str) -> Value<String> {
        let api = self.0.logical_id();
        sub(format!("https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}{path}"))
    }
}

/// The routes of an HTTP API that call one function, which gets events of payload format 2.0.
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

    /// A route, `("GET", "/install")`.
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
        let calls = sub(format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/*",
            api.logical_id()
        ));
        scope.add(
            "Permission",
            Permission::new(permission::Required {
                action: "lambda:InvokeFunction".into(),
                function_name: self.function.arn(),
                principal: "apigateway.amazonaws.com".into(),
            })
            .source_arn(calls),
        );
    }
}

/// `GET /install` as `GetInstall`.
fn name_of(method: &str, path: &str) -> String {
    let lower = method.to_lowercase();
    let words = std::iter::once(lower.as_str()).chain(path.split(|it: char| !it.is_ascii_alphanumeric()));
    words.flat_map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1))).collect()
}
