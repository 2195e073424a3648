//! The kinds of systems, chosen by the property `Kind`.

use serde_json::Value;

use crate::needs::Needs;
use crate::{query_app, write_back};

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
