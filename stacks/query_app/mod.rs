//! Runs named queries in Redshift from a page in the browser, and notifies the page when they are done.
//!
//! ```text
//! browser ──► Page (CloudFront ◄── PageBucket ◄── PublishSite, the custom resource Site)
//!    │ signs in
//!    ├──► Users (Cognito) ◄── SignUp  who may become one, if people may sign up by themselves
//!    │ token
//!    ├──► Api (REST) ──► Results ──► Requests  table: tickets, connections, requests
//!    │                      └──────► Redshift: rows of the user's requests
//!    │ ticket, valid once
//!    └──► Connections (WebSocket) ──► Socket ──► Requests
//!               ▲                        ├─────► Redshift: starts the statement
//!               │                        └── SubmitAgain (each minute)
//!               └── Finished ◄── Ended (event rule), Sweep (each minute)
//! Setup  (custom resource InWarehouse) ──► Redshift: schema, script, the user who reads
//! ```

mod props;

use aws::ssm::parameter::{self, Parameter};
use cfn::intrinsic::{account_id, region, sub};
use cfn::{Json, Stack, Value};
use constructs::{
    Alarm, Cors, CustomResource, EventRule, FunctionRef, Index, Queue, QueueRef, RestApi, RestApiRef, RustFunction,
    Schedule, ScheduleGroup, Table, TableRef, Usage, UserPool, UserPoolRef, WebSocketApi, WebSocketApiRef,
    WebSocketRoutes, Website, WebsiteRef,
};
pub use props::{CertificateArn, Domain, Limits, Mail, MailIdentity, Origin, Props, Script, SecondFactor, WebAclArn};
use serde_json::json;

use crate::roster::System;
use crate::shared::warehouse::{Part, Place, own_statements, statements_of};
use crate::tenancy::Tenancy;

/// The index of the requests that have not ended.
const OPEN: &str = "open";
/// The logical ID of the REST API: the page's headers name it before the functions that it needs exist.
const API: &str = "Api";

/// This system in the roster.
pub const SYSTEM: System = System {
    name: "query-app",
    title: "Query app",
    summary: "long-running Redshift queries by name on a web page of its own, with results pushed to the browser over WebSockets, behind Cognito",
};

/// The stack of one tenant.
pub fn stack(tenancy: &Tenancy, props: &Props) -> Stack {
    let mut stack = tenancy.stack(SYSTEM.name, "Runs named queries in Redshift from a page in the browser");

    let requests = stack.add("Requests", requests_table());
    let dead_letters = stack.add("DeadLetters", Queue::dead_letters());
    let worker = tenancy.warehouse_name(SYSTEM.name);
    let place = props.warehouse.place(&mut stack, Vec::new(), &worker);
    let connections = stack.add("Connections", WebSocketApi::new("Accepts queries and reports when they are done"));
    let page = stack.add("Page", page(props, &connections));
    let origin = props.origin.as_ref().map_or_else(|| page.origin(), |origin| origin.as_str().into());

    let parts =
        Parts { tenancy, props, requests: &requests, dead_letters: &dead_letters, place: &place, origin: &origin };
    let socket = stack.add("Socket", parts.socket(&connections));
    let finished = stack.add("Finished", parts.finished(&connections, &socket));
    let results = stack.add("Results", parts.results(&socket));
    let sign_up = parts.sign_up().map(|function| stack.add("SignUp", function));
    let users = stack.add("Users", users(props, sign_up.as_ref()));
    let setup = stack.add("Setup", parts.setup());
    let publish = stack.add("PublishSite", parts.publish(&page));

    stack.add("ConnectionsRoutes", socket_routes(&connections, &socket));
    let api = stack.add(API, rest_api(users.arn(), &origin, &results));
    stack.add("Ended", ended(tenancy, &finished, &dead_letters));
    add_sweeps(&mut stack, &socket, &finished, &dead_letters);
    stack.add("InWarehouse", in_warehouse(tenancy, props, &place, &setup, &socket));
    let config = page_config(&users, &connections, &api, sign_up.is_some());
    stack.add("Site", site(&publish, &page, config));

    let topic = props.alarm_topic.as_ref().map(|topic| topic.as_str());
    stack.add("SocketErrors", Alarm::on_errors(&socket, "A query could not be accepted").notify(topic));
    stack.add("FinishedErrors", Alarm::on_errors(&finished, "The end of a query could not be reported").notify(topic));
    stack.add("ResultsErrors", Alarm::on_errors(&results, "A result could not be read").notify(topic));
    stack.add("DeadLettersArrived", Alarm::on_messages(&dead_letters, "An event was given up").notify(topic));

    add_endpoints(&mut stack, tenancy, &connections, &api);
    stack.output("SiteUrl", origin.clone());
    stack.output("SocketUrl", connections.url());
    stack.output("ApiUrl", api.url(""));
    stack.output("UserPoolId", users.id());
    stack.output("UserPoolClientId", users.client_id());
    stack.output("RequestsTable", requests.name());
    stack.output("DeadLetterQueue", dead_letters.url());
    stack.output("SiteBucket", page.bucket_name());
    if props.domain.is_some() {
        // The target of the CNAME record of the page's own host name.
        stack.output("SiteCnameTarget", sub("${Page.DomainName}"));
    }
    stack
}

