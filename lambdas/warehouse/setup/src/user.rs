//! Database users of functions.

use redshift::identifier;

use crate::database::Database;

/// Rows when there is such a database user.
const USER: &str = "select usename::varchar(128) from pg_catalog.pg_user where usename = :name";

/// Makes a user that logs in by IAM only, where there is none of the name; `what` is it called in messages.
///
/// # Errors
///
/// What could not be done, in one sentence.
pub(crate) async fn make(database: &mut Database, what: &str, name: &str) -> Result<(), String> {
    let known = database.query(&format!("look for the {what} user"), USER, &[("name", name)]).await?;
    if known.is_empty() {
        let sql = format!("create user {} password disable", quoted(name));
        database.run(&format!("create the {what} user"), &sql).await?;
    }
    Ok(())
}

/// The name in SQL.
pub(crate) fn quoted(name: &str) -> String {
    identifier(name).expect("the name was checked when the properties were read")
}
