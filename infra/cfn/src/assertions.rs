//! Assertions on templates and findings, for the tests of stacks.
//!
//! A pattern is JSON. An object may have more keys than its pattern, everything else is equal, and the functions of this module represent
//! what cannot be written as JSON:
//!
//! ```
//! use cfn::assertions::{absent, any, capture, contains};
//! use serde_json::json;
//! # use cfn::{App, Properties, Resource, Stack};
//! # struct Queue;
//! # impl Resource for Queue {
//! #     const TYPE: &'static str = "AWS::SQS::Queue";
//! #     const STATEFUL: bool = false;
//! #     type Ref = cfn::LogicalId;
//! #     fn into_properties(self) -> Properties {
//! #         Properties::default().set_raw("QueueName", "jobs").set_raw("Tags", json!(["a", "b"]))
//! #     }
//! # }
//! # let mut stack = Stack::new("jobs");
//! # stack.add("Jobs", Queue);
//!
//! let assembly = App::default().stack(stack).synth();
//! cfn::assertions::assert_findings(&assembly, &[]);
//! let found = assembly.stacks[0].template.assert_resource(
//!     "AWS::SQS::Queue",
//!     &json!({ "QueueName": capture("name"), "Tags": contains(["b"]), "FifoQueue": absent() }),
//! );
//! assert_eq!(found.id, "Jobs");
//! assert_eq!(found.captured["name"], "jobs");
//! ```
//!
//! [`crate::assert_snapshot`] compares a whole template with a file.

mod pattern;
mod snapshot;

use std::collections::BTreeMap;

use pattern::compare;
pub use pattern::{absent, any, capture, contains};
pub use snapshot::changed;

use crate::{CloudAssembly, Json, Template};

/// A resource that an assertion has found.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Its logical ID.
    pub id: &'a str,
    /// Its properties.
    pub properties: &'a Json,
    /// The values in the places of [`capture`], by name.
    pub captured: BTreeMap<String, Json>,
}

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

    /// The first resource of this type whose properties match the pattern.
    ///
    /// # Panics
    ///
    /// If there is none; the message says where each resource of the type differs.
    #[track_caller]
    pub fn assert_resource<'a>(&'a self, ty: &'a str, pattern: &Json) -> Found<'a> {
        let mut differences = String::new();
        for (id, properties) in self.all(ty) {
            let mut captured = BTreeMap::new();
            match compare(Some(properties), pattern, String::new(), &mut captured) {
                None => return Found { id, properties, captured },
                Some(difference) => differences += &format!("\n  {id}: {difference}"),
            }
        }
        if differences.is_empty() {
            panic!("no resource of the type {ty}");
        }
        panic!("no {ty} matches {pattern:#}{differences}");
    }

    /// No resource of this type has properties that match the pattern; `{}` matches all.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[track_caller]
    pub fn assert_no_resource(&self, ty: &str, pattern: &Json) {
        let matching = self
            .all(ty)
            .find(|(_, properties)| compare(Some(properties), pattern, String::new(), &mut BTreeMap::new()).is_none());
        if let Some((id, properties)) = matching {
            panic!("{id} is a {ty} that matches {pattern:#}\nactual: {properties:#}");
        }
    }
}

/// Asserts that `actual` matches a pattern, and returns what was captured.
///
/// # Panics
///
/// If it does not; the message names the path that differs.
#[track_caller]
pub fn assert_includes(actual: &Json, pattern: &Json) -> BTreeMap<String, Json> {
    let mut captured = BTreeMap::new();
    if let Some(difference) = compare(Some(actual), pattern, String::new(), &mut captured) {
        panic!("{difference}\nexpected at least: {pattern:#}\nactual: {actual:#}");
    }
    captured
}

/// Asserts that an assembly has exactly these findings, in any order: each is the subject and a part of the message.
///
/// # Panics
///
/// If it does not; the message lists what is missing and what is unexpected.
#[track_caller]
pub fn assert_findings(assembly: &CloudAssembly, expected: &[(&str, &str)]) {
    let mut unexpected: Vec<_> = assembly.findings.iter().collect();
    let mut missing = Vec::new();
    for (subject, message) in expected {
        match unexpected.iter().position(|finding| finding.subject == *subject && finding.message.contains(message)) {
            Some(found) => drop(unexpected.remove(found)),
            None => missing.push(format!("\n  {subject}: {message}")),
        }
    }
    let unexpected: String =
        unexpected.iter().map(|finding| format!("\n  {}: {}", finding.subject, finding.message)).collect();
    let missing = missing.concat();
    assert!(
        missing.is_empty() && unexpected.is_empty(),
        "missing findings:{missing}\nunexpected findings:{unexpected}"
    );
}