/// Seconds for the statements that set up the warehouse: a script may load data. This is the most that a function can have.
const SETUP_SECONDS: i64 = 900;
/// Seconds to publish the page.
const PUBLISH_SECONDS: i64 = 120;

/// Tickets, connections, and requests. Redshift keeps the results of a request for a day, so little is lost with the table.
fn requests_table() -> Table {
    Table::new("id")
        .sort("part")
        .index(Index { name: OPEN, key: "open", sort: "since" })
        .expires("expires")
        .disposable()
}

/// The page may only talk to its two APIs and to Cognito.
fn page(props: &Props, connections: &WebSocketApiRef) -> Website {
    let api = sub(format!("https://${{{API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"));
    let cognito = sub("https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}");
    Website::new(vec![api, connections.origin(), cognito])
        .domain(props.domain.as_ref().map(|domain| (domain.name(), domain.certificate())))
        .web_acl(props.web_acl.as_ref().map(|web_acl| web_acl.as_str()))
}

/// What the functions have in common.
struct Parts<'a> {
    tenancy: &'a Tenancy,
    props: &'a Props,
    requests: &'a TableRef,
    dead_letters: &'a QueueRef,
    place: &'a Place,
    origin: &'a Value<String>,
}

impl Parts<'_> {
    fn function(&self, package: &str) -> RustFunction {
        RustFunction::new(package, self.tenancy.architecture)
            .env("TENANT", self.tenancy.name.as_str())
            .env("TABLE", self.requests.name())
            .env("WAREHOUSE", self.place.for_worker())
            .dead_letters(self.dead_letters)
    }

    /// Accepts connections and handles their messages.
    fn socket(&self, connections: &WebSocketApiRef) -> RustFunction {
        let limits = &self.props.limits;
        let function = self
            .function("query-socket")
            .timeout(29)
            .env("SCHEMA", self.props.schema(self.tenancy))
            .env("ORIGINS", self.origin)
            .env("CONNECTIONS_URL", connections.connections_url())
            .env("MAX_ROWS", limits.rows.to_string())
            .env("CONCURRENT", limits.concurrent.to_string())
            .env("PER_MINUTE", limits.per_minute.to_string())
            .env("STATEMENT_SECONDS", limits.seconds.to_string())
            .grant(self.requests.grant([
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ]))
            .grant(self.requests.grant_query_index(OPEN))
            .grant(connections.grant_connections())
            .grant(own_statements(["redshift-data:CancelStatement", "redshift-data:GetStatementResult"]));
        let function = self.place.grants_start(Part::Worker).into_iter().fold(function, RustFunction::grant);
        self.with_queries(function)
    }

    /// Notifies connections how their statements ended. The statements belong to the socket.
    fn finished(&self, connections: &WebSocketApiRef, socket: &FunctionRef) -> RustFunction {
        self.function("query-finished")
            .timeout(55)
            .memory(512)
            .env("CONNECTIONS_URL", connections.connections_url())
            .env("STATEMENT_SECONDS", self.props.limits.seconds.to_string())
            .grant(self.requests.grant(["dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"]))
            .grant(self.requests.grant_query_index(OPEN))
            .grant(connections.grant_connections())
            .grant(statements_of(
                socket,
                [
                    "redshift-data:CancelStatement",
                    "redshift-data:DescribeStatement",
                    "redshift-data:GetStatementResult",
                ],
            ))
    }

    /// Issues tickets, and returns the rows of the user's requests. The statements belong to the socket.
    fn results(&self, socket: &FunctionRef) -> RustFunction {
        let function = self
            .function("query-results")
            .timeout(29)
            .memory(512)
            .env("ORIGINS", self.origin)
            .grant(self.requests.grant(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]))
            .grant(statements_of(socket, ["redshift-data:GetStatementResult"]));
        self.with_queries(function)
    }

    /// The tenant's own queries, in addition to the ones that every tenant has.
    fn with_queries(&self, function: RustFunction) -> RustFunction {
        let Some(queries) = &self.props.queries else { return function };
        let function = function.env("QUERIES", queries.url()).env("QUERIES_OWNER", account_id());
        queries.grants().into_iter().fold(function, RustFunction::grant)
    }

    /// Decides who may sign up, if people may sign up by themselves.
    fn sign_up(&self) -> Option<RustFunction> {
        let domains = self.props.sign_up_domains()?;
        let function = RustFunction::new("query-sign-up", self.tenancy.architecture).env("DOMAINS", domains);
        // Cognito closes the connection after five seconds.
        Some(function.timeout(5).dead_letters(self.dead_letters))
    }

    /// Publishes the page.
    fn publish(&self, page: &WebsiteRef) -> RustFunction {
        page.grants_publish()
            .into_iter()
            .fold(RustFunction::new("query-site", self.tenancy.architecture), RustFunction::grant)
            .timeout(PUBLISH_SECONDS)
            .dead_letters(self.dead_letters)
    }

    fn setup(&self) -> RustFunction {
        let grants = self.place.grants(Part::Setup).into_iter().chain(self.props.script.as_ref().map(Script::grant));
        grants
            .fold(RustFunction::new("query-app-setup", self.tenancy.architecture), RustFunction::grant)
            .timeout(SETUP_SECONDS)
            .retries(2)
            .dead_letters(self.dead_letters)
    }
}

