//! The adoption dashboard: Slack's analytics joined with the company's employees.

mod definition;

use aws::athena::work_group::WorkGroupRef;
use aws::iam::managed_policy::ManagedPolicyRef;
use aws::quicksight::dashboard::{self, Dashboard};
use aws::quicksight::data_set::{self, CustomSql, DataSet, InputColumn, InputColumnType, PhysicalTable};
use aws::quicksight::data_source::{
    self, AthenaParameters, DataSource, DataSourceParameters, DataSourceRef, DataSourceType,
};
use aws::quicksight::refresh_schedule::{
    Interval, RefreshSchedule, RefreshScheduleMap, RefreshType, ScheduleFrequency,
};
use cfn::intrinsic::account_id;
use cfn::{Attributes, Stack, Value};
use serde::Deserialize;

use super::props::{Booleans, Props};
use crate::shared::fields::{checked_text, distinct, in_range};
use crate::shared::quicksight::{self, Principal};

/// The dashboard, and who may do what with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct DashboardProps {
    /// Which employee works in which department.
    pub employees: Employees,
    /// Days that it shows, up to yesterday.
    pub days: u32,
    owners: Vec<Principal>,
    viewers: Vec<Principal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    employees: Employees,
    #[serde(default = "thirty")]
    days: u32,
    #[serde(deserialize_with = "distinct")]
    owners: Vec<Principal>,
    #[serde(default, deserialize_with = "distinct")]
    viewers: Vec<Principal>,
}

fn thirty() -> u32 {
    30
}

/// A table in Athena with one or more rows for each employee.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employees {
    /// Its catalog; AWS Glue's by default.
    #[serde(default = "glue")]
    pub catalog: Column,
    /// Its database and its name.
    pub table: TableName,
    /// The column with the e-mail address that the employee has at Slack.
    pub email: Column,
    /// The column with the department.
    pub department: Column,
}

fn glue() -> Column {
    Column("awsdatacatalog".to_owned())
}

impl TryFrom<Fields> for DashboardProps {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        if fields.owners.is_empty() {
            return Err("the dashboard has no owner; name at least one under `owners`".to_owned());
        }
        // Slack keeps 13 months.
        let days = in_range("`days`", fields.days, 1..=390)?;
        Ok(Self { employees: fields.employees, days, owners: fields.owners, viewers: fields.viewers })
    }
}

/// The day's columns: a name, and what QuickSight calls its type.
const COLUMNS: [(&str, InputColumnType); 5] = [
    ("day", InputColumnType::Datetime),
    ("email_address", InputColumnType::String),
    ("department", InputColumnType::String),
    ("is_active", InputColumnType::Integer),
    ("messages_posted_count", InputColumnType::Integer),
];

/// Adds the data source, the dataset with its refresh each morning, and the dashboard.
pub(super) fn add(
    stack: &mut Stack,
    dashboard: &DashboardProps,
    props: &Props,
    catalog: &str,
    work_group: &WorkGroupRef,
    queries: &ManagedPolicyRef,
) {
    let name = format!("{}-adoption", stack.name());
    let source = stack.add("DataSource", data_source(&name, dashboard, work_group).depends_on([queries]));
    let sql = sql(dashboard, props, catalog);
    let set = stack.add("AdoptionData", data_set(&name, dashboard, &source, sql));
    stack.add("AdoptionRefresh", refresh(&name).depends_on([&set]));
    let required = dashboard::Required {
        aws_account_id: account_id(),
        dashboard_id: name.as_str().into(),
        name: definition::TITLE.into(),
    };
    let shown = Dashboard::new(required)
        .definition(definition::of(&set.arn()))
        .permissions(quicksight::dashboard_permissions(&dashboard.owners, &dashboard.viewers));
    stack.add("AdoptionDashboard", shown);
    stack.output("AdoptionDashboardId", Value::from(name));
}

