//! A Data API that finishes everything, a bucket that accepts answers, and faults in front of both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_resource::Unanswered;
use function::Clock;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Answer, Environment, Request, Time, environment, reply};
use serde_json::{Value, json};
use warehouse_setup::{System, WarehouseSetup};

/// Part of the address that answers are sent to; it must not appear in any log line or answer.
pub const SIGNATURE: &str = "canary-signature-81c2";

/// Creates the function that is tested, from its environment.
pub type Setup<S> = fn(&Environment, Clock) -> WarehouseSetup<S>;

/// One run's world; its clock waits without taking time.
pub struct Scripted<S> {
    setup: Setup<S>,
    url: String,
    data: Arc<Mutex<Data>>,
    time: Time,
}

#[derive(Default)]
struct Data {
    /// By client token.
    statements: BTreeMap<String, Submitted>,
    answers: Vec<Request>,
    requests: usize,
}

struct Submitted {
    id: String,
    request: Value,
}

impl<S: System> Scripted<S> {
    /// A world in which everything works.
    pub async fn new(setup: Setup<S>) -> Scripted<S> {
        Scripted::with(setup, |_, _| None).await
    }

    /// A world in which `fault` may replace the answer to a request, which it is given with its number.
    pub async fn with(
        setup: Setup<S>,
        fault: impl Fn(usize, &Request) -> Option<Answer> + Clone + Send + 'static,
    ) -> Scripted<S> {
        let data: Arc<Mutex<Data>> = Arc::default();
        let shared = Arc::clone(&data);
        let address = loopback::serve(move |request| {
            let mut data = shared.lock().unwrap();
            data.requests += 1;
            let fault = fault(data.requests - 1, &request);
            // A fault may come after the request was accepted, which is the harder case.
            let answer = data.answer(&request);
            std::future::ready(fault.unwrap_or(answer))
        })
        .await;
        Scripted { setup, url: format!("http://{address}"), data, time: Time::at(0) }
    }

    /// The function.
    pub fn handler(&self) -> WarehouseSetup<S> {
        self.handler_with(self.time.clock())
    }

    /// The function with another clock.
    pub fn handler_with(&self, clock: Clock) -> WarehouseSetup<S> {
        (self.setup)(&environment(&self.url, &[]), clock)
    }

    /// Passes an event to the function.
    ///
    /// # Errors
    ///
    /// As the function's own.
    pub async fn handle(&self, event: Value) -> Result<Value, Unanswered> {
        self.handler().handle(self.event(event)).await
    }

    /// The event as Lambda passes it, 300 seconds before its deadline.
    pub fn event(&self, mut event: Value) -> LambdaEvent<Value> {
        event["ResponseURL"] = json!(format!("{}/answer?X-Amz-Signature={SIGNATURE}", self.url));
        let mut context = Context::default();
        context.deadline = self.time.deadline(Duration::from_secs(300));
        LambdaEvent::new(event, context)
    }

    /// The requests that delivered answers.
    pub fn put(&self) -> Vec<Request> {
        self.data.lock().unwrap().answers.clone()
    }

    /// The only answer.
    pub fn answer(&self) -> Value {
        let answers = self.put();
        assert_eq!(answers.len(), 1, "{answers:?}");
        serde_json::from_str(&answers[0].body).unwrap()
    }

    /// The texts of all statements, in order.
    pub fn statements(&self) -> Vec<String> {
        let data = self.data.lock().unwrap();
        let mut submitted: Vec<_> = data.statements.iter().collect();
        submitted.sort_by_key(|(token, _)| token.rsplit('-').next().unwrap().parse::<u32>().unwrap());
        submitted.iter().map(|(_, submitted)| submitted.request["Sql"].as_str().unwrap().to_owned()).collect()
    }
}

impl Data {
    fn answer(&mut self, request: &Request) -> Answer {
        if request.method == "PUT" {
            self.answers.push(request.clone());
            return reply(200, "");
        }
        // An object in S3, which a fault answers.
        if request.method == "GET" {
            return reply(404, "<Error><Code>NoSuchKey</Code></Error>");
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let number = self.statements.len();
        match request.header("x-amz-target") {
            "RedshiftData.ExecuteStatement" => {
                let token = body["ClientToken"].as_str().unwrap().to_owned();
                let id = format!("d9b6c0c9-0747-4bf4-b142-{number:012}");
                let submitted = self.statements.entry(token).or_insert(Submitted { id, request: body.clone() });
                assert_eq!(submitted.request["Sql"], body["Sql"], "a token identifies one statement");
                reply(200, json!({"Id": submitted.id}))
            }
            "RedshiftData.DescribeStatement" => {
                reply(200, json!({"Id": body["Id"], "Status": "FINISHED", "ResultRows": 0, "HasResultSet": true}))
            }
            "RedshiftData.GetStatementResult" => reply(200, json!({"Records": []})),
            "RedshiftData.CancelStatement" => reply(200, json!({"Status": true})),
            other => panic!("{other}"),
        }
    }
}

/// The event that creates a resource with these properties.
pub fn create(properties: Value) -> Value {
    json!({
        "RequestType": "Create",
        "RequestId": "5f1c2a1e-7a1e-4b61-8c8b-3a1f0a1b2c3d",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/acme-setup/1b2c",
        "LogicalResourceId": "InWarehouse",
        "ResourceType": "AWS::CloudFormation::CustomResource",
        "ResourceProperties": properties,
    })
}
