//! The one statement this function runs.

use function::Invalid;
use redshift::identifier;
use write_back::{Accepted, Action, QuoteId};

use crate::input::{Input, Kind, Values};

/// The target of the inserts: the table and the columns of the inputs, quoted.
pub(crate) struct Inserts {
    table: String,
    /// Each input's name, its column, and its type in SQL.
    inputs: Vec<(String, String, &'static str)>,
}

/// Text and values of one insert.
pub(crate) struct Insert {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// The values of a row in addition to the token and the inputs.
pub(crate) struct Stamp<'a> {
    pub(crate) quote_id: &'a QuoteId,
    /// `2024-05-01 10:00:00.123`, UTC.
    pub(crate) created_at: String,
}

impl Inserts {
    /// # Errors
    ///
    /// If the schema's name is not a valid identifier.
    pub(crate) fn new(schema: &str, inputs: &[Input]) -> Result<Inserts, Invalid> {
        let schema = identifier(schema).map_err(|error| Invalid(format!("SCHEMA: {error}")))?;
        let column = |input: &Input| {
            let kind = match input.kind {
                Kind::Text { .. } => "varchar(8000)",
                Kind::Integer { .. } => "bigint",
                Kind::Decimal { .. } => "decimal(18,4)",
                Kind::Date { .. } => "date",
            };
            let name = format!("input_{}", input.name);
            let column = identifier(&name).expect("an input's name has at most 60 letters, digits and `_`");
            (input.name.clone(), column, kind)
        };
        Ok(Inserts { table: format!("{schema}.quote_history"), inputs: inputs.iter().map(column).collect() })
    }

    /// The status follows from what is written at that moment, so the history of a quote starts with `generated` whichever of
    /// its links is written first.
    fn status(&self, action: &Action) -> String {
        let table = &self.table;
        match action {
            Action::Accept(_) => "cast('accepted' as varchar(16))".to_owned(),
            Action::Generate => format!(
                "cast(case when (select count(*) from {table} where quote_id = cast(:quote_id as varchar(36))) > 0 \
                 then 'in review' else 'generated' end as varchar(16))"
            ),
        }
    }

    /// The insert of one submission, which does nothing if its row exists or the quote is already accepted.
    ///
    /// The text only depends on the settings, the action, and which values are NULL or empty, because the Data API accepts
    /// neither as a parameter. <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html>
    pub(crate) fn insert(&self, accepted: &Accepted, stamp: &Stamp<'_>, inputs: &Values) -> Insert {
        let link = &accepted.link;
        let mut row = Row::default();
        row.add("quote_id", "quote_id", Some(stamp.quote_id.as_str()), "varchar(36)");
        row.add("customer", "customer", Some(&link.customer), "varchar(256)");
        row.add("skill", "skill", Some(&link.skill), "varchar(256)");
        row.add("cost", "cost", Some(link.cost.as_str()), "decimal(18,2)");
        row.push("status", self.status(&link.action));
        row.add("created_at", "created_at", Some(&stamp.created_at), "timestamp");
        row.add("created_by", "created_by", link.viewer.as_deref(), "varchar(256)");
        row.add("submission_id", "submission_id", Some(&accepted.submission.id()), "char(64)");
        for (name, column, kind) in &self.inputs {
            row.add(&format!("input_{name}"), column, inputs.get(name).map(String::as_str), kind);
        }
        let table = &self.table;
        let accepted_before = match link.action {
            Action::Generate => "",
            Action::Accept(_) => " or (quote_id = :quote_id and status = 'accepted')",
        };
        let sql = format!(
            "insert into {table} ({}) select {} where not exists (select 1 from {table} where submission_id = :submission_id{accepted_before})",
            row.columns.join(", "),
            row.values.join(", "),
        );
        Insert { sql, parameters: row.parameters }
    }
}

#[derive(Default)]
struct Row {
    columns: Vec<String>,
    values: Vec<String>,
    parameters: Vec<(String, String)>,
}

impl Row {
    fn push(&mut self, column: &str, value: String) {
        self.columns.push(column.to_owned());
        self.values.push(value);
    }

    fn add(&mut self, parameter: &str, column: &str, value: Option<&str>, kind: &str) {
        let expression = match value {
            None => format!("cast(null as {kind})"),
            Some("") => "''".to_owned(),
            Some(_) => format!("cast(:{parameter} as {kind})"),
        };
        self.push(column, expression);
        let value = value.filter(|value| !value.is_empty());
        self.parameters.extend(value.map(|value| (parameter.to_owned(), value.to_owned())));
    }
}
