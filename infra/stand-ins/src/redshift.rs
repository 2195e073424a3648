//! A stand-in for the Redshift Data API, with PostgreSQL where Redshift would be.
//!
//! What it speaks to its callers is the service's own protocol, states, limits and errors. **What it understands is
//! PostgreSQL's SQL, not Redshift's**: that a statement works here does not show that it works there. `redshift/dialect.rs`
//! lists the few things that are translated.
//!
//! ```text
//! SDK ─ RedshiftData.* ─► Redshift ─ socket ─► PostgreSQL
//!                            │  └─ calls of external functions ─► Lambda, by Redshift's batches
//!                            └─ ends of statements ─► functions of the deployed EventBridge rules
//! ```
//!
//! Not played: signatures and IAM, which database user an IAM identity is (without `DbUser` everything runs as the superuser
//! `awsuser`), sessions that are kept, results as CSV, `GetStatementResultV2`, `ListSessions`, catalogue operations
//! (`ListTables` …), expiry, and everything about clusters and workgroups beyond their names.

mod dialect;
mod events;
mod external;
mod ids;
mod lexer;
mod literal;
mod problem;
mod results;
mod session;
mod statement;
mod submission;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_postgres::{Config, NoTls};

use self::external::Origin;
use self::ids::uuid;
use self::problem::{Problem, answer};
use self::results::ResultSet;
use self::session::Session;
use self::statement::{State, Statement};
use self::submission::Request;
use crate::postgres::{ADMINISTRATOR, Postgres};
use crate::signed::Caller;

pub use events::deliver;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct RedshiftOptions<'a> {
    /// The database that there is; made when it is missing. Others can be made by `CREATE DATABASE`.
    pub database: &'a str,
    /// For the ARNs in events and batches.
    pub region: &'a str,
    /// Rows on a page of a result. The service's pages are by size; small ones show a caller that reads only the first.
    pub rows_a_page: usize,
}

/// A running stand-in. It ends with the runtime it was started on.
#[derive(Clone)]
pub struct Redshift {
    /// `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL_REDSHIFT_DATA`.
    pub url: String,
    state: Arc<Mutex<Data>>,
}

struct Data {
    config: Config,
    region: String,
    rows_a_page: usize,
    caller: Option<Caller>,
    statements: Vec<Statement>,
    /// Sessions at one time: fewer than PostgreSQL takes. The other statements wait as SUBMITTED.
    sessions: Arc<Semaphore>,
}

/// Statements that have not ended; the service's default quota is 500:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html>.
const MOST_ACTIVE: usize = 500;
const MOST_SESSIONS: usize = 40;

impl Redshift {
    /// Starts it on a free port of the loopback interface, over a running PostgreSQL.
    ///
    /// # Errors
    ///
    /// When no port is free, or PostgreSQL does not take the database.
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

