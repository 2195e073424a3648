//! Everything the function depends on: DynamoDB, Secrets Manager, Redshift, the clock, and what it wrote to its log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use loopback::dynamo::{holds, refused};
use loopback::{Answer, Log, Request, Time, environment, reply, serve};
use serde_json::{Value, json};
use write_back::{Key, Row, Signer, Terms};
use write_back_api::{QuoteApi, Settings};

pub(crate) const NOW: u64 = 1_714_557_600; // 2024-05-01T10:00:00Z
pub(crate) const API: &str = "a1b2c3d4e5";
pub(crate) const QUOTE: &str = "f0000000-0000-4000-8000-000000000001";
pub(crate) const INPUTS: &str = r#"[
    {"name":"comment","label":"Comment","type":"text","maxLength":500},
    {"name":"discount","label":"Discount","type":"decimal","minimum":"0","maximum":"30"},
    {"name":"seats","label":"Seats","type":"integer","minimum":"1"},
    {"name":"start","label":"Start","type":"date"}]"#;

/// The row of most links.
pub(crate) const ROW: Row<'_> = Row {
    action: Some("generate"),
    customer: Some("canary-customer"),
    skill: Some("canary-skill"),
    cost: Some("1234.5"),
    quote_id: None,
};

/// What the fakes know and have recorded.
pub(crate) struct State {
    /// The claims table: items in DynamoDB's JSON.
    pub(crate) table: BTreeMap<String, Value>,
    /// `quote_history`, each row by column.
    pub(crate) rows: Vec<BTreeMap<String, Option<String>>>,
    /// `vw_quote_source`: customer, skill and cost of each row; `None` has every row.
    pub(crate) source: Option<Vec<[String; 3]>>,
    pub(crate) statements: BTreeMap<String, Statement>,
    /// How many statements were accepted, including those that are forgotten.
    pub(crate) submitted: usize,
    /// The secret's values by stage.
    pub(crate) secrets: BTreeMap<String, String>,
    /// The operations that were called, in order.
    pub(crate) calls: Vec<String>,
    /// What a service does instead of its work, by operation, one per call.
    pub(crate) faults: BTreeMap<&'static str, VecDeque<Fault>>,
    /// How often a statement is reported as running before its end.
    pub(crate) looks: usize,
    /// How statements end, in the order of their submission; `FINISHED` if none is left.
    pub(crate) ends: VecDeque<&'static str>,
    /// Whether the service remembers client tokens, as it does for eight hours.
    pub(crate) remembers_client_tokens: bool,
    secrets_of_the_test: Vec<String>,
}

/// A statement as the Data API has it.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) parameters: BTreeMap<String, String>,
    client_token: String,
    looks: usize,
    end: &'static str,
    written: usize,
}

#[derive(Clone)]
pub(crate) enum Fault {
    Works,
    /// Gives this response and does nothing.
    Says(u16, &'static str, &'static str),
    /// Does the work, then closes the connection.
    LosesAnswer,
}

pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) handler: QuoteApi,
    pub(crate) time: Time,
    log: Log,
}

/// An answer of the function.
pub(crate) struct Page {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: String,
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
        let settings = settings(&format!("http://{address}"), variables);
        let time = Time::at(NOW);
        let log = Log::of(&["write_back_api", "redshift"]);
        World { handler: QuoteApi::new(settings, time.clock()), state, time, log }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A token for `row`, issued now.
    pub(crate) fn token(&self, row: &Row<'_>) -> String {
        let issued = self.seconds();
        self.signed(row, &Terms { tenant: "acme", audience: API, issued, expires: issued + 1800 }, "k1")
    }

    pub(crate) fn signed(&self, row: &Row<'_>, terms: &Terms<'_>, kid: &str) -> String {
        let mut token = String::new();
        Signer::new(&Key::parse(&secret(kid)).unwrap(), terms).unwrap().sign(row, &mut token).unwrap();
        self.state().secrets_of_the_test.push(token.clone());
        token
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.time.seconds()
    }

