//! Runs statements one after the other, each once however often its event is delivered, none beyond the event's time.

use std::time::{Duration, SystemTime};

use custom_resource::Request;
use function::Clock;
use redshift::{DataApi, Error, Field, Statement, StatementId, Status, SubmitError, is_conflict};
use tracing::info;

/// The warehouse, for the statements of one event.
pub struct Database {
    api: DataApi,
    clock: Clock,
    stack: String,
    /// The event's ID, at most 54 characters, which leaves room in a token of 64 for two numbers.
    request_id: String,
    until: SystemTime,
    statements: u32,
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Database {
    /// `until` is the time by which the last statement must have ended.
    pub(crate) fn new(api: DataApi, clock: Clock, request: &Request, until: SystemTime) -> Database {
        let request_id = request.request_id.chars().take(54).collect();
        Database { api, clock, stack: request.stack_name().to_owned(), request_id, until, statements: 0 }
    }

    /// The name of the stack that the event is about.
    pub(crate) fn stack(&self) -> &str {
        &self.stack
    }

    /// Runs a statement; `step` names its purpose in messages.
    ///
    /// # Errors
    ///
    /// Why the statement was not run, with the step.
    pub async fn run(&mut self, step: &str, sql: &str) -> Result<(), String> {
        self.finish(step, sql, &[]).await.map(drop)
    }

    /// Runs a query and reads its rows.
    ///
    /// # Errors
    ///
    /// As for [`Database::run`].
    pub async fn query(
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
    pub async fn all(&mut self, step: &str, statements: &[String]) -> Result<(), String> {
        for sql in statements {
            self.run(step, sql).await?;
        }
        Ok(())
    }

    /// Runs several statements that remove something; anything that does not exist counts as removed.
    ///
    /// # Errors
    ///
    /// As for [`Database::run`].
    pub async fn all_but_missing(&mut self, step: &str, statements: &[String]) -> Result<(), String> {
        for sql in statements {
            match self.run(step, sql).await {
                // Neither revoke nor drop function has an `if exists` in Redshift.
                Err(problem) if problem.contains("does not exist") => info!(step, "nothing to remove"),
                other => other?,
            }
        }
        Ok(())
    }

    async fn finish(&mut self, step: &str, sql: &str, parameters: &[(&str, &str)]) -> Result<StatementId, String> {
        self.statements += 1;
        let (mut conflicts, mut pause) = (0, FIRST_PAUSE);
        loop {
            let id = self.submit(step, sql, parameters, conflicts).await?;
            let problem = match self.api.wait(&id, self.until).await {
                Ok(Status::Finished { .. }) => {
                    info!(step, statement = %id, conflicts);
                    return Ok(id);
                }
                // Another statement changes the same part of the catalogue; Redshift has undone this one.
                Ok(Status::Failed { message }) if is_conflict(&message) && self.has_time_for(pause) => {
                    info!(step, statement = %id, %message);
                    conflicts += 1;
                    self.pause(&mut pause).await;
                    continue;
                }
                Ok(Status::Failed { message }) => message,
                Ok(Status::Aborted) => "the statement was cancelled".to_owned(),
                Ok(Status::Running) => {
                    // If this request is lost, the statement ends on its own.
                    let _ = self.api.cancel(&id).await;
                    "the statement did not end in time".to_owned()
                }
                Err(error) => error.to_string(),
            };
            return Err(format!("could not {step}: {problem}"));
        }
    }

    /// Submits the current statement; each conflict that it lost gives it another token. A repeated event finds the same
    /// conflicts under the same tokens.
    async fn submit(
        &self,
        step: &str,
        sql: &str,
        parameters: &[(&str, &str)],
        conflicts: u32,
    ) -> Result<StatementId, String> {
        let attempt = if conflicts == 0 { String::new() } else { format!("_{conflicts}") };
        let token = format!("{}{attempt}-{}", self.request_id, self.statements);
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
