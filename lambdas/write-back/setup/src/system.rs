//! What write-back needs in a warehouse. Every step may run again.

use custom_resource::Kind;
use redshift::Warehouse;
use serde_json::Value;
use tracing::info;
use warehouse_setup::schema::Unowned;
use warehouse_setup::{Database, Done, System, schema, user};

use crate::names::{HISTORY, HISTORY_VIEW, QUOTES_VIEW, SOURCE_VIEW};
use crate::properties::Properties;
use crate::sql;

/// What write-back needs in a warehouse.
pub struct WriteBack;

impl System for WriteBack {
    type Properties = Properties;

    fn read(properties: &Value) -> Result<Properties, String> {
        Properties::read(properties)
    }

    fn place(properties: &Properties) -> (&Warehouse, &str) {
        (&properties.warehouse, &properties.names.schema_name)
    }

    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        wanted: &'a Properties,
        old: Option<&'a Properties>,
        _: Kind,
    ) -> Done<'a> {
        Box::pin(apply(database, wanted, old))
    }

    fn remove<'a>(&'a self, database: &'a mut Database, made: &'a Properties) -> Done<'a> {
        Box::pin(remove(database, made))
    }
}

/// Creates what is missing, replaces what may differ, grants rights, and revokes rights that only the old properties grant.
///
/// # Errors
///
/// Says in one sentence what could not be done. Earlier statements are not undone; the next event continues from there.
async fn apply(database: &mut Database, wanted: &Properties, old: Option<&Properties>) -> Result<(), String> {
    let names = &wanted.names;
    let unowned = if old.is_some() { Unowned::Use } else { Unowned::UseWithout(HISTORY) };
    schema::create(database, &names.schema_name, unowned).await?;
    database.run("create the table quote_history", &sql::create_history(names)).await?;
    add_missing_columns(database, wanted).await?;
    let writer = user::quoted(&wanted.writer_name);
    user::make(database, "writing", &wanted.writer_name).await?;
    database.run("create the signing function", &sql::create_function(wanted)).await?;
    database.run("close the signing function to the public", &sql::close_function(names)).await?;
    replace_views(database, wanted).await?;
    if old.is_some() {
        // Not before its views are replaced.
        let former = [sql::drop_former_function(names)];
        database.all_but_missing("drop the signing function of an earlier version", &former).await?;
    }
    database.all("grant rights to the writing user", &sql::grant_writer(names, &writer)).await?;
    for reader in &wanted.readers {
        database.all(&format!("grant rights to {reader}"), &sql::grant_reader(names, reader)).await?;
    }
    for reader in old.iter().flat_map(|old| &old.readers).filter(|reader| !wanted.readers.contains(reader)) {
        database.all_but_missing(&format!("revoke rights from {reader}"), &sql::revoke_reader(names, reader)).await?;
    }
    if let Some(former) = old.map(|old| user::quoted(&old.writer_name)).filter(|former| *former != writer) {
        let revoked = sql::revoke_writer(names, &former);
        database.all_but_missing("revoke rights from the former writing user", &revoked).await?;
    }
    Ok(())
}

/// Removes rights, views and the function; tables, schema and users are kept. Missing objects count as removed.
///
/// # Errors
///
/// Says in one sentence what could not be done.
async fn remove(database: &mut Database, made: &Properties) -> Result<(), String> {
    let names = &made.names;
    for reader in &made.readers {
        database.all_but_missing(&format!("revoke rights from {reader}"), &sql::revoke_reader(names, reader)).await?;
    }
    let revoked = sql::revoke_writer(names, &user::quoted(&made.writer_name));
    database.all_but_missing("revoke rights from the writing user", &revoked).await?;
    let views = [&names.history_view, &names.quotes_view, &names.source_view];
    let dropped: Vec<String> =
        views.map(|view| sql::drop_view(view)).into_iter().chain([sql::drop_function(names)]).collect();
    database.all_but_missing("drop views and function", &dropped).await
}

/// The column of a removed input is kept with its data.
async fn add_missing_columns(database: &mut Database, wanted: &Properties) -> Result<(), String> {
    let there = columns(database, wanted, HISTORY).await?;
    for input in wanted.inputs.iter().filter(|input| !there.contains(&input.column_name)) {
        info!(step = "column", column = input.column_name);
        let sql = sql::add_column(&wanted.names, input);
        database.run(&format!("add the column {}", input.column), &sql).await?;
    }
    Ok(())
}

/// A view can only be replaced by one with the same columns; otherwise it is dropped first. Rights are granted afterwards.
async fn replace_views(database: &mut Database, wanted: &Properties) -> Result<(), String> {
    let names = &wanted.names;
    for (view, columns_wanted, name, sql) in [
        (SOURCE_VIEW, sql::SOURCE_COLUMNS.to_vec(), &names.source_view, sql::create_source_view(wanted)),
        (QUOTES_VIEW, sql::QUOTES_COLUMNS.to_vec(), &names.quotes_view, sql::create_quotes_view(wanted)),
        (HISTORY_VIEW, sql::history_columns(&wanted.inputs), &names.history_view, sql::create_history_view(wanted)),
    ] {
        let there = columns(database, wanted, view).await?;
        if !there.is_empty() && there != columns_wanted {
            database.run(&format!("drop the view {view}, whose columns change"), &sql::drop_view(name)).await?;
        }
        database.run(&format!("create the view {view}"), &sql).await?;
    }
    Ok(())
}

async fn columns(database: &mut Database, wanted: &Properties, relation: &str) -> Result<Vec<String>, String> {
    let parameters = [("schema", wanted.names.schema_name.as_str()), ("relation", relation)];
    let rows = database.query(&format!("read the columns of {relation}"), sql::COLUMNS, &parameters).await?;
    Ok(rows.iter().filter_map(|row| Some(row.first()?.text()?.to_owned())).collect())
}