    /// Says where Lambda and EventBridge are. Before that, external functions fail and no event is delivered.
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

type Store = Arc<Mutex<Data>>;

async fn dispatch(Shared(state): Shared<Store>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let result = match target {
        "RedshiftData.ExecuteStatement" => submit(&state, &body, false).await,
        "RedshiftData.BatchExecuteStatement" => submit(&state, &body, true).await,
        "RedshiftData.DescribeStatement" => describe(&state, &body),
        "RedshiftData.GetStatementResult" => result_page(&state, &body),
        "RedshiftData.CancelStatement" => cancel(&state, &body),
        "RedshiftData.ListStatements" => list(&state, &body),
        _ => Err(Problem::unknown_operation()),
    };
    match result {
        Ok(body) => answer(&body),
        Err(problem) => problem.into_response(),
    }
}

async fn submit(state: &Store, body: &[u8], is_batch: bool) -> Result<Value, Problem> {
    let submission = parse::<Request>(body)?.check(is_batch)?;
    let wait = submission.wait;
    let (id, mut ended, accepted) = {
        let mut data = lock(state);
        let same_token = |known: &&Statement| submission.token.is_some() && known.submission.token == submission.token;
        if let Some(known) = data.statements.iter().find(same_token) {
            let same = known.submission.bound == submission.bound && known.submission.database == submission.database;
            let different = "The ClientToken was used for another statement";
            return if same { Ok(known.accepted()) } else { Err(Problem::validation(different)) };
        }
        if data.statements.iter().filter(|statement| !statement.state.is_end()).count() >= MOST_ACTIVE {
            return Err(Problem::too_many());
        }
        let number = 1000 + data.statements.len() as u64;
        let statement = Statement::new(uuid(), number, submission);
        let started = (statement.id.clone(), statement.ended.subscribe(), statement.accepted());
        data.statements.push(statement);
        started
    };
    tokio::spawn(carry_out(Arc::clone(state), id.clone()));
    if wait == 0 {
        return Ok(accepted);
    }
    // Whether it ended in time shows the status.
    let _ = tokio::time::timeout(Duration::from_secs(wait), ended.wait_for(|ended| *ended)).await;
    let mut answer = accepted;
    let described = find(&mut lock(state), &id)?.described();
    for member in ["Status", "HasResultSet", "RedshiftPid"] {
        answer[member] = described[member].clone();
    }
    Ok(answer)
}

/// Takes a statement from SUBMITTED to its end, and tells the end.
async fn carry_out(state: Store, id: String) {
    let (sessions, cancel) = {
        let mut data = lock(&state);
        let sessions = Arc::clone(&data.sessions);
        let Ok(statement) = find(&mut data, &id) else { return };
        (sessions, Arc::clone(&statement.cancel))
    };
    let _turn = sessions.acquire_owned().await;
    advance(&state, &id, State::Picked, None);
    let outcome = tokio::select! {
        outcome = run(&state, &id) => outcome.map(|()| State::Finished),
        // Dropping the session ends its connection, and PostgreSQL rolls back.
        () = cancel.notified() => Ok(State::Aborted),
    };
    match outcome {
        Ok(end) => advance(&state, &id, end, None),
        Err(error) => advance(&state, &id, State::Failed, Some(error)),
    }
    let (caller, event) = {
        let mut data = lock(&state);
        let region = data.region.clone();
        let event = find(&mut data, &id).ok().and_then(|statement| statement.event(&region, &uuid()));
        (data.caller.clone(), event)
    };
    if let (Some(caller), Some(event)) = (caller, event)
        && let Err(error) = deliver(&caller, &event).await
    {
        eprintln!("the Redshift stand-in could not deliver an event: {error:#}");
    }
}

async fn run(state: &Store, id: &str) -> Result<(), String> {
    let (config, caller, submission, origin) = {
        let mut data = lock(state);
        let (mut config, region, caller) = (data.config.clone(), data.region.clone(), data.caller.clone());
        let found = find(&mut data, id).map_err(|_| "ERROR: the statement is gone".to_owned())?;
        let submission = found.submission.clone();
        config.dbname(&submission.database);
        let origin = Origin {
            cluster: format!("arn:aws:redshift:{region}:000000000000:namespace:{}", uuid()),
            user: submission.user.clone().unwrap_or_else(|| ADMINISTRATOR.to_owned()),
            database: submission.database.clone(),
            query: found.number,
        };
        (config, caller, submission, origin)
    };
    let session = Session::open(&config, caller, origin).await?;
    advance(state, id, State::Started, None);
    let mut at_work = CancelWhenDropped(Some(session.cancel_token()));
    let alone = |sql: &str| sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("vacuum"));
    let in_one = !submission.auto_commit;
    if in_one && !alone(&submission.bound[0]) {
        session.control("begin isolation level repeatable read").await?;
    }
    for (at, sql) in submission.bound.iter().enumerate() {
        let outcome = match (alone(sql), in_one) {
            (true, _) => session.run_alone(sql).await,
            (false, true) => session.run(sql).await,
            (false, false) => {
                session.control("begin isolation level repeatable read").await?;
                let outcome = session.run(sql).await;
                session.control(if outcome.is_ok() { "commit" } else { "rollback" }).await?;
                outcome
            }
        };
        let error = outcome.as_ref().err().cloned();
        find(&mut lock(state), id).map(|statement| statement.part_ended(at, outcome)).unwrap_or_default();
        if let Some(error) = error {
            if in_one {
                find(&mut lock(state), id).map(Statement::roll_back).unwrap_or_default();
            }
            return Err(error);
        }
    }
    if in_one && !alone(&submission.bound[0]) {
        session.control("commit").await?;
    }
    at_work.0 = None;
    Ok(())
}

/// PostgreSQL notices that a client has gone only when it wants to answer; this tells it at once.
struct CancelWhenDropped(Option<tokio_postgres::CancelToken>);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        if let Some(token) = self.0.take() {
            tokio::spawn(async move { token.cancel_query(NoTls).await });
        }
    }
}

fn describe(state: &Store, body: &[u8]) -> Result<Value, Problem> {
    let Id { id } = parse(body)?;
    let mut data = lock(state);
    let (statement, part) = split(&id);
    let described = find(&mut data, statement)?.described();
    match part {
        None => Ok(described),
        Some(part) => described["SubStatements"].get(part).cloned().ok_or_else(|| no_such_statement(&id)),
    }
}

