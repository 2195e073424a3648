//! The schema of a system, and the stack that it belongs to.
//!
//! A schema has its owner in a view: [`MARK`] has one row, the name of the stack. A comment would be simpler, but Redshift has none on
//! schemas: <https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html>. A view is created with its content in one statement, so no two
//! stacks can mark one schema.

use redshift::identifier;

use crate::database::Database;

/// The view that names the owner, in the column `owner`.
const MARK: &str = "ferrostack_owner";

/// Which of two relations a schema has. Compared as [`identifier`] says.
const RELATIONS: &str = "select c.relname::varchar(128)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where lower(n.nspname) = lower(:schema) and c.relname in (:mark, :trace)";

/// Whether a stack may use a schema that has no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unowned {
    /// Yes: this stack has used it before, or the system changes nothing that it finds there.
    Use,
    /// Only if it lacks this table, which the system itself creates: its rows are somebody's.
    UseWithout(&'static str),
}

/// Creates the schema, unless it exists, and makes the event's stack its owner.
///
/// # Errors
///
/// If it belongs to a different stack, or may do so. Says in one sentence what could not be done.
pub async fn create(database: &mut Database, name: &str, unowned: Unowned) -> Result<(), String> {
    let schema = quoted(name)?;
    database.run("create the schema", &format!("create schema if not exists {schema}")).await?;
    let stack = database.stack().to_owned();
    let trace = match unowned {
        Unowned::Use => MARK,
        Unowned::UseWithout(table) => table,
    };
    let relations = relations(database, name, trace).await?;
    let mark = format!("create view {schema}.{MARK} as select '{stack}'::varchar(128) as owner");
    if relations.iter().any(|relation| relation == MARK) {
        return match owner(database, &schema).await? {
            owner if owner == stack => Ok(()),
            owner => {
                Err(format!("the schema {schema} belongs to the stack {owner}; set a different `schema` for {stack}"))
            }
        };
    }
    if relations.iter().any(|relation| relation == trace) {
        return Err(format!(
            "the schema {schema} has no owner, but already has the table {trace}; set a different `schema` for {stack}, or, \
             if the table is its own, run: {mark}"
        ));
    }
    if !stack.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("`{stack}` is not a valid stack name; must be letters, digits and `-`"));
    }
    database.run("make the stack the owner of the schema", &mark).await
}

/// Whether the schema belongs to a different stack than the event's. A schema without an owner does not.
///
/// # Errors
///
/// Says in one sentence why the owner is not known.
pub(crate) async fn is_foreign(database: &mut Database, name: &str) -> Result<bool, String> {
    let schema = quoted(name)?;
    if relations(database, name, MARK).await?.is_empty() {
        return Ok(false);
    }
    Ok(owner(database, &schema).await? != database.stack())
}

async fn relations(database: &mut Database, name: &str, trace: &str) -> Result<Vec<String>, String> {
    let parameters = [("schema", name), ("mark", MARK), ("trace", trace)];
    texts(database, "look for the owner of the schema", RELATIONS, &parameters).await
}

async fn owner(database: &mut Database, schema: &str) -> Result<String, String> {
    let sql = format!("select owner from {schema}.{MARK}");
    let owners = texts(database, "read the owner of the schema", &sql, &[]).await?;
    owners.into_iter().next().ok_or_else(|| format!("the view {schema}.{MARK} has no row; drop it to use the schema"))
}

async fn texts(
    database: &mut Database,
    step: &str,
    sql: &str,
    parameters: &[(&str, &str)],
) -> Result<Vec<String>, String> {
    let rows = database.query(step, sql, parameters).await?;
    Ok(rows.iter().filter_map(|row| Some(row.first()?.text()?.to_owned())).collect())
}

fn quoted(name: &str) -> Result<String, String> {
    identifier(name).map_err(|error| error.to_string())
}
