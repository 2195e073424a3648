//! A named query: an SQL file with a head of comments that describe it.
//!
//! ```sql
//! -- name: trips
//! -- title: Trips
//! -- description: Trips of a day
//! -- parameter: {"name": "day", "label": "Day", "type": "date", "minimum": "2015-01-01", "default": "2015-01-31"}
//! -- chart: {"kind": "line", "x": "hour", "y": "trips"}
//! select hour, count(*) as trips from {schema}.trips where day = cast(:day as date) group by hour order by hour
//! ```
//!
//! The head consists of the first lines that begin with `-- `; each is one of these, in any order. `name`, `title` and
//! `description` occur once, `chart` at most once, `parameter` once for each parameter; see [`Parameter`] for its members. The
//! rest is one statement.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::parameter::Parameter;
use crate::sql;

/// A valid query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    /// Its name in requests and of its file: a lower-case letter and up to 39 lower-case letters, digits and `-`.
    pub name: String,
    /// Its heading, at most 100 characters.
    pub title: String,
    /// Its description, at most 500 characters.
    pub description: String,
    /// In the order of the file.
    pub parameters: Vec<Parameter>,
    /// How to draw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
    #[serde(skip)]
    sql: String,
}

/// A hint on how to draw a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The form.
    pub kind: ChartKind,
    /// The column of the horizontal axis.
    pub x: String,
    /// The column of the vertical axis.
    pub y: String,
}

/// A form of charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    /// A bar for each row.
    Bar,
    /// A line through all rows.
    Line,
    /// A dot for each row.
    Scatter,
}

/// A query's statement with the values of one request. It has no `Debug`, which would show them.
pub struct Bound {
    /// One statement, with a limit on rows.
    pub sql: String,
    /// Names and values, in the order of the file.
    pub values: Vec<(String, String)>,
}

/// The longest file in bytes; the Data API accepts 100 KB.
pub(crate) const FILE_BYTES: usize = 64 * 1024;

const MOST_PARAMETERS: usize = 20;

impl Query {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is not of the form that this module describes.
    pub fn parse(file: &str) -> Result<Query, String> {
        if file.len() > FILE_BYTES {
            return Err(format!("it has {} bytes; must be at most {FILE_BYTES}", file.len()));
        }
        let (mut name, mut title, mut description, mut chart) = (None, None, None, None);
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut lines = file.lines();
        let head = lines.by_ref().map_while(|line| line.strip_prefix("-- "));
        for line in head {
            let (key, value) =
                line.split_once(':').ok_or_else(|| format!("the head has `{line}`, which is not `key: value`"))?;
            let once = match (key, value.trim()) {
                ("name", value) => name.replace(value.to_owned()).is_none(),
                ("title", value) => title.replace(value.to_owned()).is_none(),
                ("description", value) => description.replace(value.to_owned()).is_none(),
                ("chart", value) => chart.replace(json::<Chart>(key, value)?).is_none(),
                ("parameter", value) => {
                    let parameter: Parameter = json(key, value)?;
                    parameter.check()?;
                    let is_new = parameters.iter().all(|other| other.name != parameter.name);
                    parameters.push(parameter);
                    is_new
                }
                _ => {
                    return Err(format!("the head has `{key}`; must be name, title, description, parameter or chart"));
                }
            };
            if !once {
                return Err(format!("the head says the same `{key}` twice"));
            }
        }
        let sql = file.lines().skip_while(|line| line.starts_with("-- ")).collect::<Vec<_>>().join("\n");
        let query = Query {
            name: given("name", name, 40)?,
            title: given("title", title, 100)?,
            description: given("description", description, 500)?,
            parameters,
            chart,
            sql: sql.trim().to_owned(),
        };
        query.check()?;
        Ok(query)
    }

