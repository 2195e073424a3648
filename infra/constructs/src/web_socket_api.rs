//! WebSocket APIs of API Gateway, for pages that receive messages.

use aws::apigatewayv2::api::{self, Api};
use aws::apigatewayv2::authorizer::{self, Authorizer};
use aws::apigatewayv2::integration::{self, Integration};
use aws::apigatewayv2::route::{self, Route};
use aws::apigatewayv2::stage::RouteSettings;
use cfn::intrinsic::sub;
use cfn::{Construct, Referable, Scope, Value};

use crate::access_log::Delivery;
use crate::api_v2::add_api;
use crate::{FunctionRef, Grant};

/// A WebSocket API. Its routes are added later, by [`WebSocketRoutes`], so that their function can know its URL.
///
/// The route of a message is its `action`. All connections together may send fifty messages per second, and a burst of a hundred. The
/// access log contains routes and connections, but never what a caller put into the query, a header or a message. It needs the account's
/// role for API Gateway's logs, which the platform stack sets.
#[derive(Clone, Debug)]
pub struct WebSocketApi {
    description: String,
}

/// The only stage of every API: test and production are separate tenants.
const STAGE: &str = "live";

impl WebSocketApi {
    const MESSAGES_A_SECOND: f64 = 50.0;
    const BURST: i64 = 100;

    /// An API without routes.
    pub fn new(description: &str) -> Self {
        Self { description: description.to_owned() }
    }
}

impl Construct for WebSocketApi {
    type Ref = WebSocketApiRef;

    fn add_to(self, scope: &mut Scope<'_>) -> WebSocketApiRef {
        let api = Api::new()
            .description(self.description)
            .protocol_type("WEBSOCKET")
            .route_selection_expression("$request.body.action");
        let limits = RouteSettings::new()
            .data_trace_enabled(false)
            .throttling_rate_limit(Self::MESSAGES_A_SECOND)
            .throttling_burst_limit(Self::BURST);
        let logged = [("event", "eventType"), ("route", "routeKey"), ("connection", "connectionId")];
        WebSocketApiRef(add_api(scope, api, STAGE, limits, Delivery::Role, &logged))
    }
}

/// A WebSocket API in a stack.
#[derive(Clone, Debug)]
pub struct WebSocketApiRef(api::ApiRef);

impl WebSocketApiRef {
    /// Host and stage, without a scheme.
    pub fn host(&self) -> Value<String> {
        self.address("")
    }

    /// Where pages connect to.
    pub fn url(&self) -> Value<String> {
        self.address("wss://")
    }

    /// The URL for functions that send to its connections.
    pub fn connections_url(&self) -> Value<String> {
        self.address("https://")
    }

    /// The right to send to its connections and to close them.
    pub fn grant_connections(&self) -> Grant {
        let api = self.0.logical_id();
        let arn = |method: &str| {
            let account = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}";
            sub(format!("{account}:${{{api}}}/{STAGE}/{method}/@connections/*"))
        };
        Grant::new(["execute-api:ManageConnections"], [arn("POST"), arn("DELETE")])
    }

    fn address(&self, scheme: &str) -> Value<String> {
        let api = self.0.logical_id();
        sub(format!("{scheme}${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"))
    }
}

/// The routes of a WebSocket API, all to one function, which also authorizes each new connection.
///
/// The function is asked to authorize a connection only if the URL has the query parameter with the credential, and every time, because
/// WebSocket APIs do not cache the decision. `$connect`, `$disconnect` and `$default` are always routes.
#[derive(Clone, Debug)]
pub struct WebSocketRoutes {
    api: WebSocketApiRef,
    function: FunctionRef,
    credential: &'static str,
    actions: Vec<&'static str>,
}

impl WebSocketRoutes {
    /// The three routes that always exist, from `api` to `function`; `credential` names the query parameter.
    pub fn new(api: &WebSocketApiRef, function: &FunctionRef, credential: &'static str) -> Self {
        Self { api: api.clone(), function: function.clone(), credential, actions: Vec::new() }
    }

    /// Adds a route for messages with this `action`, which consists of letters.
    #[must_use]
    pub fn action(mut self, action: &'static str) -> Self {
        self.actions.push(action);
        self
    }
}

impl Construct for WebSocketRoutes {
    type Ref = ();

    fn add_to(self, scope: &mut Scope<'_>) {
        let api = &self.api.0;
        let authorizer = Authorizer::new(authorizer::Required {
            api_id: api.reference(),
            authorizer_type: "REQUEST".into(),
            name: "Credential".into(),
        })
        .authorizer_uri(self.function.invocation_uri())
        .identity_source([format!("route.request.querystring.{}", self.credential)]);
        let authorizer = scope.add("Authorizer", authorizer);
        let integration = scope.add(
            "Integration",
            Integration::new(integration::Required { api_id: api.reference(), integration_type: "AWS_PROXY".into() })
                .integration_method("POST")
                .integration_uri(self.function.invocation_uri()),
        );
        let target = sub(format!("integrations/${{{}}}", integration.logical_id()));
        for key in ["$connect", "$disconnect", "$default"].into_iter().chain(self.actions) {
            let required = route::Required { api_id: api.reference(), route_key: key.into() };
            let route = Route::new(required).target(target.clone());
            let route = match key {
                "$connect" => route.authorization_type("CUSTOM").authorizer_id(authorizer.reference()),
                _ => route.authorization_type("NONE"),
            };
            scope.add(&name_of(key), route);
        }
        // For the authorizer as well as for the routes.
        scope.add("Permission", self.function.callable_by_api(api));
    }
}

/// `$connect` as `Connect`.
fn name_of(key: &str) -> String {
    let (first, rest) = key.trim_start_matches('$').split_at(1);
    first.to_uppercase() + rest
}
