//! A PostgreSQL that all tests share while one of them runs, a stand-in with its own database for each, and fakes of Lambda and
//! EventBridge to call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use aws_sdk_redshiftdata::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{Field, SqlParameter};
use aws_sdk_redshiftdata::{Client, Config};
use loopback::{Answer, Request};
use serde_json::Value;
use stand_ins::postgres::Postgres;
use stand_ins::redshift::{Redshift, RedshiftOptions};
use stand_ins::signed::Caller;

static SHARED: tokio::sync::Mutex<Weak<Postgres>> = tokio::sync::Mutex::const_new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) redshift: Redshift,
    pub(crate) database: String,
    /// The requests that Lambda and EventBridge received.
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
    _postgres: Arc<Postgres>,
}

/// PostgreSQL, started for the first of the tests that run at the same time.
async fn postgres() -> Arc<Postgres> {
    let mut shared = SHARED.lock().await;
    if let Some(postgres) = shared.upgrade() {
        return postgres;
    }
    let folder = std::env::temp_dir();
    let python = std::path::absolute("../../.tools/venv/bin/python").unwrap();
    let postgres = Arc::new(Postgres::start(&folder, &python).await.unwrap());
    *shared = Arc::downgrade(&postgres);
    postgres
}

impl World {
    /// Without a Lambda.
    pub(crate) async fn new() -> World {
        World::with(|_, _| Answer::HangUp).await
    }

    /// `answer` plays Lambda and EventBridge; it gets the number of the request, from 0.
    pub(crate) async fn with(answer: impl Fn(usize, &Request) -> Answer + Clone + Send + 'static) -> World {
        let postgres = postgres().await;
        let database = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let options = RedshiftOptions { database: &database, region: "us-east-1", rows_a_page: 3 };
        let redshift = Redshift::start(&postgres, options).await.unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let address = loopback::serve(move |request| {
            let mut seen = seen.lock().unwrap();
            let answer = answer(seen.len(), &request);
            seen.push(request);
            std::future::ready(answer)
        })
        .await;
        let credentials = Credentials::new("test", "test", None, None, "test");
        redshift.connect(Caller::new(&format!("http://{address}"), "us-east-1", credentials.clone()));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(&redshift.url);
        World { client: Client::from_conf(config.build()), redshift, database, requests, _postgres: postgres }
    }

    /// Runs a statement to its end.
    pub(crate) async fn run(&self, sql: &str) -> DescribeStatementOutput {
        self.run_with(sql, &[], None).await
    }

    pub(crate) async fn run_with(
        &self,
        sql: &str,
        parameters: &[(&str, &str)],
        user: Option<&str>,
    ) -> DescribeStatementOutput {
        let parameter =
            |(name, value): &(&str, &str)| SqlParameter::builder().name(*name).value(*value).build().unwrap();
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        let started = self
            .client
            .execute_statement()
            .cluster_identifier("c")
            .database(&self.database)
            .set_db_user(user.map(str::to_owned))
            .sql(sql)
            .set_parameters(Some(parameters).filter(|parameters| !parameters.is_empty()))
            .wait_time_seconds(30)
            .send()
            .await
            .unwrap();
        self.describe(started.id().unwrap()).await
    }

    pub(crate) async fn describe(&self, id: &str) -> DescribeStatementOutput {
        self.client.describe_statement().id(id).send().await.unwrap()
    }

    /// Runs statements that must work.
    pub(crate) async fn all(&self, statements: &[&str]) {
        for sql in statements {
            let described = self.run(sql).await;
            assert_eq!(described.error(), None, "{sql}");
        }
    }

    /// The result of a query that must work, as text; NULL is `-`.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let described = self.run(sql).await;
        assert_eq!(described.error(), None, "{sql}");
        let mut pages = self.client.get_statement_result().id(described.id()).into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            rows.extend(page.unwrap().records.iter().map(|row| row.iter().map(text).collect()));
        }
        rows
    }

    /// The error of a statement that must fail.
    pub(crate) async fn error(&self, sql: &str) -> String {
        self.run(sql).await.error().unwrap_or("no error").to_owned()
    }

    /// The bodies of the requests so far.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::BooleanValue(value) => value.to_string(),
        Field::LongValue(value) => value.to_string(),
        Field::DoubleValue(value) => value.to_string(),
        Field::StringValue(value) => value.clone(),
        _ => "-".to_owned(),
    }
}
