//! Assertions on templates, for tests.

use crate::{Json, Template};

impl Template {
    /// The properties of the resource with this logical ID.
    ///
    /// # Panics
    ///
    /// If there is none; the message lists the existing IDs.
    #[track_caller]
    pub fn properties(&self, id: &str) -> &Json {
        match self.resources.get(id) {
            Some(entry) => &entry.properties,
            None => panic!("no resource {id:?}; the template has {:?}", self.resources.keys().collect::<Vec<_>>()),
        }
    }

    /// The properties of every resource of this type, by logical ID.
    pub fn all<'a>(&'a self, ty: &'a str) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.resources
            .iter()
            .filter(move |(_, entry)| entry.ty == ty)
            .map(|(id, entry)| (id.as_str(), &entry.properties))
    }
}

/// Asserts that `actual` contains `expected`: objects may have more keys, everything else is equal.
///
/// # Panics
///
/// If it does not; the message names the path that differs.
#[track_caller]
pub fn assert_includes(actual: &Json, expected: &Json) {
    if let Some(path) = first_difference(actual, expected, String::new()) {
        panic!("differs at `{path}`\nexpected at least: {expected:#}\nactual: {actual:#}");
    }
}

fn first_difference(actual: &Json, expected: &Json, path: String) -> Option<String> {
    match expected {
        Json::Object(fields) => {
            fields.iter().find_map(|(name, field)| first_difference(&actual[name], field, format!("{path}/{name}")))
        }
        value if actual == value => None,
        _ => Some(path),
    }
}