fn cancel(state: &Store, body: &[u8]) -> Result<Value, Problem> {
    let Id { id } = parse(body)?;
    let mut data = lock(state);
    let statement = find(&mut data, &id)?;
    if statement.state.is_end() {
        let message = format!("Could not cancel a query that is already in {} state", statement.state.name());
        return Err(Problem::validation(&message));
    }
    statement.cancel.notify_one();
    Ok(json!({"Status": true}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ResultRequest {
    id: String,
    next_token: Option<String>,
}

fn result_page(state: &Store, body: &[u8]) -> Result<Value, Problem> {
    let request: ResultRequest = parse(body)?;
    let mut data = lock(state);
    let rows_a_page = data.rows_a_page;
    let (id, part) = split(&request.id);
    let statement = find(&mut data, id)?;
    let part = part.unwrap_or(statement.parts.len() - 1);
    let finished = statement.state == State::Finished;
    let result: Option<&Arc<ResultSet>> =
        statement.parts.get(part).filter(|_| finished).and_then(|part| part.result.as_ref());
    let none = "Query does not have result. Please check query status with DescribeStatement.";
    let result = result.ok_or_else(|| Problem::not_found(&request.id, none))?;
    let skipped = match &request.next_token {
        None => 0,
        Some(token) => page_of(token, &request.id).ok_or_else(|| Problem::validation("NextToken is not valid"))?,
    };
    let mut page = json!({
        "Records": result.records(skipped, rows_a_page),
        "ColumnMetadata": result.metadata(),
        "TotalNumRows": result.rows(),
    });
    if skipped + rows_a_page < result.rows() {
        page["NextToken"] = json!(page_token(&request.id, skipped + rows_a_page));
    }
    Ok(page)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Listing {
    next_token: Option<String>,
    max_results: Option<usize>,
    statement_name: Option<String>,
    status: Option<String>,
    #[expect(dead_code, reason = "there is one role here, so its own statements are all statements")]
    role_level: Option<bool>,
    database: Option<String>,
    cluster_identifier: Option<String>,
    workgroup_name: Option<String>,
}

/// Newest first, as the service lists.
fn list(state: &Store, body: &[u8]) -> Result<Value, Problem> {
    let listing: Listing = parse(body)?;
    // The service takes 0 for its default.
    let most = match listing.max_results.unwrap_or(0) {
        0 => 100,
        most if most <= 100 => most,
        _ => return Err(Problem::validation("MaxResults is 0 to 100")),
    };
    let skipped = match &listing.next_token {
        None => 0,
        Some(token) => page_of(token, "list").ok_or_else(|| Problem::validation("NextToken is not valid"))?,
    };
    let data = lock(state);
    let is = |wanted: &Option<String>, value: Option<&str>| wanted.is_none() || wanted.as_deref() == value;
    let found: Vec<_> = data
        .statements
        .iter()
        .rev()
        .filter(|statement| {
            let submission = &statement.submission;
            let name = submission.name.as_deref().unwrap_or_default();
            listing.statement_name.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
                && listing.status.as_deref().is_none_or(|status| status == "ALL" || status == statement.state.name())
                && is(&listing.database, Some(&submission.database))
                && is(&listing.cluster_identifier, submission.cluster.as_deref())
                && is(&listing.workgroup_name, submission.workgroup.as_deref())
        })
        .collect();
    let entries: Vec<_> = found.iter().skip(skipped).take(most).map(|statement| statement.listed()).collect();
    let mut page = json!({"Statements": entries});
    if skipped + most < found.len() {
        page["NextToken"] = json!(page_token("list", skipped + most));
    }
    Ok(page)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Id {
    id: String,
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::validation(&format!("the stand-in cannot read this: {error}")))
}

fn find<'a>(data: &'a mut Data, id: &str) -> Result<&'a mut Statement, Problem> {
    data.statements.iter_mut().find(|statement| statement.id == id).ok_or_else(|| no_such_statement(id))
}

fn no_such_statement(id: &str) -> Problem {
    Problem::not_found(id, "Query does not exist.")
}

fn advance(state: &Store, id: &str, to: State, error: Option<String>) {
    if let Ok(statement) = find(&mut lock(state), id) {
        statement.become_state(to, error);
    }
}

/// The statement's id and, for a part of a batch, which.
fn split(id: &str) -> (&str, Option<usize>) {
    match id.split_once(':') {
        Some((id, part)) => (id, Some(part.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).unwrap_or(usize::MAX))),
        None => (id, None),
    }
}

/// Not to be understood by callers, and good for one thing only.
fn page_token(of: &str, skipped: usize) -> String {
    let text = format!("{of}/{skipped}");
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn page_of(token: &str, of: &str) -> Option<usize> {
    let bytes: Option<Vec<u8>> =
        token.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let (whose, skipped) = text.rsplit_once('/')?;
    (whose == of).then(|| skipped.parse().ok()).flatten()
}

/// A handler that panicked does not make the data wrong.
fn lock(state: &Mutex<Data>) -> MutexGuard<'_, Data> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
