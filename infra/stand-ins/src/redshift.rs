//! A stand-in for the Redshift Data API, with PostgreSQL where Redshift would be.
//!
//! It has the service's own protocol, states, limits and errors. **What it understands is
//! PostgreSQL's SQL, not Redshift's**: a statement that works here may not work there. `redshift/dialect.rs`
//! lists the few things that are translated.
//!
//! ```text
//! SDK ─ RedshiftData.* ─► Redshift ─ socket ─► PostgreSQL
//!                            │  └─ calls of external functions ─► Lambda, by Redshift's batches
//!                            └─ ends of statements ─► functions of the deployed EventBridge rules
//! ```
//!
//! Not implemented: signatures and IAM, which database user an IAM identity is (without `DbUser` everything runs as the superuser
//! `awsuser`), sessions that are kept, results as CSV, `GetStatementResultV2`, `ListSessions`, catalogue operations
//! (`ListTables` …), expiry, and everything about clusters and workgroups beyond their names.

mod dialect;
mod events;
mod external;
mod ids;
mod lexer;
mod literal;
mod operations;
mod pages;
mod problem;
mod results;
mod runner;
mod session;
mod statement;
mod store;
mod submission;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::post;
use tokio::sync::Semaphore;
use tokio_postgres::NoTls;

use self::operations::dispatch;
use self::problem::Problem;
use self::statement::Statement;
use self::store::{Data, Store, lock};
use crate::postgres::Postgres;
use crate::signed::Caller;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct RedshiftOptions<'a> {
    /// The first database, created if it is missing. `CREATE DATABASE` creates others.
    pub database: &'a str,
    /// For the ARNs in events and batches.
    pub region: &'a str,
    /// Rows on a page of a result. The service's pages are by size; small ones expose a caller that reads only the first.
    pub rows_a_page: usize,
}

/// A running stand-in. It ends with the runtime it was started on.
#[derive(Clone)]
pub struct Redshift {
    /// `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL_REDSHIFT_DATA`.
    pub url: String,
    state: Store,
}

/// Statements that run at one time. PostgreSQL takes more connections than this.
const MOST_SESSIONS: usize = 40;

impl Redshift {
    /// Starts it on a free port of the loopback interface, over a running PostgreSQL.
    ///
    /// # Errors
    ///
    /// If no port is free, or PostgreSQL cannot create the database.
    pub async fn start(postgres: &Postgres, options: RedshiftOptions<'_>) -> anyhow::Result<Redshift> {
        make_database(postgres, options.database).await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let data = Data {
            config: postgres.config(options.database),
            region: options.region.to_owned(),
            rows_a_page: options.rows_a_page,
            caller: None,
            statements: Vec::new(),
            sessions: Arc::new(Semaphore::new(MOST_SESSIONS)),
        };
        let state = Arc::new(Mutex::new(data));
        let router = Router::new()
            .route("/", post(dispatch))
            .fallback(async || Problem::unknown_operation().into_response())
            .layer(DefaultBodyLimit::max(8 << 20))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Redshift { url, state })
    }

    /// Sets the address of Lambda and EventBridge. Before that, external functions fail and no event is delivered.
    pub fn connect(&self, caller: Caller) {
        lock(&self.state).caller = Some(caller);
    }

    /// Names, states and texts of all statements so far, oldest first; values are not shown.
    pub fn log(&self) -> Vec<(Option<String>, &'static str, String)> {
        let data = lock(&self.state);
        let entry = |statement: &Statement| {
            let submission = &statement.submission;
            (submission.name.clone(), statement.state.name(), submission.written.join(";\n"))
        };
        data.statements.iter().map(entry).collect()
    }

    /// When the newest statement of this name ended.
    pub fn ended(&self, name: &str) -> Option<SystemTime> {
        let data = lock(&self.state);
        let is_it = |statement: &&Statement| statement.submission.name.as_deref() == Some(name);
        data.statements
            .iter()
            .rev()
            .find(is_it)
            .filter(|statement| statement.state.is_end())
            .map(|statement| statement.updated)
    }
}

impl std::fmt::Debug for Redshift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redshift").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn make_database(postgres: &Postgres, name: &str) -> anyhow::Result<()> {
    let (client, connection) = postgres.config("postgres").connect(NoTls).await?;
    tokio::spawn(connection);
    let known = client.query("select from pg_database where datname = $1", &[&name]).await?;
    if known.is_empty() {
        client.batch_execute(&format!("create database \"{}\"", name.replace('"', "\"\""))).await?;
    }
    let (client, connection) = postgres.config(name).connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(dialect::FUNCTIONS).await?;
    Ok(())
}
