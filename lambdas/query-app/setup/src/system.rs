//! What a query app needs in a warehouse: a schema, perhaps filled by a script, and a user who reads it.

use custom_resource::Kind;
use redshift::Warehouse;
use serde_json::Value;
use warehouse_setup::schema::Unowned;
use warehouse_setup::{Database, Done, System, schema, user};

use crate::properties::Properties;
use crate::script::Scripts;
use crate::split;

/// What a query app needs in a warehouse.
pub struct QueryApp {
    pub(crate) scripts: Scripts,
}

impl System for QueryApp {
    type Properties = Properties;

    fn read(properties: &Value) -> Result<Properties, String> {
        Properties::read(properties)
    }

    fn place(properties: &Properties) -> (&Warehouse, &str) {
        (&properties.warehouse, &properties.schema_name)
    }

    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        wanted: &'a Properties,
        old: Option<&'a Properties>,
        kind: Kind,
    ) -> Done<'a> {
        // The script is the tenant's own SQL, which only a Create runs.
        let scripts = (kind == Kind::Create).then_some(&self.scripts);
        Box::pin(apply(database, wanted, old, scripts))
    }

    fn remove<'a>(&'a self, database: &'a mut Database, made: &'a Properties) -> Done<'a> {
        Box::pin(remove(database, made))
    }
}

/// Creates the schema, runs the script if this is a Create, and lets the reading user read, with a time limit per statement.
///
/// The script is read and split before anything is changed. Its statements run one by one, each in a session of its own.
/// If one fails, the ones before it are not undone, and the next Create runs all of them again.
///
/// # Errors
///
/// Says in one sentence what could not be done.
async fn apply(
    database: &mut Database,
    wanted: &Properties,
    old: Option<&Properties>,
    scripts: Option<&Scripts>,
) -> Result<(), String> {
    let script = match (scripts, &wanted.script) {
        (Some(scripts), Some(place)) => split::statements(&scripts.read(place).await?)?,
        _ => Vec::new(),
    };
    // The schema may have tables already: a query app reads what it finds.
    schema::create(database, &wanted.schema_name, Unowned::Use).await?;
    for (index, statement) in script.iter().enumerate() {
        let step = format!("run statement {} of the script ({})", index + 1, statement.keyword);
        database.run(&step, &statement.sql).await?;
    }
    user::make(database, "reading", &wanted.reader_name).await?;
    database.all("grant rights to the reading user", &grants(wanted)).await?;
    if let Some(former) = old.filter(|old| old.reader_name != wanted.reader_name) {
        database.all_but_missing("revoke rights from the former reading user", &revokes(former)).await?;
    }
    Ok(())
}

/// Revokes the rights of the reading user; schema, tables and the user are kept. Missing rights count as revoked.
///
/// # Errors
///
/// Says in one sentence what could not be done.
async fn remove(database: &mut Database, made: &Properties) -> Result<(), String> {
    database.all_but_missing("revoke rights from the reading user", &revokes(made)).await
}

/// The schema's tables, including future ones, and nothing else; Redshift stops statements that take longer.
fn grants(properties: &Properties) -> Vec<String> {
    let Properties { schema, statement_seconds, .. } = properties;
    let reader = user::quoted(&properties.reader_name);
    vec![
        format!("grant usage on schema {schema} to {reader}"),
        format!("grant select on all tables in schema {schema} to {reader}"),
        format!("alter default privileges in schema {schema} grant select on tables to {reader}"),
        format!("alter user {reader} set statement_timeout to {}", u64::from(*statement_seconds) * 1000),
    ]
}

fn revokes(properties: &Properties) -> Vec<String> {
    let schema = &properties.schema;
    let reader = user::quoted(&properties.reader_name);
    vec![
        format!("alter default privileges in schema {schema} revoke select on tables from {reader}"),
        format!("revoke select on all tables in schema {schema} from {reader}"),
        format!("revoke usage on schema {schema} from {reader}"),
    ]
}
