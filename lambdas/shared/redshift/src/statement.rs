//! Statements and their results.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One SQL statement with its values.
///
/// It has no `Debug`, which would show values.
#[derive(Clone)]
pub struct Statement<'a> {
    /// The text, with values as `:name`; at most 100 KB.
    pub sql: &'a str,
    /// Names and values. All are text, which Redshift casts where they are used; none may be empty, and NULL cannot be passed.
    pub parameters: Vec<(&'a str, String)>,
    /// The statement's name in lists and events, up to 2,048 characters. If a statement has a name, its end is reported to
    /// EventBridge.
    pub name: Option<&'a str>,
    /// Makes a second submission of the same statement return the first one's ID; 1 to 64 characters.
    pub client_token: Option<&'a str>,
}

impl<'a> Statement<'a> {
    /// A statement with no values, name or token.
    pub fn new(sql: &'a str) -> Statement<'a> {
        Statement { sql, parameters: Vec::new(), name: None, client_token: None }
    }
}

/// A submitted statement, as the Data API knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatementId(String);

/// Text that is not a statement's ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidStatementId;

impl fmt::Display for InvalidStatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement's ID is a UUID, followed by `:` and a number for a part of a batch")
    }
}

impl std::error::Error for InvalidStatementId {}

impl FromStr for StatementId {
    type Err = InvalidStatementId;

    /// The service's own form: `[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?`.
    fn from_str(text: &str) -> Result<StatementId, InvalidStatementId> {
        let (uuid, part) = text.split_once(':').unwrap_or((text, "1"));
        let groups: Vec<&str> = uuid.split('-').collect();
        let is_group = |group: &str| group.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let fits = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.iter().all(|group| is_group(group))
            && matches!(part.len(), 1..=3)
            && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| StatementId(text.to_owned())).ok_or(InvalidStatementId)
    }
}

impl TryFrom<String> for StatementId {
    type Error = InvalidStatementId;

    fn try_from(text: String) -> Result<StatementId, InvalidStatementId> {
        text.parse()
    }
}

impl From<StatementId> for String {
    fn from(id: StatementId) -> String {
        id.0
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The status of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Waiting or running.
    Running,
    /// Done.
    Finished {
        /// Rows of the result, or rows that were written.
        rows: u64,
        /// Whether there is a result to read.
        has_result: bool,
        /// Bytes of the result, if the service reports them.
        bytes: Option<u64>,
    },
    /// Redshift rejected or aborted it.
    Failed {
        /// Why, in one line, without SQL or values.
        message: String,
    },
    /// It was cancelled.
    Aborted,
}

/// Some rows of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The same on all pages.
    pub columns: Vec<Column>,
    /// Each row has one field per column.
    pub rows: Vec<Vec<Field>>,
    /// The token of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The column's label in the statement.
    pub label: String,
    /// Redshift's name for its type: `int8`, `numeric`, `varchar` …
    pub kind: String,
    /// Whether a value may be NULL, as far as Redshift knows.
    pub nullable: bool,
}

/// One value of a result. Decimals, dates and times are text, as Redshift writes them.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// SQL's NULL.
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// SMALLINT, INTEGER, BIGINT.
    Integer(i64),
    /// REAL, DOUBLE PRECISION.
    Double(f64),
    /// Everything else; bytes in hexadecimal digits.
    Text(String),
}

impl Field {
    /// The text of a text field.
    pub fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_own_form_is_a_statement_id() {
        for text in ["d9b6c0c9-0747-4bf4-b142-e8883122f766", "d9b6c0c9-0747-4bf4-b142-e8883122f766:2"] {
            assert_eq!(text.parse::<StatementId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "x",
            "d9b6c0c9-0747-4bf4-b142-e8883122f76",
            "D9B6C0C9-0747-4bf4-b142-e8883122f766",
            "d9b6c0c9-0747-4bf4-b142-e8883122f766:",
            "d9b6c0c9-0747-4bf4-b142-e8883122f766:x",
            "d9b6c0c9-0747-4bf4-b142-e8883122f766:1000",
            "d9b6c0c9-0747-4bf4-b142-e8883122f76?",
            "d9b6c0c9-07474bf4-b142-e888-3122f766",
        ] {
            assert_eq!(text.parse::<StatementId>(), Err(InvalidStatementId), "{text}");
        }
    }
}
