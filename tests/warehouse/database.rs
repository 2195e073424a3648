//! PostgreSQL behind the stand-in for the Data API. This shows rights, views and the differences that an Update makes, not that
//! Redshift accepts every word. The Lambda that signs is played: a token here is its arguments.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_redshiftdata::Client;
use function::Clock;
use lambda_runtime::{Context, LambdaEvent};
use loopback::{Environment, Request, reply};
use redshift::{DataApi, Field, Statement, Status, Warehouse};
use serde_json::{Value, json};
use stand_ins::postgres::Postgres;
use stand_ins::redshift::{Redshift, RedshiftOptions};
use stand_ins::signed::Caller;
use warehouse_setup::{System, WarehouseSetup};

use crate::Setup;

/// A database with a source of quotes and some people, the function, CloudFormation's bucket, one with a script, and a Lambda that signs.
pub struct InDatabase<S> {
    handler: WarehouseSetup<S>,
    client: Client,
    answers: Arc<Mutex<Vec<Value>>>,
    url: String,
    _postgres: Postgres,
}

/// The link of the quotes.
pub const LINK: &str = "https://a.example/prod/quote?t=";

impl<S: System> InDatabase<S> {
    /// All of it, with no script in the bucket.
    pub async fn new(setup: Setup<S>) -> InDatabase<S> {
        InDatabase::with_script(setup, "").await
    }

    /// All of it, with this script in the bucket.
    pub async fn with_script(setup: Setup<S>, script: &'static str) -> InDatabase<S> {
        let folder = tempfile::tempdir().unwrap();
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin/python");
        let postgres = Postgres::start(folder.path(), &python).await.unwrap();
        let options = RedshiftOptions { database: "dev", region: "us-east-1", rows_a_page: 2 };
        let redshift = Redshift::start(&postgres, options).await.unwrap();
        let answers: Arc<Mutex<Vec<Value>>> = Arc::default();
        let taken = Arc::clone(&answers);
        let address = loopback::serve(move |request| {
            let body = || serde_json::from_str::<Value>(&request.body).unwrap();
            std::future::ready(match request.method.as_str() {
                "GET" => reply(200, script),
                "PUT" => {
                    taken.lock().unwrap().push(body());
                    reply(200, "")
                }
                _ => reply(200, sign(&request, &body())),
            })
        })
        .await;
        let url = format!("http://{address}");
        redshift.connect(Caller::new(&url, "us-east-1", Credentials::new("test", "test", None, None, "test")));
        let variables = BTreeMap::from([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_REDSHIFT_DATA", &redshift.url),
            ("AWS_ENDPOINT_URL_S3", &url),
        ]);
        let variables: BTreeMap<String, String> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let variable: Environment = Box::new(move |name| variables.get(name).cloned());
        let config = function::aws::service(&variable, "REDSHIFT_DATA").unwrap();
        let handler = setup(&variable, Clock::system());
        let world = InDatabase { handler, client: Client::new(&config), answers, url, _postgres: postgres };
        world
            .all(&[
                "create schema sales",
                "create table sales.rates (\"Customer\" varchar(100), skill varchar(100), cost decimal(12,4), note varchar(9))",
                "insert into sales.rates values ('O''Brien & Söhne', 'Java', 100, 'x'), ('Acme', null, 2.5, null)",
                "create group sellers",
                "create group analysts",
                "create user ann password disable",
                "create user ben password disable",
                "alter group sellers add user ann",
                "alter group analysts add user ben",
            ])
            .await;
        world
    }

    /// Carries out an event and returns the answer.
    pub async fn handle(&self, mut event: Value) -> Value {
        event["ResponseURL"] = json!(format!("{}/answer", self.url));
        let mut context = Context::default();
        context.deadline = function::millis(SystemTime::now() + Duration::from_secs(300));
        self.handler.handle(LambdaEvent::new(event, context)).await.unwrap();
        self.answers.lock().unwrap().last().unwrap().clone()
    }

    /// Carries out an event that must succeed.
    pub async fn succeed(&self, event: Value) -> Value {
        let answer = self.handle(event).await;
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        answer
    }

    /// Runs a statement as a user, or as the administrator: its rows as text, NULL as `-`, or why it failed.
    pub async fn run(&self, sql: &str, user: Option<&str>) -> Result<Vec<Vec<String>>, String> {
        let mut warehouse = json!({"cluster": "c", "database": "dev"});
        if let Some(user) = user {
            warehouse["dbUser"] = json!(user);
        }
        let warehouse: Warehouse = serde_json::from_value(warehouse).unwrap();
        let api = DataApi::new(self.client.clone(), warehouse, Clock::system());
        let id = api.submit(&Statement::new(sql)).await.unwrap();
        match api.wait(&id, SystemTime::now() + Duration::from_secs(60)).await.unwrap() {
            Status::Finished { has_result: false, .. } => Ok(Vec::new()),
            Status::Finished { .. } => {
                let rows = api.rows(&id).await.unwrap();
                Ok(rows.iter().map(|row| row.iter().map(text).collect()).collect())
            }
            Status::Failed { message } => Err(message),
            other => panic!("{other:?}"),
        }
    }

    /// Rows for the administrator.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.run(sql, None).await.unwrap()
    }

    /// Runs statements that must succeed, as the administrator.
    pub async fn all(&self, statements: &[&str]) {
        for sql in statements {
            self.run(sql, None).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => "-".to_owned(),
        Field::Boolean(value) => value.to_string(),
        Field::Integer(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Text(text) => text.clone(),
    }
}

/// The name of the function, and the arguments.
fn sign(request: &Request, batch: &Value) -> Value {
    let function = request.target.split('/').nth(3).unwrap();
    let rows = batch["arguments"].as_array().unwrap();
    let results: Vec<_> = rows.iter().map(|row| format!("{function}:{row}")).collect();
    json!({"success": true, "num_records": results.len(), "results": results})
}
