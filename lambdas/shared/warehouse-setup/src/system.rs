//! What a system has to say to be set up.

use std::pin::Pin;

use custom_resource::Kind;
use redshift::Warehouse;
use serde_json::Value;

use crate::database::Database;

/// One system's part of the set-up.
pub trait System: Send + Sync {
    /// What the template asks for, checked so that nothing in it can inject SQL.
    type Properties: Send + Sync;

    /// Reads the properties.
    ///
    /// # Errors
    ///
    /// One sentence that names the property.
    fn read(properties: &Value) -> Result<Self::Properties, String>;

    /// The warehouse, and the schema's name without quotes.
    fn place(properties: &Self::Properties) -> (&Warehouse, &str);

    /// Creates what is missing and changes the rest to match the properties. `old` are the previous properties of the same
    /// resource; `kind` is Create or Update.
    ///
    /// The error says in one sentence what could not be done.
    fn apply<'a>(
        &'a self,
        database: &'a mut Database,
        wanted: &'a Self::Properties,
        old: Option<&'a Self::Properties>,
        kind: Kind,
    ) -> Done<'a>;

    /// Removes what was created, except data.
    ///
    /// The error says in one sentence what could not be done.
    fn remove<'a>(&'a self, database: &'a mut Database, made: &'a Self::Properties) -> Done<'a>;
}

/// Work in the warehouse. Boxed because futures nested this deep exceed what the compiler lays out.
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
