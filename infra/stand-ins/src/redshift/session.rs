//! One session in PostgreSQL: its user, its transaction if any, and its calls of external functions.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, NoTls, SimpleQueryMessage};

use super::dialect::translate;
use super::external::{self, Call, Origin};
use super::literal::literal;
use super::results::ResultSet;
use crate::signed::Caller;

/// A connection for one statement or batch. It is closed at its end, so no state is left for the next one.
pub(super) struct Session {
    client: Client,
    notices: Arc<Mutex<Vec<Call>>>,
    caller: Option<Caller>,
    origin: Origin,
}

/// What a statement did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Rows of the result, or rows that were written.
    pub(super) rows: u64,
    pub(super) result: Option<ResultSet>,
}

/// A call that depends on the answer of another one needs a further run; deeper nesting than this is treated as a mistake.
const MOST_RUNS: usize = 8;

impl Session {
    /// Connects as the superuser and switches to the user, who must exist.
    ///
    /// # Errors
    ///
    /// PostgreSQL's message, also when there is no such database or user.
    pub(super) async fn open(config: &Config, caller: Option<Caller>, origin: Origin) -> Result<Session, String> {
        let (client, mut connection) = config.connect(NoTls).await.map_err(|error| error_text(&error))?;
        let notices: Arc<Mutex<Vec<Call>>> = Arc::default();
        let heard = Arc::clone(&notices);
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                let AsyncMessage::Notice(notice) = message else { continue };
                let call = notice.detail().filter(|_| notice.message() == external::NOTICE);
                if let Some(call) = call.and_then(|detail| serde_json::from_str(detail).ok()) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(call);
                }
            }
        });
        let user = literal(&origin.user);
        let settings = format!(
            "set standard_conforming_strings = on; set client_min_messages = notice; set timezone = 'UTC';
             set session authorization {user}"
        );
        client.batch_execute(&settings).await.map_err(|error| error_text(&error))?;
        Ok(Session { client, notices, caller, origin })
    }

    /// Ends what the session is doing.
    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// `BEGIN`, `COMMIT` …
    pub(super) async fn control(&self, word: &str) -> Result<(), String> {
        self.client.batch_execute(word).await.map_err(|error| error_text(&error))
    }

    /// Runs a statement of Redshift within the transaction that the session is in.
    pub(super) async fn run(&self, sql: &str) -> Result<Outcome, String> {
        let sql = translate(sql)?;
        for _ in 0..MOST_RUNS {
            self.control("savepoint run").await?;
            let outcome = self.once(&sql).await?;
            let calls = std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner));
            if calls.is_empty() {
                self.control("release savepoint run").await?;
                return Ok(outcome);
            }
            self.control("rollback to savepoint run").await?;
            let caller = self.caller.as_ref();
            let caller = caller.ok_or("ERROR: the stand-in does not know the address of Lambda yet")?;
            let answers = external::answers(caller, &calls, &self.origin).await;
            let answers = answers.map_err(|error| format!("ERROR: {error:#}"))?;
            self.client.batch_execute(&answers).await.map_err(|error| error_text(&error))?;
        }
        Err(format!("ERROR: after {MOST_RUNS} runs there are still calls of external functions without an answer"))
    }

    /// Runs a statement that may not be in a transaction.
    pub(super) async fn run_alone(&self, sql: &str) -> Result<Outcome, String> {
        self.once(&translate(sql)?).await
    }

    /// The extended protocol returns the types and rejects more than one statement; the simple one returns all values as text.
    async fn once(&self, sql: &str) -> Result<Outcome, String> {
        let prepared = self.client.prepare(sql).await.map_err(|error| error_text(&error))?;
        let messages = self.client.simple_query(sql).await.map_err(|error| error_text(&error))?;
        let mut outcome = Outcome::default();
        let mut rows = Vec::new();
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => {
                    rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
                }
                SimpleQueryMessage::CommandComplete(count) => outcome.rows = count,
                _ => {}
            }
        }
        if !prepared.columns().is_empty() {
            let result = ResultSet::new(prepared.columns(), rows);
            outcome.rows = result.rows() as u64;
            outcome.result = Some(result);
        }
        Ok(outcome)
    }
}

/// As Redshift writes an error.
fn error_text(error: &tokio_postgres::Error) -> String {
    let Some(error) = error.as_db_error() else { return format!("ERROR: {error}") };
    let mut text = format!("{}: {}", error.severity(), error.message());
    if let Some(tokio_postgres::error::ErrorPosition::Original(position)) = error.position() {
        text += &format!(" Position: {position}");
    }
    if let Some(detail) = error.detail() {
        text += &format!("\n  Detail: {detail}");
    }
    text
}
