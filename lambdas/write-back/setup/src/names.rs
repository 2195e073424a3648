//! Names as written in SQL.

use redshift::{InvalidIdentifier, identifier};

/// The quoted names of the objects that this function creates in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// Unquoted, for parameters.
    pub(crate) schema_name: String,
    pub(crate) schema: String,
    pub(crate) history: String,
    pub(crate) source_view: String,
    pub(crate) quotes_view: String,
    pub(crate) history_view: String,
    pub(crate) sign: String,
}

/// Parts of the names, for parameters.
pub(crate) const HISTORY: &str = "quote_history";
pub(crate) const SOURCE_VIEW: &str = "vw_quote_source";
pub(crate) const QUOTES_VIEW: &str = "vw_quote";
pub(crate) const HISTORY_VIEW: &str = "vw_quote_history";
const SIGN: &str = "f_quote_sign";

impl Names {
    /// # Errors
    ///
    /// If the schema's name is not a valid identifier.
    pub(crate) fn new(schema: &str) -> Result<Names, InvalidIdentifier> {
        let quoted = identifier(schema)?;
        let within = |name: &str| format!("{quoted}.{name}");
        Ok(Names {
            schema_name: schema.to_owned(),
            history: within(HISTORY),
            source_view: within(SOURCE_VIEW),
            quotes_view: within(QUOTES_VIEW),
            history_view: within(HISTORY_VIEW),
            sign: within(SIGN),
            schema: quoted,
        })
    }
}

/// Quotes each part of `schema.table`; a database may precede it.
///
/// # Errors
///
/// If it has more than three parts, or one is not a valid identifier.
pub(crate) fn qualified(name: &str) -> Result<String, String> {
    let parts: Result<Vec<_>, _> = name.split('.').map(identifier).collect();
    let parts = parts.map_err(|error| error.to_string())?;
    match parts.len() {
        1..=3 => Ok(parts.join(".")),
        count => Err(format!(
            "the table {name:?} has {count} parts; must be `table`, `schema.table` or `database.schema.table`"
        )),
    }
}