    /// The statement of one request, whose values are checked here.
    ///
    /// `schema` is already quoted. The result has at most `rows` rows, in the order of the query.
    ///
    /// # Errors
    ///
    /// If a value is missing, not allowed, or not for a parameter, in a sentence for the user.
    pub fn bind(&self, schema: &str, given: &Map<String, Value>, rows: u32) -> Result<Bound, String> {
        let is_known = |name: &String| self.parameters.iter().any(|parameter| parameter.name == *name);
        if let Some(unknown) = given.keys().find(|name| !is_known(name)) {
            let shown: String = unknown.chars().take(40).collect();
            let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("the query has no parameter {shown:?}; it has {known}"));
        }
        let value = |parameter: &Parameter| Ok((parameter.name.clone(), parameter.read(given.get(&parameter.name))?));
        let values = self.parameters.iter().map(value).collect::<Result<_, String>>()?;
        // On a line of its own, in case the file ends with a comment.
        let sql = format!("{}\nlimit {rows}", self.sql.replace(sql::SCHEMA, schema));
        Ok(Bound { sql, values })
    }

    fn check(&self) -> Result<(), String> {
        let is_letter = |character: char| character.is_ascii_lowercase();
        let name = &self.name;
        if !name.starts_with(is_letter)
            || !name.chars().all(|character| is_letter(character) || character.is_ascii_digit() || character == '-')
        {
            return Err(format!(
                "its name is `{name}`; must be a lower-case letter followed by lower-case letters, digits and `-`"
            ));
        }
        if self.parameters.len() > MOST_PARAMETERS {
            return Err(format!("it has more than {MOST_PARAMETERS} parameters"));
        }
        let used = sql::parameters(&self.sql)?;
        if let Some(idle) = self.parameters.iter().find(|parameter| !used.contains(&parameter.name)) {
            return Err(format!("the parameter `{}` does not occur in its SQL", idle.name));
        }
        match used.iter().find(|name| self.parameters.iter().all(|parameter| parameter.name != **name)) {
            Some(undeclared) => Err(format!("its SQL has `:{undeclared}`, which the head does not declare")),
            None => Ok(()),
        }
    }
}

fn json<'a, T: Deserialize<'a>>(key: &str, value: &'a str) -> Result<T, String> {
    serde_json::from_str(value).map_err(|error| format!("the head's `{key}` cannot be read: {error}"))
}

fn given(key: &str, value: Option<String>, most: usize) -> Result<String, String> {
    let value = value.unwrap_or_default();
    if (1..=most).contains(&value.chars().count()) {
        Ok(value)
    } else {
        Err(format!("the head must have a `{key}` of 1 to {most} characters"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "-- name: trips\n-- title: Trips\n-- description: All\n-- parameter: {\"name\":\"day\",\"label\":\"Day\",\"type\":\"date\"}\n\n-- of a day\nselect * from {schema}.t where d = cast(:day as date) order by 1 -- all";

    #[test]
    fn values_are_parameters_and_the_limit_follows_the_order() {
        let query = Query::parse(FILE).unwrap();
        let given = json!({"day": "2015-01-31"});
        let bound = query.bind("\"app\"", given.as_object().unwrap(), 10).unwrap();
        assert_eq!(
            bound.sql,
            "-- of a day\nselect * from \"app\".t where d = cast(:day as date) order by 1 -- all\nlimit 10"
        );
        assert_eq!(bound.values, [("day".to_owned(), "2015-01-31".to_owned())]);
        for (given, problem) in
            [(json!({}), "`day` is missing"), (json!({"day": "2015-01-31", "x": 1}), "no parameter \"x\"")]
        {
            let message = query.bind("s", given.as_object().unwrap(), 10).err().unwrap();
            assert!(message.contains(problem), "{message}");
        }
    }

    #[test]
    fn an_invalid_file_is_refused_with_the_reason() {
        for (from, to, problem) in [
            ("-- name: trips\n", "", "a `name`"),
            ("trips", "Trips", "its name is"),
            ("-- title: Trips\n", "-- title: Trips\n-- title: Trips\n", "twice"),
            ("-- title: Trips", "-- author: me", "must be name"),
            ("-- title: Trips", "-- title Trips", "not `key: value`"),
            ("\"label\"", "\"lable\"", "unknown field"),
            (":day as", ":days as", "does not occur"),
            ("order by 1", "order by :other", "`:other`"),
            ("select", "drop", "begins with"),
        ] {
            let message = Query::parse(&FILE.replace(from, to)).unwrap_err();
            assert!(message.contains(problem), "{message}");
        }
        assert!(Query::parse(&format!("{FILE}\n{}", "-- x\n".repeat(20_000))).unwrap_err().contains("bytes"));
    }
}
