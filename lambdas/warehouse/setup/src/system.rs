//! What the systems have in common: each needs something in a warehouse, chosen by the property `Kind`.

use std::pin::Pin;

use redshift::Warehouse;
use serde_json::Value;

use crate::database::Database;
use crate::script::Scripts;
use crate::{query_app, write_back};

/// What one system needs in a warehouse.
pub(crate) trait Needs: Send + Sync {
    fn warehouse(&self) -> &Warehouse;

    fn schema_name(&self) -> &str;

    /// Creates what is missing and changes the rest to match the properties. `old` are the previous properties of the same
    /// resource; `scripts` are given for a Create only.
    ///
    /// The error says in one sentence what could not be done.
    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        old: Option<&'a Value>,
        scripts: Option<&'a Scripts>,
    ) -> Done<'a>;

    /// Removes what was created, except data.
    ///
    /// The error says in one sentence what could not be done.
    fn remove<'a>(&'a self, database: &'a mut Database) -> Done<'a>;
}

/// Work in the warehouse. Boxed because futures nested this deep exceed what the compiler lays out.
pub(crate) type Done<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

type Read = fn(&Value) -> Result<Box<dyn Needs>, String>;

/// The only list of the kinds.
const KINDS: [(&str, Read); 2] = [
    ("query-app", |properties| Ok(Box::new(query_app::Properties::read(properties)?))),
    ("write-back", |properties| Ok(Box::new(write_back::Properties::read(properties)?))),
];

/// Reads the properties of the kind that they name.
///
/// # Errors
///
/// One sentence that names the property.
pub(crate) fn read(properties: &Value) -> Result<Box<dyn Needs>, String> {
    let given = properties["Kind"].as_str().unwrap_or("missing");
    match KINDS.iter().find(|(kind, _)| *kind == given) {
        Some((_, read)) => read(properties),
        None => {
            let kinds = KINDS.map(|(kind, _)| kind).join(" or ");
            Err(format!("the property Kind is {given}; must be {kinds}"))
        }
    }
}
