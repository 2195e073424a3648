//! The Data API, as far as functions use it.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::types::{ColumnMetadata, Field as Answered, SqlParameter, StatusString};
use function::Clock;

use crate::error::{Error, SubmitError, of_question, of_submission, without_values};
use crate::statement::{Column, Field, Page, Statement, StatementId, Status};
use crate::warehouse::{Place, Warehouse};

/// One warehouse through the Data API.
///
/// Each call takes as long as the client's configuration allows; `function::aws::service(&variable, "REDSHIFT_DATA")` returns
/// one with 4.5 seconds and three tries.
#[derive(Clone)]
pub struct DataApi {
    client: Client,
    warehouse: Warehouse,
    clock: Clock,
}

/// Pauses between two status checks: fast statements are noticed at once, slow ones are not polled constantly.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The most rows that [`DataApi::rows`] reads; a page has at most 1 MB, and a function has little memory.
const MOST_ROWS: usize = 100_000;

impl DataApi {
    /// Opens no connection yet.
    pub fn new(client: Client, warehouse: Warehouse, clock: Clock) -> DataApi {
        DataApi { client, warehouse, clock }
    }

    /// Submits a statement, which Redshift then runs on its own.
    ///
    /// Safe to repeat with the same client token, which the service remembers for eight hours. Without a token, only the attempts
    /// within this call count as the same.
    ///
    /// # Errors
    ///
    /// If it was not accepted, or if that is unknown; see [`SubmitError`].
    pub async fn submit(&self, statement: &Statement<'_>) -> Result<StatementId, SubmitError> {
        let parameter = |(name, value): &(&str, String)| SqlParameter::builder().name(*name).value(value).build();
        let parameters: Result<Vec<_>, _> = statement.parameters.iter().map(parameter).collect();
        let parameters = parameters.expect("a parameter with a name and a value is complete");
        let (workgroup, cluster, user) = match &self.warehouse.place {
            Place::Workgroup(name) => (Some(name.clone()), None, None),
            Place::Cluster { name, user } => (None, Some(name.clone()), user.clone()),
        };
        let answer = self
            .client
            .execute_statement()
            .sql(statement.sql)
            .set_workgroup_name(workgroup)
            .set_cluster_identifier(cluster)
            .set_db_user(user)
            .database(&self.warehouse.database)
            .set_secret_arn(self.warehouse.secret.clone())
            // The service rejects an empty list.
            .set_parameters(Some(parameters).filter(|parameters| !parameters.is_empty()))
            .set_statement_name(statement.name.map(str::to_owned))
            .set_with_event(statement.name.map(|_| true))
            .set_client_token(statement.client_token.map(str::to_owned))
            .send()
            .await
            .map_err(|error| of_submission(&error))?;
        let unreadable = || SubmitError::Retryable("the Data API accepted a statement but returned no ID".to_owned());
        answer.id().and_then(|id| id.parse().ok()).ok_or_else(unreadable)
    }

    /// Checks a statement's status once.
    ///
    /// # Errors
    ///
    /// If the service does not respond or does not know the statement.
    pub async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        let answer = self.client.describe_statement().id(id.to_string()).send().await;
        let answer = answer.map_err(|error| of_question(&error))?;
        Ok(match answer.status() {
            Some(StatusString::Finished) => Status::Finished {
                rows: u64::try_from(answer.result_rows()).unwrap_or(0),
                has_result: answer.has_result_set().unwrap_or(false),
                bytes: u64::try_from(answer.result_size()).ok(),
            },
            Some(StatusString::Failed) => {
                Status::Failed { message: without_values(answer.error().unwrap_or("no reason was given")) }
            }
            Some(StatusString::Aborted) => Status::Aborted,
            _ => Status::Running,
        })
    }

    /// Polls a statement until it has ended or `until` is reached; then it is still [`Status::Running`]. It is checked at least
    /// once, and checked again if there was no response.
    ///
    /// # Errors
    ///
    /// If the service does not know the statement, or had not responded by `until`.
    pub async fn wait(&self, id: &StatementId, until: SystemTime) -> Result<Status, Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let status = self.status(id).await;
            if !matches!(status, Ok(Status::Running) | Err(Error::Unavailable(_))) {
                return status;
            }
            let left = until.duration_since(self.clock.now()).unwrap_or_default();
            if left.is_zero() {
                return status;
            }
            self.clock.sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// All rows of a finished statement's result, page after page.
    ///
    /// # Errors
    ///
    /// If the service does not respond or has no result, if its pages repeat, or if the result has more than 100,000 rows.
    pub async fn rows(&self, id: &StatementId) -> Result<Vec<Vec<Field>>, Error> {
        let mut rows = Vec::new();
        let mut next = None;
        let mut seen = HashSet::new();
        loop {
            let page = self.page(id, next).await?;
            rows.extend(page.rows);
            if rows.len() > MOST_ROWS {
                let message =
                    format!("the result has more than {MOST_ROWS} rows, the most that are read here; limit the query");
                return Err(Error::Refused(message));
            }
            let Some(token) = page.next else { return Ok(rows) };
            if !seen.insert(token.clone()) {
                return Err(Error::Refused("the Data API returned the same page of the result twice".to_owned()));
            }
            next = Some(token);
        }
    }

    /// One page of a finished statement's result, at most 1 MB: the first, or the one named by the previous page's `next`.
    ///
    /// # Errors
    ///
    /// If the service does not respond, does not know `next`, or has no result: there was none, or it is older than 24 hours.
    pub async fn page(&self, id: &StatementId, next: Option<String>) -> Result<Page, Error> {
        let page = self.client.get_statement_result().id(id.to_string()).set_next_token(next).send().await;
        let page = page.map_err(|error| of_question(&error))?;
        Ok(Page {
            columns: page.column_metadata.unwrap_or_default().into_iter().map(column).collect(),
            rows: page.records.into_iter().map(|row| row.into_iter().map(field).collect()).collect(),
            next: page.next_token.filter(|token| !token.is_empty()),
        })
    }

    /// Requests cancellation of a statement. Its status shows whether it was cancelled.
    ///
    /// # Errors
    ///
    /// If the service does not respond or the statement has already ended.
    pub async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        let answer = self.client.cancel_statement().id(id.to_string()).send().await;
        answer.map(drop).map_err(|error| of_question(&error))
    }
}

fn field(answered: Answered) -> Field {
    match answered {
        Answered::BooleanValue(value) => Field::Boolean(value),
        Answered::LongValue(value) => Field::Integer(value),
        Answered::DoubleValue(value) => Field::Double(value),
        Answered::StringValue(value) => Field::Text(value),
        // As Redshift writes VARBYTE.
        Answered::BlobValue(bytes) => Field::Text(hex::encode(bytes)),
        _ => Field::Null,
    }
}

fn column(answered: ColumnMetadata) -> Column {
    let name = answered.name.unwrap_or_default();
    Column {
        label: answered.label.unwrap_or_else(|| name.clone()),
        name,
        kind: answered.type_name.unwrap_or_default(),
        // 0 is "not nullable", 1 "nullable", 2 "unknown", as in JDBC.
        nullable: answered.nullable != 0,
    }
}
