//! Database users of functions.

use redshift::identifier;

use crate::database::Database;

/// Returns a row if the database user exists. A user keeps its capitals, unlike a table: see [`identifier`].
const USER: &str = "select usename::varchar(128) from pg_catalog.pg_user where usename = :name";

/// Creates a user that can only log in with IAM, unless one with this name exists; `what` describes it in messages.
///
/// # Errors
///
/// Says in one sentence what could not be done.
pub async fn make(database: &mut Database, what: &str, name: &str) -> Result<(), String> {
    let known = database.query(&format!("look for the {what} user"), USER, &[("name", name)]).await?;
    if known.is_empty() {
        let sql = format!("create user {} password disable", quoted(name));
        database.run(&format!("create the {what} user"), &sql).await?;
    }
    Ok(())
}

/// The name in SQL.
///
/// # Panics
///
/// If it is not a valid identifier; names are checked when the properties are read.
pub fn quoted(name: &str) -> String {
    identifier(name).expect("the name was checked when the properties were read")
}
