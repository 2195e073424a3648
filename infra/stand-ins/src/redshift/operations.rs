//! The operations of the Data API.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ids::uuid;
use super::pages::{page_of, page_token};
use super::problem::{Problem, answer};
use super::results::ResultSet;
use super::runner::carry_out;
use super::statement::{State, Statement};
use super::store::{Store, find, lock, no_such_statement};
use super::submission::Request;

/// Statements that have not ended; the service's default quota is 500:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html>.
const MOST_ACTIVE: usize = 500;

/// Answers the operation that the header `x-amz-target` names.
pub(super) async fn dispatch(Shared(state): Shared<Store>, headers: HeaderMap, body: Bytes) -> Response {
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
    // The status shows whether it ended in time.
    let _ = tokio::time::timeout(Duration::from_secs(wait), ended.wait_for(|ended| *ended)).await;
    let mut answer = accepted;
    let described = find(&mut lock(state), &id)?.described();
    for member in ["Status", "HasResultSet", "RedshiftPid"] {
        answer[member] = described[member].clone();
    }
    Ok(answer)
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

/// Newest first, as in the service.
fn list(state: &Store, body: &[u8]) -> Result<Value, Problem> {
    let listing: Listing = parse(body)?;
    // The service treats 0 as its default.
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
        .map_err(|error| Problem::validation(&format!("the stand-in cannot read this request: {error}")))
}

/// The statement's ID and, for a part of a batch, its index.
fn split(id: &str) -> (&str, Option<usize>) {
    match id.split_once(':') {
        Some((id, part)) => (id, Some(part.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).unwrap_or(usize::MAX))),
        None => (id, None),
    }
}
