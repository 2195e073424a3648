//! Statements one after the other, each once however often its event comes, none beyond the event's time.

use std::time::{Duration, SystemTime};

use function::Clock;
use redshift::{DataApi, Error, Field, Statement, StatementId, Status, SubmitError};
use tracing::info;

/// A warehouse, for the statements of one event.
pub(crate) struct Database {
    api: DataApi,
    clock: Clock,
    /// The event's, at most 60 characters.
    request_id: String,
    until: SystemTime,
    statements: u32,
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Database {
    /// `until` is when the last statement must have ended.
    pub(crate) fn new(api: DataApi, clock: Clock, request_id: &str, until: SystemTime) -> Database {
        let request_id = request_id.chars().take(58).collect();
        Database { api, clock, request_id, until, statements: 0 }
    }

    /// Runs a statement; `step` says what for, in messages.
    ///
    /// # Errors
    ///
    /// Why it was not done, with the step.
    pub(crate) async fn run(&mut self, step: &str, sql: &str) -> Result<(), String> {
        self.finish(step, sql, &[]).await.map(drop)
    }

    /// Runs a query and reads its rows.
    ///
    /// # Errors
    ///
    /// As for [`Database::run`].
    pub(crate) async fn query(
        &mut self,
        step: &str,
        sql: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<Vec<Field>>, String> {
        let id = self.finish(step, sql, parameters).await?;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.api.rows(&id).await {
                Ok(rows) => return Ok(rows),
                Err(Error::Unavailable(_)) if self.has_time_for(pause) => self.pause(&mut pause).await,
                Err(error) => return Err(format!("could not {step}: {error}")),
            }
        }
    }

    /// Runs several statements for one step.
    ///
    /// # Errors
    ///
    /// As for [`Database::run`].
    pub(crate) async fn all(&mut self, step: &str, statements: &[String]) -> Result<(), String> {
        for sql in statements {
            self.run(step, sql).await?;
        }
        Ok(())
    }

    /// Runs several statements that take something away; what does not exist is away.
    ///
    /// # Errors
    ///
    /// As for [`Database::run`].
    pub(crate) async fn all_but_missing(&mut self, step: &str, statements: &[String]) -> Result<(), String> {
        for sql in statements {
            match self.run(step, sql).await {
                // Neither revoke nor drop function has an `if exists` in Redshift.
                Err(problem) if problem.contains("does not exist") => info!(step, "nothing to take away"),
                other => other?,
            }
        }
        Ok(())
    }

    async fn finish(&mut self, step: &str, sql: &str, parameters: &[(&str, &str)]) -> Result<StatementId, String> {
        let id = self.submit(step, sql, parameters).await?;
        let problem = match self.api.wait(&id, self.until).await {
            Ok(Status::Finished { .. }) => {
                info!(step, statement = %id);
                return Ok(id);
            }
            Ok(Status::Failed { message }) => message,
            Ok(Status::Aborted) => "somebody cancelled the statement".to_owned(),
            Ok(Status::Running) => {
                // If this does not arrive, the statement ends by itself.
                let _ = self.api.cancel(&id).await;
                "the time was over before the statement ended".to_owned()
            }
            Err(error) => error.to_string(),
        };
        Err(format!("could not {step}: {problem}"))
    }

    async fn submit(&mut self, step: &str, sql: &str, parameters: &[(&str, &str)]) -> Result<StatementId, String> {
        self.statements += 1;
        let token = format!("{}-{}", self.request_id, self.statements);
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let statement = Statement { sql, parameters, name: None, client_token: Some(&token) };
        let mut pause = FIRST_PAUSE;
        loop {
            match self.api.submit(&statement).await {
                Ok(id) => return Ok(id),
                Err(SubmitError::Retryable(_) | SubmitError::Unavailable(_)) if self.has_time_for(pause) => {
                    self.pause(&mut pause).await;
                }
                Err(error) => return Err(format!("could not {step}: {error}")),
            }
        }
    }

    fn has_time_for(&self, pause: Duration) -> bool {
        self.clock.now() + pause < self.until
    }

    async fn pause(&self, pause: &mut Duration) {
        self.clock.sleep(*pause).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}
