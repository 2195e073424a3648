//! A Redshift Data API whose statements run until the test ends them.

use std::collections::{BTreeMap, VecDeque};

use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Warehouse {
    pub(crate) statements: Vec<Statement>,
    pub(crate) calls: Vec<String>,
    /// Faults by operation, one per call.
    pub(crate) refusals: BTreeMap<&'static str, VecDeque<(u16, &'static str, &'static str)>>,
    /// How many answers to submissions are lost.
    pub(crate) lost_answers: usize,
    /// Whether a cancelled statement continues.
    pub(crate) is_stubborn: bool,
}

pub(crate) struct Statement {
    pub(crate) id: String,
    /// The whole request.
    pub(crate) asked: Value,
    pub(crate) status: &'static str,
    pub(crate) cancels: usize,
    columns: Value,
    /// Records page by page.
    pages: Vec<Vec<Value>>,
    error: String,
    /// The tokens after each page, if not those of the pages.
    pub(crate) next: Vec<String>,
}

impl Warehouse {
    /// Answers a request if it is one to the Data API.
    pub(crate) fn answer(&mut self, request: &Request) -> Option<Answer> {
        let operation = request.header("x-amz-target").strip_prefix("RedshiftData.")?.to_owned();
        let body: Value = serde_json::from_str(&request.body).unwrap();
        self.calls.push(operation.clone());
        let refusal = self.refusals.get_mut(operation.as_str()).and_then(VecDeque::pop_front);
        if let Some((status, code, message)) = refusal {
            return Some(reply(status, json!({"__type": code, "message": message, "Message": message})));
        }
        if operation == "ExecuteStatement" {
            let answer = self.execute(body);
            let is_lost = self.lost_answers > 0;
            self.lost_answers = self.lost_answers.saturating_sub(1);
            return Some(if is_lost { Answer::HangUp } else { answer });
        }
        let is_stubborn = self.is_stubborn;
        let Some(statement) = self.statements.iter_mut().find(|statement| statement.id == body["Id"]) else {
            return Some(reply(400, json!({"__type": "ResourceNotFoundException", "Message": "no"})));
        };
        Some(match operation.as_str() {
            "DescribeStatement" => {
                let bytes = serde_json::to_string(&statement.pages).unwrap().len();
                let rows: usize = statement.pages.iter().map(Vec::len).sum();
                reply(
                    200,
                    json!({
                        "Id": statement.id, "Status": statement.status, "ResultRows": rows, "ResultSize": bytes,
                        "HasResultSet": true, "Error": statement.error,
                    }),
                )
            }
            "GetStatementResult" => {
                let number =
                    body["NextToken"].as_str().map_or(Ok(0), |token| token.trim_start_matches("page-").parse());
                let Ok(number): Result<usize, _> = number else {
                    return Some(reply(
                        400,
                        json!({"__type": "ValidationException", "message": "NextToken 'canary-token' is not valid"}),
                    ));
                };
                let mut page = json!({"ColumnMetadata": statement.columns, "Records": statement.pages[number]});
                if let Some(next) = statement.next.get(number) {
                    page["NextToken"] = json!(next);
                } else if number + 1 < statement.pages.len() {
                    page["NextToken"] = json!(format!("page-{}", number + 1));
                }
                reply(200, page)
            }
            "CancelStatement" => {
                statement.cancels += 1;
                if !is_stubborn && statement.status == "STARTED" {
                    statement.status = "ABORTED";
                }
                reply(200, json!({"Status": true}))
            }
            other => panic!("the fake does not know {other}"),
        })
    }

    fn execute(&mut self, body: Value) -> Answer {
        assert_eq!(body["WithEvent"], true);
        let token = &body["ClientToken"];
        assert!((1..=64).contains(&token.as_str().unwrap().len()));
        if let Some(known) = self.statements.iter().find(|statement| statement.asked["ClientToken"] == *token) {
            return reply(200, json!({"Id": known.id}));
        }
        let id = format!("00000000-0000-4000-8000-{:012}", self.statements.len());
        self.statements.push(Statement {
            id: id.clone(),
            asked: body,
            status: "STARTED",
            cancels: 0,
            columns: json!([]),
            pages: vec![Vec::new()],
            error: String::new(),
            next: Vec::new(),
        });
        reply(200, json!({"Id": id}))
    }
}

impl Statement {
    /// Ends it with a result of texts, in pages.
    pub(crate) fn finish(&mut self, pages: &[&[&[Value]]]) {
        let width = pages[0].first().map_or(1, |row| row.len());
        let column = |place: usize| json!({"name": format!("c{place}"), "label": format!("c{place}"), "typeName": "varchar", "nullable": 1});
        self.columns = (0..width).map(column).collect();
        let record = |row: &&[Value]| row.iter().map(field).collect::<Value>();
        self.pages = pages.iter().map(|page| page.iter().map(record).collect()).collect();
        self.status = "FINISHED";
    }

    pub(crate) fn fail(&mut self, error: &str) {
        error.clone_into(&mut self.error);
        self.status = "FAILED";
    }

    /// EventBridge's event of its end.
    pub(crate) fn event(&self, state: &str) -> Value {
        json!({
            "version": "0", "id": "18e7079c-dd4b-dd64-caf9-e2a31640dab0", "source": "aws.redshift-data",
            "detail-type": "Redshift Data Statement Status Change", "account": "123456789012", "region": "eu-west-1",
            "resources": ["arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/w"],
            "detail": {
                "principal": "arn:aws:sts::123456789012:assumed-role/r/f", "statementName": self.asked["StatementName"],
                "statementId": self.id, "redshiftQueryId": -1, "state": state, "rows": 1, "expireAt": 1_601_673_265,
            },
        })
    }
}

fn field(value: &Value) -> Value {
    match value {
        Value::Null => json!({"isNull": true}),
        Value::Bool(value) => json!({"booleanValue": value}),
        Value::Number(number) if number.is_i64() => json!({"longValue": number}),
        Value::Number(number) => json!({"doubleValue": number}),
        other => json!({"stringValue": other}),
    }
}
