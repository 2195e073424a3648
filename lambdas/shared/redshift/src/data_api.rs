//! The Data API, as far as functions use it.

use std::time::{Duration, SystemTime};

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::types::{ColumnMetadata, Field as Answered, SqlParameter, StatusString};
use function::Clock;

use crate::error::{Error, SubmitError, of_question, of_submission, without_values};
use crate::statement::{Column, Field, Page, Statement, StatementId, Status};
use crate::warehouse::{Place, Warehouse};

/// One warehouse through the Data API.
///
/// Each call takes as long as the client's configuration lets it; `function::aws::service(&variable, "REDSHIFT_DATA")` gives
/// one with 4.5 seconds and three tries.
#[derive(Clone)]
pub struct DataApi {
    client: Client,
    warehouse: Warehouse,
    clock: Clock,
}

/// Pauses between two looks at a statement: quick ones are seen at once, slow ones are not asked for all the time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What [`DataApi::rows`] reads at most; a page of the service has at most 1 MB, and a function has little memory.
const MOST_ROWS: usize = 100_000;

impl DataApi {
    /// Connects nothing yet.
    pub fn new(client: Client, warehouse: Warehouse, clock: Clock) -> DataApi {
        DataApi { client, warehouse, clock }
    }

    /// Hands a statement in, which Redshift then works on by itself.
    ///
    /// Safe to repeat with the same client token, which the service remembers for eight hours. Without one, only the tries
    /// within this call count as the same.
    ///
    /// # Errors
    ///
    /// When it was not accepted, or that is not known; see [`SubmitError`].
    pub async fn submit(&self, statement: &Statement<'_>) -> Result<StatementId, SubmitError> {
        let parameter = |(name, value): &(&str, String)| SqlParameter::builder().name(*name).value(value).build();
        let parameters: Result<Vec<_>, _> = statement.parameters.iter().map(parameter).collect();
        let parameters = parameters.expect("a parameter with name and value is complete");
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
            // The service refuses an empty list.
            .set_parameters(Some(parameters).filter(|parameters| !parameters.is_empty()))
            .set_statement_name(statement.name.map(str::to_owned))
            .set_with_event(statement.name.map(|_| true))
            .set_client_token(statement.client_token.map(str::to_owned))
            .send()
            .await
            .map_err(|error| of_submission(&error))?;
        let unreadable =
            || SubmitError::Retryable("the Data API accepted a statement and did not say its id".to_owned());
        answer.id().and_then(|id| id.parse().ok()).ok_or_else(unreadable)
    }

    /// Looks at a statement once.
    ///
    /// # Errors
    ///
    /// When the service does not answer, or does not know the statement.
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

    /// Looks at a statement until it has ended or `until` is reached; then it is still [`Status::Running`]. It is looked at once
    /// in any case, and looked at again when there was no answer.
    ///
    /// # Errors
    ///
    /// When the service does not know the statement, or had not answered when the time was over.
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
    /// When the service does not answer, has no result, or the result has more than 100,000 rows.
    pub async fn rows(&self, id: &StatementId) -> Result<Vec<Vec<Field>>, Error> {
        let mut rows = Vec::new();
        let mut next = None;
        loop {
            let page = self.page(id, next).await?;
            rows.extend(page.rows);
            if rows.len() > MOST_ROWS {
                let message =
                    format!("the result has more than the {MOST_ROWS} rows that are read here; limit the query");
                return Err(Error::Refused(message));
            }
            next = page.next;
            if next.is_none() {
                return Ok(rows);
            }
        }
    }

    /// One page of a finished statement's result, at most 1 MB: the first, or the one that the page before it calls `next`.
    ///
    /// # Errors
    ///
    /// When the service does not answer, does not know `next`, or has no result: there was none, or it is older than 24 hours.
    pub async fn page(&self, id: &StatementId, next: Option<String>) -> Result<Page, Error> {
        let page = self.client.get_statement_result().id(id.to_string()).set_next_token(next).send().await;
        let page = page.map_err(|error| of_question(&error))?;
        Ok(Page {
            columns: page.column_metadata.unwrap_or_default().into_iter().map(column).collect(),
            rows: page.records.into_iter().map(|row| row.into_iter().map(field).collect()).collect(),
            next: page.next_token.filter(|token| !token.is_empty()),
        })
    }

    /// Asks for the end of a statement. Whether it ended so shows its status.
    ///
    /// # Errors
    ///
    /// When the service does not answer, or the statement has ended already.
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
