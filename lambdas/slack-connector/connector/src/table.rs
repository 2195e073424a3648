//! The columns of the table, as documented by Slack and not guessed from a file.
//!
//! <https://docs.slack.dev/reference/methods/admin.analytics.getFile>; the last columns of each group are fields of older files.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// The schema of the table, and the kind of source.
pub(crate) const SCHEMA: &str = "slackanalytics";

/// The table.
pub(crate) const TABLE: &str = "member_analytics";

/// The column that identifies the partition.
pub(crate) const DATE: &str = "date";

/// How boolean columns are exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booleans {
    /// As booleans.
    Boolean,
    /// As the texts `true` and `false`, for dashboards that compare with `'true'`.
    Text,
}

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The day of the file.
    Day,
    Text,
    Flag,
    Count,
}

/// Names and kinds, in the order of the table. Athena only knows lower case.
pub(crate) const COLUMNS: [(&str, Kind); 25] = [
    (DATE, Kind::Day),
    ("enterprise_id", Kind::Text),
    ("team_id", Kind::Text),
    ("user_id", Kind::Text),
    ("email_address", Kind::Text),
    ("enterprise_user_id", Kind::Text),
    ("enterprise_employee_number", Kind::Text),
    ("is_guest", Kind::Flag),
    ("is_billable_seat", Kind::Flag),
    ("is_active", Kind::Flag),
    ("is_active_ios", Kind::Flag),
    ("is_active_android", Kind::Flag),
    ("is_active_desktop", Kind::Flag),
    ("is_active_apps", Kind::Flag),
    ("is_active_workflows", Kind::Flag),
    ("is_active_slack_connect", Kind::Flag),
    ("reactions_added_count", Kind::Count),
    ("messages_posted_count", Kind::Count),
    ("channel_messages_posted_count", Kind::Count),
    ("files_added_count", Kind::Count),
    ("total_calls_count", Kind::Count),
    ("slack_calls_count", Kind::Count),
    ("slack_huddles_count", Kind::Count),
    ("search_count", Kind::Count),
    // Seconds since 1970.
    ("date_claimed", Kind::Count),
];

/// The position of the column that identifies a member, and of its name in older files.
pub(crate) const ID_COLUMN: usize = 3;
pub(crate) const OLDER_ID_COLUMN: usize = 5;

/// The column of a field: by its name, or by one of the two older spellings in capitals.
pub(crate) fn column(field: &str) -> Option<usize> {
    let name = match field {
        "is_active_iOS" => "is_active_ios",
        "is_active_Android" => "is_active_android",
        name => name,
    };
    COLUMNS.iter().position(|(column, _)| *column == name)
}

/// The table's columns.
pub fn schema(booleans: Booleans) -> SchemaRef {
    let field = |(name, kind): (&str, Kind)| Field::new(name, data_type(kind, booleans), true);
    Arc::new(Schema::new(COLUMNS.map(field).to_vec()))
}

fn data_type(kind: Kind, booleans: Booleans) -> DataType {
    match (kind, booleans) {
        (Kind::Flag, Booleans::Boolean) => DataType::Boolean,
        (Kind::Day | Kind::Text, _) | (Kind::Flag, Booleans::Text) => DataType::Utf8,
        (Kind::Count, _) => DataType::Int64,
    }
}
