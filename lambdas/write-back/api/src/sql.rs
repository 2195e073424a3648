//! The insert of a submission, and the question whether its row exists.

use function::Invalid;
use redshift::identifier;
use write_back::{Accepted, Action, QuoteId, decomposed};

use crate::claim::{Entry, Status};
use crate::input::{Input, Kind, Values};

/// The target of the inserts: the table and the columns of the inputs, and the view of the rows that quotes are generated from. Quoted.
pub(crate) struct Inserts {
    table: String,
    source: String,
    /// Each input's name, its column, and its type in SQL.
    inputs: Vec<(String, String, &'static str)>,
}

/// Text and values of one statement.
pub(crate) struct Prepared {
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
        Ok(Inserts {
            table: format!("{schema}.quote_history"),
            source: format!("{schema}.vw_quote_source"),
            inputs: inputs.iter().map(column).collect(),
        })
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
    /// It does nothing either if the database no longer has what the link says: the row of the source, or the row of the quote to
    /// accept, with this cost. Whoever reads the views may call the function that signs, with any row.
    ///
    /// The text only depends on the settings, the action, and which values are NULL or empty, because the Data API accepts
    /// neither as a parameter. <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html>
    pub(crate) fn insert(&self, accepted: &Accepted, stamp: &Stamp<'_>, inputs: &Values) -> Prepared {
        let link = &accepted.link;
        let mut row = Row::default();
        row.add("quote_id", "quote_id", Some(stamp.quote_id.as_str()), "varchar(36)");
        row.add("customer", "customer", Some(&link.customer), "varchar(256)");
        row.add("skill", "skill", Some(&link.skill), "varchar(256)");
        row.add("cost", "cost", Some(link.cost.as_str()), "decimal(18,2)");
        row.push("status", self.status(&link.action));
        row.add("created_at", "created_at", Some(&stamp.created_at), "timestamp");
        row.add("submission_id", "submission_id", Some(&accepted.submission.id()), "char(64)");
        for (name, column, kind) in &self.inputs {
            row.add(&format!("input_{name}"), column, inputs.get(name).map(String::as_str), kind);
        }
        let table = &self.table;
        let accepted_before = match link.action {
            Action::Generate => "",
            Action::Accept(_) => " or (quote_id = :quote_id and status = 'accepted')",
        };
        let (basis, quote) = match link.action {
            Action::Generate => (&self.source, ""),
            Action::Accept(_) => (table, "quote_id = :quote_id and "),
        };
        let (columns, values) = (row.columns.join(", "), row.values.join(", "));
        let customer = row.is_spelled("customer", &link.customer);
        let skill = row.is_spelled("skill", &link.skill);
        let sql = format!(
            "insert into {table} ({columns}) select {values} \
             where not exists (select 1 from {table} where submission_id = :submission_id{accepted_before}) \
             and exists (select 1 from {basis} where {quote}{customer} and {skill} and cost = cast(:cost as decimal(18,2)))",
        );
        Prepared { sql, parameters: row.parameters }
    }

    /// Has a row if that of a submission exists, or if the quote to accept is accepted. `created_at` as in the insert.
    pub(crate) fn find(&self, entry: &Entry, created_at: String) -> Prepared {
        let accepted_before = if entry.status == Status::Accepted { " or status = 'accepted'" } else { "" };
        let sql = format!(
            "select 1 from {} where quote_id = :quote_id and (created_at = cast(:created_at as timestamp){accepted_before})",
            self.table
        );
        let quote_id = entry.quote_id.as_str().to_owned();
        Prepared { sql, parameters: vec![("quote_id".to_owned(), quote_id), ("created_at".to_owned(), created_at)] }
    }
}

#[derive(Default)]
struct Row {
    columns: Vec<String>,
    values: Vec<String>,
    parameters: Vec<(String, String)>,
}

impl Row {
    /// Whether a column has this text, in either form of Unicode: a token has it in NFC, the source perhaps in NFD. The column has been
    /// [added](Self::add), so its text is a parameter already.
    fn is_spelled(&mut self, column: &str, text: &str) -> String {
        if text.is_empty() {
            return format!("{column} = ''");
        }
        let other = decomposed(text);
        if other == text {
            return format!("{column} = :{column}");
        }
        self.parameters.push((format!("{column}_nfd"), other));
        format!("{column} in (:{column}, :{column}_nfd)")
    }

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