fn data_source(name: &str, dashboard: &DashboardProps, work_group: &WorkGroupRef) -> DataSource {
    let athena = AthenaParameters::new().work_group(work_group.reference());
    DataSource::new(data_source::Required { name: name.into(), r#type: DataSourceType::Athena.into() })
        .aws_account_id(account_id())
        .data_source_id(name)
        .data_source_parameters(DataSourceParameters::new().athena_parameters(athena))
        .permissions(quicksight::data_source_permissions(&dashboard.owners))
}

/// A copy in SPICE: with direct queries, opening the dashboard would fetch every day from Slack again.
fn data_set(name: &str, dashboard: &DashboardProps, source: &DataSourceRef, sql: String) -> DataSet {
    let column = |(name, ty): (&str, InputColumnType)| {
        InputColumn::new(data_set::InputColumnRequired { name: name.into(), r#type: ty.into() })
    };
    let query = CustomSql::new(data_set::CustomSqlRequired {
        columns: COLUMNS.into_iter().map(column).collect::<Vec<_>>().into(),
        data_source_arn: source.arn(),
        name: "adoption".into(),
        sql_query: sql.into(),
    });
    DataSet::new()
        .aws_account_id(account_id())
        .data_set_id(name)
        .name(name)
        .import_mode(data_set::ImportMode::Spice)
        .physical_table_map([("adoption", PhysicalTable::new().custom_sql(query))])
        .permissions(quicksight::data_set_permissions(&dashboard.owners))
}

/// In the morning (UTC), when Slack has the file of the day before.
fn refresh(name: &str) -> RefreshSchedule {
    let frequency = ScheduleFrequency::new().interval(Interval::Daily).time_of_the_day("06:00").time_zone("UTC");
    let daily = RefreshScheduleMap::new()
        .schedule_id("daily")
        .refresh_type(RefreshType::FullRefresh)
        .schedule_frequency(frequency);
    RefreshSchedule::new().aws_account_id(account_id()).data_set_id(name).schedule(daily)
}

/// Members by day, each with the department of the employee with this address. Several rows of one employee count as one, so that
/// nobody counts twice.
fn sql(dashboard: &DashboardProps, props: &Props, catalog: &str) -> String {
    let Employees { catalog: their_catalog, table, email, department } = &dashboard.employees;
    let (database, table) = table.parts();
    let (email, department) = (email.as_str(), department.as_str());
    let is_active = match props.booleans {
        Booleans::Boolean => "m.is_active",
        Booleans::Text => "m.is_active = 'true'",
    };
    format!(
        "SELECT CAST(m.date AS date) AS day, m.email_address, \
         coalesce(e.department, 'Unknown') AS department, \
         CASE WHEN {is_active} THEN 1 ELSE 0 END AS is_active, m.messages_posted_count \
         FROM \"{catalog}\".\"slackanalytics\".\"member_analytics\" m \
         LEFT JOIN (SELECT lower(\"{email}\") AS email, max(\"{department}\") AS department \
         FROM \"{}\".\"{database}\".\"{table}\" GROUP BY 1) e ON e.email = lower(m.email_address) \
         WHERE m.date >= date_format(date_add('day', -{}, current_date), '%Y-%m-%d')",
        their_catalog.as_str(),
        dashboard.days,
    )
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

checked_text! {
    /// The name of a column or a catalog.
    pub Column, |text: &str| {
        if is_name(text) {
            return Ok(());
        }
        Err(format!("`{text}` is not a valid name in Athena; use at most 128 characters a-z, 0-9 and `_`"))
    }
}

checked_text! {
    /// A table with its database.
    pub TableName, |text: &str| {
        if text.split_once('.').is_some_and(|(database, table)| is_name(database) && is_name(table)) {
            return Ok(());
        }
        Err(format!("`{text}` is not a table in Athena; must be <database>.<table>, of characters a-z, 0-9 and `_`"))
    }
}

impl TableName {
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('.').expect("it was checked when it was read")
    }
}
