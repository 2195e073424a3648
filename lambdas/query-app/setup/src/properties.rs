//! What the template asks for, checked so that nothing in it can inject SQL.

use redshift::{Warehouse, identifier};
use serde::Deserialize;
use serde_json::Value;

use crate::script::ScriptPlace;

/// The properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    pub(crate) warehouse: Warehouse,

    /// Unquoted, for IDs.
    pub(crate) schema_name: String,
    /// Quoted.
    pub(crate) schema: String,
    pub(crate) script: Option<ScriptPlace>,
    /// Unquoted, for parameters.
    pub(crate) reader_name: String,
    /// 1 to 86,400.
    pub(crate) statement_seconds: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    warehouse: Warehouse,
    schema: String,
    script: Option<ScriptPlace>,
    reader: String,
    /// CloudFormation turns the number into text.
    statement_seconds: String,
}

/// The Data API stops a statement after a day: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>.
const MOST_SECONDS: u32 = 86_400;

impl Properties {
    /// # Errors
    ///
    /// One sentence that names the property.
    pub(crate) fn read(properties: &Value) -> Result<Properties, String> {
        let written: Written = serde_json::from_value(properties.clone())
            .map_err(|error| format!("the properties cannot be read: {error}"))?;
        let seconds = &written.statement_seconds;
        let statement_seconds = seconds.parse().ok().filter(|seconds| (1..=MOST_SECONDS).contains(seconds));
        identifier(&written.reader).map_err(|error| format!("Reader: {error}"))?;
        Ok(Properties {
            warehouse: written.warehouse,
            schema: identifier(&written.schema).map_err(|error| format!("Schema: {error}"))?,
            schema_name: written.schema,
            script: written.script.map(checked).transpose()?,
            reader_name: written.reader,
            statement_seconds: statement_seconds.ok_or_else(|| {
                format!("the property StatementSeconds is {seconds:?}; must be a whole number from 1 to {MOST_SECONDS}")
            })?,
        })
    }
}

fn checked(script: ScriptPlace) -> Result<ScriptPlace, String> {
    let of_bucket = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '.' | '-')
    };
    if !(3..=63).contains(&script.bucket.len()) || !script.bucket.chars().all(of_bucket) {
        return Err(format!("the property Script.Bucket is {:?}, which is not a valid bucket name", script.bucket));
    }
    if !(1..=1024).contains(&script.key.len()) || script.key.chars().any(char::is_control) {
        return Err(
            "the property Script.Key is not a valid key; must be 1 to 1024 bytes without control characters".to_owned()
        );
    }
    Ok(script)
}
