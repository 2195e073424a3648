//! Statements to the warehouse, as a dashboard or an operator sends them.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use stand_ins::signed::Caller;

use crate::exercise::until;

/// A database of a workgroup, by the Data API.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    api: Caller,
    database: String,
}

/// The workgroup of the local tenant; the stand-in accepts any name.
const WORKGROUP: &str = "local";
const LONGEST_STATEMENT: Duration = Duration::from_secs(60);

impl Sql {
    /// Opens no connection yet.
    pub(crate) fn new(api: Caller, database: &str) -> Sql {
        Sql { api, database: database.to_owned() }
    }

    /// Runs one statement to its end and returns the rows, at most one page of them, each field as text; NULL is `None`.
    ///
    /// # Errors
    ///
    /// When it fails, with what the database says.
    pub(crate) async fn run(&self, sql: &str) -> anyhow::Result<Vec<Vec<Option<String>>>> {
        let ask = json!({"Sql": sql, "WorkgroupName": WORKGROUP, "Database": self.database});
        let id = json!({"Id": self.call("ExecuteStatement", &ask).await?["Id"]});
        let ended = until("the end of a statement", LONGEST_STATEMENT, async || {
            let found = self.call("DescribeStatement", &id).await?;
            Ok(matches!(found["Status"].as_str(), Some("FINISHED" | "FAILED" | "ABORTED")).then_some(found))
        });
        let ended = ended.await?;
        if ended["Status"] != "FINISHED" {
            bail!("the statement is {}: {}", ended["Status"], ended["Error"]);
        }
        if ended["HasResultSet"] != true {
            return Ok(Vec::new());
        }
        let result = self.call("GetStatementResult", &id).await?;
        let records = result["Records"].as_array().context("the result has no records")?;
        Ok(records.iter().map(|row| row.as_array().into_iter().flatten().map(text).collect()).collect())
    }

    async fn call(&self, operation: &str, ask: &Value) -> anyhow::Result<Value> {
        self.api.json("redshift-data", &format!("RedshiftData.{operation}"), "1.1", ask).await
    }
}

/// A field is an object of one entry, named after its type.
fn text(field: &Value) -> Option<String> {
    match field.as_object()?.iter().next()? {
        (name, _) if name == "isNull" => None,
        (_, Value::String(text)) => Some(text.clone()),
        (_, other) => Some(other.to_string()),
    }
}
