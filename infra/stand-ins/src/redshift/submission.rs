//! A submitted statement or batch, checked as the service checks it.

use serde::Deserialize;

use super::dialect::bind;
use super::problem::Problem;

/// `ExecuteStatement` and `BatchExecuteStatement` as they are sent. Members that the stand-in does not implement are rejected, not ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Request {
    sql: Option<String>,
    sqls: Option<Vec<String>>,
    cluster_identifier: Option<String>,
    workgroup_name: Option<String>,
    database: Option<String>,
    db_user: Option<String>,
    secret_arn: Option<String>,
    parameters: Option<Vec<Parameter>>,
    #[serde(default)]
    with_event: bool,
    statement_name: Option<String>,
    client_token: Option<String>,
    result_format: Option<String>,
    execution_mode: Option<String>,
    wait_time_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Parameter {
    name: Option<String>,
    value: Option<String>,
}

/// A valid request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Submission {
    /// As they were sent, for descriptions.
    pub(super) written: Vec<String>,
    /// With their values.
    pub(super) bound: Vec<String>,
    pub(super) is_batch: bool,
    /// Whether each statement of the batch is a separate transaction.
    pub(super) auto_commit: bool,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) cluster: Option<String>,
    pub(super) workgroup: Option<String>,
    pub(super) database: String,
    pub(super) user: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) name: Option<String>,
    pub(super) token: Option<String>,
    pub(super) with_event: bool,
    /// How many seconds to wait for the end before answering.
    pub(super) wait: u64,
}

/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>, "Considerations".
const LONGEST_STATEMENT: usize = 100 * 1024;

impl Request {
    /// # Errors
    ///
    /// `ValidationException`, as in the service's model and documentation.
    pub(super) fn check(self, is_batch: bool) -> Result<Submission, Problem> {
        let written = match (self.sql, self.sqls) {
            (Some(sql), None) if !is_batch => vec![sql],
            (None, Some(sqls)) if is_batch => sqls,
            _ => return Err(missing(if is_batch { "sqls" } else { "sql" })),
        };
        length("sqls", written.len(), 1, 40)?;
        for sql in &written {
            if sql.trim().is_empty() || sql.len() > LONGEST_STATEMENT {
                let message = format!("The SQL statement must have 1 to {LONGEST_STATEMENT} bytes");
                return Err(Problem::validation(&message));
            }
        }
        let (cluster, workgroup) = (self.cluster_identifier, self.workgroup_name);
        match (&cluster, &workgroup) {
            (Some(_), Some(_)) => {
                return Err(Problem::validation("ClusterIdentifier and WorkgroupName cannot both be given"));
            }
            (None, None) => return Err(Problem::validation("Either ClusterIdentifier or WorkgroupName must be given")),
            (Some(name), None) | (None, Some(name)) => length("clusterIdentifier", name.chars().count(), 1, 128)?,
        }
        if workgroup.is_some() && self.db_user.is_some() {
            return Err(Problem::validation("DbUser cannot be given with WorkgroupName"));
        }
        if self.secret_arn.is_some() && self.db_user.is_some() {
            return Err(Problem::validation("DbUser and SecretArn cannot both be given"));
        }
        let database = self.database.ok_or_else(|| missing("database"))?;
        if let Some(token) = &self.client_token {
            length("clientToken", token.chars().count(), 1, 64)?;
        }
        if let Some(name) = &self.statement_name {
            length("statementName", name.chars().count(), 0, 2048)?;
        }
        if let Some(parameters) = &self.parameters {
            length("parameters", parameters.len(), 1, usize::MAX)?;
        }
        let parameters: Result<Vec<_>, Problem> =
            self.parameters.unwrap_or_default().into_iter().enumerate().map(parameter).collect();
        let parameters = parameters?;
        if self.result_format.is_some_and(|format| format != "JSON") {
            return Err(Problem::validation("this stand-in has results as JSON only"));
        }
        let auto_commit = match self.execution_mode.as_deref() {
            None | Some("TRANSACTION") => false,
            Some("AUTO_COMMIT") if is_batch => true,
            _ => return Err(Problem::validation("ExecutionMode is TRANSACTION or AUTO_COMMIT, and of a batch")),
        };
        if self.wait_time_seconds.is_some_and(|seconds| !(1..=30).contains(&seconds)) {
            return Err(Problem::validation("WaitTimeSeconds is 1 to 30"));
        }
        let bound = bind(&written, &parameters).map_err(|message| Problem::validation(&message))?;
        Ok(Submission {
            written,
            bound,
            is_batch,
            auto_commit,
            parameters,
            cluster,
            workgroup,
            database,
            user: self.db_user,
            secret: self.secret_arn,
            name: self.statement_name,
            token: self.client_token,
            with_event: self.with_event,
            wait: self.wait_time_seconds.unwrap_or(0),
        })
    }
}

fn parameter((at, parameter): (usize, Parameter)) -> Result<(String, String), Problem> {
    let member = format!("parameters.{}.member", at + 1);
    let value = parameter.value.ok_or_else(|| missing(&format!("{member}.value")))?;
    length(&format!("{member}.value"), value.chars().count(), 1, usize::MAX)?;
    let name = parameter.name.ok_or_else(|| missing(&format!("{member}.name")))?;
    let fits = |first: char| first.is_ascii_alphabetic() || first == '_';
    if name.starts_with(fits) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok((name, value))
    } else {
        Err(failed(&format!("{member}.name"), "Member must satisfy regular expression pattern"))
    }
}

fn length(member: &str, length: usize, least: usize, most: usize) -> Result<(), Problem> {
    match length {
        _ if length < least => {
            Err(failed(member, &format!("Member must have length greater than or equal to {least}")))
        }
        _ if length > most => Err(failed(member, &format!("Member must have length less than or equal to {most}"))),
        _ => Ok(()),
    }
}

fn missing(member: &str) -> Problem {
    failed(member, "Member must not be null")
}

fn failed(member: &str, constraint: &str) -> Problem {
    let message =
        format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}");
    Problem::validation(&message)
}
