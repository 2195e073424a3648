//! What the systems have in common: each needs something in a warehouse.

use std::pin::Pin;

use redshift::Warehouse;
use serde_json::Value;

use crate::database::Database;
use crate::script::Scripts;

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