    pub(crate) async fn send(&self, event: Value) -> Page {
        let mut context = Context::default();
        context.request_id = "request-1".to_owned();
        context.deadline = self.time.deadline(Duration::from_secs(29));
        let Ok(answer) = self.handler.handle(LambdaEvent::new(event, context)).await;
        assert_eq!(answer["isBase64Encoded"], false);
        let headers = answer["headers"].clone();
        for (name, value) in
            [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY")]
        {
            assert_eq!(headers[name], value);
        }
        Page {
            status: answer["statusCode"].as_u64().unwrap(),
            headers,
            body: answer["body"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn get(&self, token: &str) -> Page {
        self.send(get(token)).await
    }

    pub(crate) async fn post(&self, token: &str) -> Page {
        self.send(post(&[("t", token)])).await
    }

    pub(crate) async fn status(&self, address: &str) -> Page {
        let name = address.rsplit_once("s=").unwrap().1;
        self.send(event("GET", "/quote/status", json!({"s": name}), Value::Null)).await
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.time.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|called| *called == operation).count()
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// The values of one column, in order.
    pub(crate) fn column(&self, name: &str) -> Vec<Option<String>> {
        self.state().rows.iter().map(|row| row[name].clone()).collect()
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        self.column("status").into_iter().flatten().collect()
    }
}

impl Page {
    /// The address from which a waiting page refreshes.
    pub(crate) fn refresh(&self) -> String {
        let (_, rest) = self.body.split_once("http-equiv=\"refresh\" content=\"2;url=").expect("the page refreshes");
        rest.split_once('"').unwrap().0.to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.log();
        let state = self.state();
        let tokens = state.secrets_of_the_test.iter().map(String::as_str);
        for canary in tokens.chain(["canary"]) {
            assert!(!log.contains(canary), "`{canary}` leaked into the log: {log}");
        }
        for statement in state.statements.values() {
            assert!(!statement.sql.contains("canary"), "a value leaked into SQL: {}", statement.sql);
        }
    }
}

pub(crate) fn get(token: &str) -> Value {
    event("GET", "/quote", json!({"t": token}), Value::Null)
}

pub(crate) fn post(fields: &[(&str, &str)]) -> Value {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    event("POST", "/quote", Value::Null, json!(body))
}

pub(crate) fn event(method: &str, resource: &str, query: Value, body: Value) -> Value {
    json!({
        "resource": resource, "path": resource, "httpMethod": method,
        "headers": {"Host": format!("{API}.execute-api.eu-west-1.amazonaws.com"), "content-type": "application/x-www-form-urlencoded"},
        "multiValueHeaders": {}, "queryStringParameters": query, "multiValueQueryStringParameters": null, "pathParameters": null,
        "requestContext": {"apiId": API, "stage": "prod", "path": format!("/prod{resource}"), "requestId": "r1", "identity": {"sourceIp": "192.0.2.1"}},
        "body": body, "isBase64Encoded": false,
    })
}

/// The secret's value with the key `kid`.
pub(crate) fn secret(kid: &str) -> String {
    json!({"kid": kid, "key": format!("canary-signing-key-of-{kid}-0123456789")}).to_string()
}

pub(crate) fn settings(url: &str, variables: &[(&str, &str)]) -> Settings {
    let own = [
        ("TENANT", "acme"),
        ("SIGNING_KEYS_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:canary-arn"),
        ("CLAIMS_TABLE", "claims"),
        ("WAREHOUSE", r#"{"workgroup":"w","database":"d"}"#),
        ("SCHEMA", "write_back"),
        ("LOCALE", "de-DE"),
        ("CURRENCY", "EUR"),
    ];
    Settings::read(&environment(url, own.iter().chain(variables))).unwrap()
}

impl State {
    pub(crate) fn new() -> State {
        State {
            table: BTreeMap::new(),
            rows: Vec::new(),
            source: None,
            statements: BTreeMap::new(),
            submitted: 0,
            secrets: BTreeMap::from([("AWSCURRENT".to_owned(), secret("k1"))]),
            calls: Vec::new(),
            faults: BTreeMap::new(),
            looks: 0,
            ends: VecDeque::new(),
            remembers_client_tokens: true,
            secrets_of_the_test: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        let operation = request.header("x-amz-target").rsplit('.').next().unwrap().to_owned();
        self.calls.push(operation.clone());
        let fault = self.faults.get_mut(operation.as_str()).and_then(VecDeque::pop_front);
        if let Some(Fault::Says(status, code, message)) = fault {
            return reply(status, json!({"__type": code, "message": message, "Message": message}));
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let answer = match operation.as_str() {
            "GetSecretValue" => self.secret(&body),
            "PutItem" => self.put(&body),
            "GetItem" => {
                assert_eq!(body["ConsistentRead"], true);
                let item = self.table.get(body["Key"]["id"]["S"].as_str().unwrap());
                reply(200, item.map_or(json!({}), |item| json!({"Item": item})))
            }
            "ExecuteStatement" => self.execute(&body),
            "DescribeStatement" => self.describe(&body),
            other => panic!("no service here has the operation {other}"),
        };
        if let Some(Fault::LosesAnswer) = fault { Answer::HangUp } else { answer }
    }

    fn secret(&self, body: &Value) -> Answer {
        match self.secrets.get(body["VersionStage"].as_str().unwrap()) {
            Some(value) => reply(200, json!({"ARN": "canary-arn", "SecretString": value})),
            None => reply(400, json!({"__type": "ResourceNotFoundException", "message": "canary-arn"})),
        }
    }

    fn put(&mut self, body: &Value) -> Answer {
        let id = body["Item"]["id"]["S"].as_str().unwrap().to_owned();
        let old = self.table.get(&id);
        assert!(body["ConditionExpression"].is_string(), "every write has a condition");
        if !holds(body, old) {
            return refused(body, old);
        }
        self.table.insert(id, body["Item"].clone());
        reply(200, json!({}))
    }

    /// Accepts a statement. If it is going to finish, it is executed at once; only its end is reported late.
    fn execute(&mut self, body: &Value) -> Answer {
        assert_eq!((&body["WorkgroupName"], &body["Database"]), (&json!("w"), &json!("d")));
        let client_token = body["ClientToken"].as_str().unwrap().to_owned();
        assert!((1..=64).contains(&client_token.len()));
        let known = self.statements.iter().find(|(_, statement)| statement.client_token == client_token);
        if let (Some((id, _)), true) = (known, self.remembers_client_tokens) {
            return reply(200, json!({"Id": id}));
        }
        let parameters: BTreeMap<String, String> = body["Parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| {
                let text = |field: &str| parameter[field].as_str().unwrap().to_owned();
                assert!(!text("value").is_empty(), "the service accepts no empty value");
                (text("name"), text("value"))
            })
            .collect();
        self.submitted += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.submitted - 1);
        let end = self.ends.pop_front().unwrap_or("FINISHED");
        let mut statement = Statement {
            sql: body["Sql"].as_str().unwrap().to_owned(),
            parameters,
            client_token,
            looks: self.looks,
            end,
            written: 0,
        };
        if end == "FINISHED" {
            statement.written = self.run(&statement);
        }
        self.statements.insert(id.clone(), statement);
        reply(200, json!({"Id": id}))
    }

    /// Executes a statement: the rows that it wrote or found.
    fn run(&mut self, statement: &Statement) -> usize {
        let Some(condition) = statement.sql.strip_prefix("select 1 from \"write_back\".quote_history where ") else {
            return self.insert(statement);
        };
        let may_be_accepted =
            match condition.strip_prefix("quote_id = :quote_id and (created_at = cast(:created_at as timestamp)") {
                Some(")") => false,
                Some(" or status = 'accepted')") => true,
                _ => panic!("the fake database does not know the condition {condition}"),
            };
        let given = |name: &str| Some(statement.parameters[name].clone());
        let rows = self.rows.iter().filter(|row| row["quote_id"] == given("quote_id"));
        rows.filter(|row| {
            row["created_at"] == given("created_at")
                || (may_be_accepted && row["status"].as_deref() == Some("accepted"))
        })
        .count()
    }

    /// Whether the database has what the link says.
    fn has_basis(&self, statement: &Statement, condition: &str) -> bool {
        let (basis, condition) = condition.split_once(" where ").unwrap();
        let given = |name: &str| statement.parameters[name].clone();
        let spellings = |column: &str| match () {
            () if condition.contains(&format!("{column} = ''")) => vec![String::new()],
            () if condition.contains(&format!("{column} in (:{column}, :{column}_nfd)")) => {
                vec![given(column), given(&format!("{column}_nfd"))]
            }
            () if condition.contains(&format!("{column} = :{column}")) => vec![given(column)],
            () => panic!("the fake database does not know the condition {condition}"),
        };
        assert!(condition.ends_with(" and cost = cast(:cost as decimal(18,2)))"), "{condition}");
        let is_row = |customer: &String, skill: &String, cost: &String| {
            spellings("customer").contains(customer) && spellings("skill").contains(skill) && *cost == given("cost")
        };
        match basis {
            "\"write_back\".vw_quote_source" => self
                .source
                .as_ref()
                .is_none_or(|rows| rows.iter().any(|[customer, skill, cost]| is_row(customer, skill, cost))),
            "\"write_back\".quote_history" => {
                assert!(condition.starts_with("quote_id = :quote_id and "), "{condition}");
                self.rows.iter().any(|row| {
                    let text = |name: &str| row[name].clone().unwrap();
                    text("quote_id") == given("quote_id") && is_row(&text("customer"), &text("skill"), &text("cost"))
                })
            }
            other => panic!("the fake database does not know the relation {other}"),
        }
    }

    fn insert(&mut self, statement: &Statement) -> usize {
        let (head, rest) = statement.sql.split_once(" select ").unwrap();
        let (values, condition) = rest.split_once(" where not exists (select 1 from ").unwrap();
        let (condition, basis) = condition.split_once(" and exists (select 1 from ").unwrap();
        let columns =
            head.strip_prefix("insert into \"write_back\".quote_history (").unwrap().strip_suffix(')').unwrap();
        let columns: Vec<&str> = columns.split(", ").map(|column| column.trim_matches('"')).collect();
        let values: Vec<Option<String>> = values
            .split(", ")
            .map(|value| match value.strip_prefix("cast(case when (select count(*) from \"write_back\".quote_history ") {
                Some(rest) => {
                    let expected = "where quote_id = cast(:quote_id as varchar(36))) > 0 then 'in review' else 'generated' end as varchar(16))";
                    assert_eq!(rest, expected);
                    let quote = Some(statement.parameters["quote_id"].clone());
                    let is_known = self.rows.iter().any(|row| row["quote_id"] == quote);
                    Some(if is_known { "in review" } else { "generated" }.to_owned())
                }
                None => statement.value(value),
            })
            .collect();
        assert_eq!(columns.len(), values.len(), "{}", statement.sql);
        let given = |name: &str| statement.parameters[name].clone();
        let is_there = match condition.strip_prefix("\"write_back\".quote_history where ").unwrap() {
            "submission_id = :submission_id)" => {
                self.rows.iter().any(|row| row["submission_id"] == Some(given("submission_id")))
            }
            "submission_id = :submission_id or (quote_id = :quote_id and status = 'accepted'))" => {
                self.rows.iter().any(|row| {
                    let is_accepted =
                        row["quote_id"] == Some(given("quote_id")) && row["status"].as_deref() == Some("accepted");
                    row["submission_id"] == Some(given("submission_id")) || is_accepted
                })
            }
            other => panic!("the fake database does not know the condition {other}"),
        };
        if is_there || !self.has_basis(statement, basis) {
            return 0;
        }
        self.rows.push(columns.into_iter().map(str::to_owned).zip(values).collect());
        1
    }

    fn describe(&mut self, body: &Value) -> Answer {
        let Some(statement) = self.statements.get_mut(body["Id"].as_str().unwrap()) else {
            return reply(400, json!({"__type": "ResourceNotFoundException", "Message": "Query does not exist."}));
        };
        if statement.looks > 0 {
            statement.looks -= 1;
            return reply(200, json!({"Id": body["Id"], "Status": "STARTED"}));
        }
        let mut answer =
            json!({"Id": body["Id"], "Status": statement.end, "HasResultSet": false, "ResultRows": statement.written});
        match statement.end {
            "FAILED" => answer["Error"] = json!("ERROR: value 'canary-customer' in insert"),
            "CONFLICT" => {
                answer["Status"] = json!("FAILED");
                answer["Error"] = json!("ERROR: 1023\nDETAIL: Serializable isolation violation on table - 1, canary");
            }
            _ => {}
        }
        reply(200, answer)
    }
}

impl Statement {
    pub(crate) fn finish(&mut self) {
        self.looks = 0;
    }

    /// The value of an expression in the select list: a cast parameter, NULL, or the empty text.
    fn value(&self, expression: &str) -> Option<String> {
        if expression == "''" {
            return Some(String::new());
        }
        let (value, _) = expression.strip_prefix("cast(").unwrap().split_once(" as ").unwrap();
        if let Some(text) = value.strip_prefix('\'') {
            return Some(text.trim_end_matches('\'').to_owned());
        }
        match value.strip_prefix(':') {
            Some(name) => Some(self.parameters.get(name).expect("the parameter is set").clone()),
            None => {
                assert_eq!(value, "null");
                None
            }
        }
    }
}
