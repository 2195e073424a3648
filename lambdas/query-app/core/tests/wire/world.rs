//! Everything around the three functions: the table, the warehouse, browsers, the clock, and what they wrote to their logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::answers::Case;
use loopback::{Log, Time, environment, serve};
use serde_json::{Value, json};

use crate::aws::State;
use crate::dynamo::{Fault, TABLE};
use crate::warehouse::Statement;

pub(crate) const NOW: u64 = 1_714_557_600; // 2024-05-01T10:00:00Z
pub(crate) const PAGE: &str = "https://app.example";
pub(crate) const ANNA: &str = "anna-0001";
pub(crate) const BERT: &str = "bert-0002";
/// A month that must not appear in a log.
pub(crate) const MONTH: &str = "2015-07";

pub(crate) struct World {
    state: Arc<Mutex<State>>,
    socket: query_socket::QuerySocket,
    finished: query_finished::QueryEndHandler,
    results: query_results::ResultsApi,
    url: String,
    pub(crate) time: Time,
    log: Log,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(&[]).await
    }

    /// With additional environment variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> World {
        let state = Arc::new(Mutex::new(State::new()));
        let served = state.clone();
        let address = serve(move |request| std::future::ready(served.lock().unwrap().answer(&request))).await;
        let url = format!("http://{address}");
        let management = format!("{url}/_aws/execute-api/{{api}}/{{stage}}");
        let management = ("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", management.as_str());
        let variable = environment(&url, OWN.iter().chain(&[management]).chain(variables));
        let time = Time::at(NOW);
        let clock = time.clock();
        World {
            socket: query_socket::QuerySocket::new(query_socket::Settings::read(&variable).unwrap(), clock.clone()),
            finished: query_finished::QueryEndHandler::new(
                query_finished::Settings::read(&variable).unwrap(),
                clock.clone(),
            ),
            results: query_results::ResultsApi::new(query_results::Settings::read(&variable).unwrap(), clock),
            state,
            url,
            time,
            log: Log::of(&["query_socket", "query_finished", "query_results", "queries", "redshift"]),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.time.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.time.seconds()
    }

    fn event(&self, payload: Value) -> LambdaEvent<Value> {
        let mut context = Context::default();
        context.request_id = "run-1".to_owned();
        context.deadline = self.time.deadline(Duration::from_secs(60));
        LambdaEvent::new(payload, context)
    }

    pub(crate) async fn socket(&self, event: Value) -> Result<Value, queries::Error> {
        self.socket.handle(self.event(event)).await
    }

    pub(crate) async fn finished(&self, event: Value) -> Result<Value, queries::Error> {
        self.finished.handle(self.event(event)).await
    }

    pub(crate) async fn sweep(&self) -> Value {
        self.finished(json!({"sweep": true})).await.unwrap()
    }

    /// query-socket's sweep.
    pub(crate) async fn hand_in(&self) -> Value {
        self.socket(json!({"sweep": true})).await.unwrap()
    }

    /// A REST call by `user`; `target` is the path, with the page token after a `?page=`.
    pub(crate) async fn call(&self, user: &str, method: &str, target: &str) -> Value {
        let (path, page) = target.split_once("?page=").map_or((target, None), |(path, page)| (path, Some(page)));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (resource, parameters) = match parts[..] {
            ["requests", id] => ("/requests/{requestId}".to_owned(), json!({"requestId": id})),
            ["requests", id, what] => (format!("/requests/{{requestId}}/{what}"), json!({"requestId": id})),
            _ => (path.to_owned(), Value::Null),
        };
        let claims = json!({"sub": user, "exp": (self.seconds() + 3600).to_string(), "token_use": "id"});
        let event = json!({
            "resource": resource, "path": path, "httpMethod": method, "headers": {"Origin": PAGE, "Authorization": "canary-jwt"},
            "queryStringParameters": page.map(|page| json!({"page": page})), "pathParameters": parameters,
            "requestContext": {"authorizer": {"claims": claims}, "stage": "live"}, "body": null, "isBase64Encoded": false,
        });
        self.rest(event).await
    }

    pub(crate) async fn rest(&self, event: Value) -> Value {
        let Ok(mut answer) = self.results.handle(self.event(event)).await;
        if let Ok(body) = serde_json::from_str(answer["body"].as_str().unwrap()) {
            answer["body"] = body;
        }
        answer
    }

    pub(crate) async fn ticket(&self, user: &str) -> String {
        let answer = self.call(user, "POST", "/ticket").await;
        assert_eq!((&answer["statusCode"], &answer["body"]["expiresIn"]), (&json!(201), &json!(60)));
        let ticket = answer["body"]["ticket"].as_str().unwrap().to_owned();
        self.state().tickets.push(ticket.clone());
        ticket
    }

    /// The authorizer's policy.
    pub(crate) async fn authorize(&self, ticket: &str, origin: &str) -> Value {
        let event = json!({
            "type": "REQUEST", "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc123/live/$connect",
            "headers": {"Origin": origin, "Host": "abc123.execute-api.eu-west-1.amazonaws.com"},
            "queryStringParameters": {"ticket": ticket}, "stageVariables": {},
            "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c=", "apiId": "abc123"},
        });
        self.socket(event).await.unwrap()
    }

    /// Opens a WebSocket for `user` with all its steps.
    pub(crate) async fn connect(&self, user: &str, connection: &str) {
        let ticket = self.ticket(user).await;
        let policy = self.authorize(&ticket, PAGE).await;
        assert_eq!(policy["policyDocument"]["Statement"][0]["Effect"], "Allow");
        // API Gateway passes the whole context on as text.
        let until = policy["context"]["until"].to_string();
        let authorizer = json!({"principalId": user, "sub": policy["context"]["sub"], "until": until});
        let answer = self.socket(json!({"requestContext": {
            "routeKey": "$connect", "eventType": "CONNECT", "connectionId": connection, "authorizer": authorizer,
        }}));
        assert_eq!(answer.await.unwrap()["statusCode"], 200);
        self.state().browsers.insert(connection.to_owned(), Vec::new());
    }

    /// A browser disconnects, with or without an event from API Gateway.
    pub(crate) async fn disconnect(&self, connection: &str, code: u64) {
        self.vanish(connection);
        let event = json!({"requestContext": {
            "routeKey": "$disconnect", "eventType": "DISCONNECT", "connectionId": connection, "disconnectStatusCode": code,
        }});
        assert_eq!(self.socket(event).await.unwrap()["statusCode"], 200);
    }

    pub(crate) fn vanish(&self, connection: &str) {
        self.state().browsers.remove(connection);
    }

    /// A browser sends a message.
    pub(crate) async fn say(&self, connection: &str, message: Value) {
        let event = json!({
            "requestContext": {"routeKey": message["action"], "eventType": "MESSAGE", "connectionId": connection},
            "body": message.to_string(), "isBase64Encoded": false,
        });
        assert_eq!(self.socket(event).await.unwrap()["statusCode"], 200);
    }

    pub(crate) async fn run(&self, connection: &str, request: &str) {
        self.say(connection, run(request)).await;
    }

    /// The messages to a browser since the last call.
    pub(crate) fn received(&self, connection: &str) -> Vec<Value> {
        let mut state = self.state();
        let received = std::mem::take(state.browsers.get_mut(connection).expect("the browser is connected"));
        received.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// As [`received`](Self::received); nothing if the browser is not connected.
    pub(crate) fn received_if_connected(&self, connection: &str) -> Vec<Value> {
        let is_connected = self.state().browsers.contains_key(connection);
        if is_connected { self.received(connection) } else { Vec::new() }
    }

    /// Sets the answer to the next call of an operation of any service.
    pub(crate) fn script(&self, call: &'static str, case: Case) {
        self.state().script = Some((call, case));
    }

    /// An attribute of a request's item.
    pub(crate) fn item(&self, user: &str, request: &str, name: &str) -> Value {
        let key = queries::Request::key(user, request);
        self.state().dynamo.attribute(&format!("request#{key}"), "request", name)
    }

    /// The table as seen by another run of a function.
    pub(crate) fn table(&self) -> queries::Table {
        let config = function::aws::service(&environment(&self.url, &[]), "DYNAMODB").unwrap();
        queries::Table::new(aws_sdk_dynamodb::Client::new(&config), TABLE.to_owned(), self.time.clock())
    }

    /// The `id` of all items up to the `#`, and their counts.
    pub(crate) fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for (id, part) in self.state().dynamo.items.keys() {
            let kind = format!("{} {}", id.split('#').next().unwrap(), part.split('#').next().unwrap());
            *kinds.entry(kind).or_default() += 1;
        }
        kinds
    }

    /// Sets DynamoDB's faults for the next calls of an operation.
    pub(crate) fn faults(&self, operation: &'static str, faults: &[Fault]) {
        self.state().dynamo.faults.insert(operation, faults.iter().copied().collect());
    }

    /// The types of the messages to a browser.
    pub(crate) fn types(&self, connection: &str) -> Vec<String> {
        self.received(connection).iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn statements(&self) -> usize {
        self.state().warehouse.statements.len()
    }

    /// Changes a statement, by its number.
    pub(crate) fn statement<T>(&self, number: usize, act: impl FnOnce(&mut Statement) -> T) -> T {
        act(&mut self.state().warehouse.statements[number])
    }

    /// Ends a statement with one row; returns EventBridge's event.
    pub(crate) async fn ends(&self, number: usize) {
        let event = self.statement(number, |statement| {
            statement.finish(&[&[&[json!("canary-cell")]]]);
            statement.event("FINISHED")
        });
        assert_eq!(self.finished(event).await, Ok(json!({"notified": true})));
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.log();
        let state = self.state();
        for canary in state.tickets.iter().map(String::as_str).chain(["canary", MONTH, "select"]) {
            assert!(!log.contains(canary), "`{canary}` leaked into the log: {log}");
        }
        for item in state.dynamo.items.values() {
            let text = item.to_string();
            assert!(!state.tickets.iter().any(|ticket| text.contains(ticket.as_str())), "a ticket is stored: {text}");
        }
    }
}

pub(crate) fn run(request: &str) -> Value {
    json!({"action": "run", "requestId": request, "query": "taxi-month", "parameters": {"month": MONTH}})
}

/// A request's ID.
pub(crate) fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The variables that the stack sets for one or several of the functions.
pub(crate) const OWN: [(&str, &str); 7] = [
    ("TENANT", "acme"),
    ("TABLE", TABLE),
    ("WAREHOUSE", r#"{"workgroup":"w","database":"d"}"#),
    ("SCHEMA", "query_app"),
    ("ORIGINS", PAGE),
    ("QUERIES_OWNER", "123456789012"),
    ("CONNECTIONS_URL", "https://abc123.execute-api.eu-west-1.amazonaws.com/live"),
];
