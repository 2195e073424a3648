//! What a query app needs in a warehouse: a schema, perhaps filled by a script, and a user who reads it.

mod properties;
mod split;

use redshift::Warehouse;
use serde_json::Value;

use crate::database::Database;
use crate::script::Scripts;
use crate::system::{Done, Needs};
use crate::user;
pub(crate) use properties::Properties;

impl Needs for Properties {
    fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    fn schema_name(&self) -> &str {
        &self.schema_name
    }

    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        old: Option<&'a Value>,
        scripts: Option<&'a Scripts>,
    ) -> Done<'a> {
        let old = old.and_then(|old| Properties::read(old).ok());
        Box::pin(async move { apply(database, self, old.as_ref(), scripts).await })
    }

    fn remove<'a>(&'a self, database: &'a mut Database) -> Done<'a> {
        Box::pin(remove(database, self))
    }
}

/// Makes the schema, runs the script where this is a Create, and lets the reading user read, for so long a statement.
///
/// The script is read and taken apart before anything is done. Its statements run one by one, each in a session of its own;
/// those before one that fails stay done, and the next Create runs all of them again.
///
/// # Errors
///
/// What could not be done, in one sentence.
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
    database.run("create the schema", &format!("create schema if not exists {}", wanted.schema)).await?;
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

/// Takes the rights of the reading user away; schema, tables and the user stay. What is missing counts as taken away.
///
/// # Errors
///
/// What could not be done, in one sentence.
async fn remove(database: &mut Database, made: &Properties) -> Result<(), String> {
    database.all_but_missing("revoke rights from the reading user", &revokes(made)).await
}

/// The schema's tables, those that will be made too, and nothing else; Redshift ends what takes longer.
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