fn users(props: &Props, sign_up: Option<&FunctionRef>) -> UserPool {
    UserPool::default()
        .sign_up_through(sign_up)
        .second_factor_required(props.mfa == SecondFactor::Required)
        .mail_from(props.mail.as_ref().map(|mail| (mail.from.as_str(), mail.identity.as_str())))
}

fn socket_routes(connections: &WebSocketApiRef, socket: &FunctionRef) -> WebSocketRoutes {
    WebSocketRoutes::new(connections, socket, "ticket").action("run").action("cancel").action("resume").action("ping")
}

/// The API of the page, called with the token of the signed-in user.
fn rest_api(user_pool_arn: Value<String>, origin: &Value<String>, results: &FunctionRef) -> RestApi {
    let cors = Cors { origin: origin.clone(), allowed_headers: vec!["authorization", "content-type"] };
    RestApi::new("Issues tickets and returns results")
        .keyless()
        .usage(Usage { requests_a_second: 50, burst: 100, requests_a_day: None })
        .users_of(Some(user_pool_arn))
        .cors(cors)
        .route("POST", "/ticket", results)
        .route("GET", "/queries", results)
        .route("GET", "/requests", results)
        .route("GET", "/requests/{requestId}", results)
        .route("GET", "/requests/{requestId}/rows", results)
        .route("GET", "/requests/{requestId}/csv", results)
}

/// A statement of this tenant has ended; it is named after the tenant and its request.
fn ended(tenancy: &Tenancy, finished: &FunctionRef, dead_letters: &QueueRef) -> EventRule {
    let pattern = json!({
        "source": ["aws.redshift-data"],
        "detail-type": ["Redshift Data Statement Status Change"],
        "detail": { "statementName": [{ "prefix": format!("{}-query-", tenancy.name) }] },
    });
    EventRule::new("A statement of the query app has ended", pattern, finished, None, dead_letters)
}

/// Finishes what an event that never arrived left open, and submits again what Redshift may not have received.
fn add_sweeps(stack: &mut Stack, socket: &FunctionRef, finished: &FunctionRef, dead_letters: &QueueRef) {
    let sweeps = stack.add("Sweeps", ScheduleGroup::new(finished, dead_letters));
    stack.add("Sweep", Schedule::rate("1 minute", json!({ "sweep": true }), &sweeps));
    let submissions = stack.add("Submissions", ScheduleGroup::new(socket, dead_letters));
    stack.add("SubmitAgain", Schedule::rate("1 minute", json!({ "sweep": true }), &submissions));
}

fn in_warehouse(
    tenancy: &Tenancy,
    props: &Props,
    place: &Place,
    setup: &FunctionRef,
    socket: &FunctionRef,
) -> CustomResource {
    let resource = CustomResource::new(setup, SETUP_SECONDS + 60)
        .property("Warehouse", place.for_setup())
        .property("Schema", props.schema(tenancy))
        .property("Reader", Json::from(place.worker(socket)))
        .property("StatementSeconds", props.limits.seconds.to_string());
    match &props.script {
        Some(script) => resource.property("Script", script.json()),
        None => resource,
    }
}

/// What the page needs to know to sign people in and to reach its APIs.
fn page_config(users: &UserPoolRef, connections: &WebSocketApiRef, api: &RestApiRef, can_sign_up: bool) -> Json {
    json!({
        "region": Json::from(region()),
        "userPoolId": Json::from(users.id()),
        "userPoolClientId": Json::from(users.client_id()),
        "socket": Json::from(connections.url()),
        "api": Json::from(api.url("")),
        "signUp": can_sign_up.to_string(),
    })
}

/// Publishes the page again whenever the function's code changes, because the code contains the page.
fn site(publish: &FunctionRef, page: &WebsiteRef, config: Json) -> CustomResource {
    CustomResource::new(publish, PUBLISH_SECONDS + 60)
        .property("Bucket", Json::from(page.bucket_name()))
        .property("Config", config)
        .property("Code", Json::from(publish.code_key()))
}

/// Where programs find the two endpoints: host and stage, without a scheme.
fn add_endpoints(stack: &mut Stack, tenancy: &Tenancy, connections: &WebSocketApiRef, api: &RestApiRef) {
    for (id, name, value) in
        [("WebSocketEndpoint", "websocket-endpoint", connections.host()), ("RestEndpoint", "rest-endpoint", api.host())]
    {
        let parameter = Parameter::new(parameter::Required { r#type: parameter::Type::String.into(), value })
            .name(format!("/ferrostack/{}/query-app/{name}", tenancy.name))
            .description("Host and stage, without a scheme");
        stack.add(id, parameter);
    }
}
