//! Templates, which CloudFormation reads.

use std::panic::Location;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::PrettyFormatter;

use crate::Json;

/// A part of a template: names with what they stand for, in the order in which the stack added them.
///
/// The names come from the author of the stack, so the hasher need not withstand an attacker.
pub type Section<T> = IndexMap<String, T, foldhash::fast::FixedState>;

/// The bytes of a usual template.
const USUAL_BYTES: usize = 64 * 1024;

/// A finished template. Sections keep the order in which the stack added to them.
#[derive(Clone, Debug)]
pub struct Template {
    /// The name of its stack; not part of the document.
    pub stack: String,
    /// What the stack is for.
    pub description: Option<String>,
    /// Metadata for tools.
    pub metadata: Section<Json>,
    /// Values that are given at deployment.
    pub parameters: Section<Json>,
    /// Constants to look up.
    pub mappings: Section<Json>,
    /// Named conditions.
    pub conditions: Section<Json>,
    /// The resources by logical ID.
    pub resources: Section<Entry>,
    /// Values that the deployed stack shows.
    pub outputs: Section<Json>,
}

/// One resource of a template.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `AWS::Service::Name`.
    pub ty: &'static str,
    /// The properties as JSON.
    pub properties: Json,
    /// Its attributes other than properties, by name; `DependsOn` may be there several times.
    pub attributes: Vec<(&'static str, Json)>,
    /// Whether replacing or deleting it loses data.
    pub stateful: bool,
    /// The line in the stack that added it; not part of the document.
    pub location: &'static Location<'static>,
}

impl Template {
    pub(crate) fn new(stack: String) -> Self {
        Self {
            stack,
            description: None,
            metadata: Section::default(),
            parameters: Section::default(),
            mappings: Section::default(),
            conditions: Section::default(),
            resources: Section::default(),
            outputs: Section::default(),
        }
    }

    /// The document as JSON text with a final newline, indented by one space: CloudFormation counts spaces too, and a second one would
    /// make up a fifth of a template.
    pub fn to_json(&self) -> String {
        let mut text = Vec::with_capacity(USUAL_BYTES);
        let formatter = PrettyFormatter::with_indent(b" ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        self.serialize(&mut serializer).expect("a template has string keys only");
        text.push(b'\n');
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// The document as YAML text.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("a template has string keys only")
    }
}

impl Entry {
    /// One attribute; `None` if it is not set.
    pub fn attribute(&self, name: &str) -> Option<&Json> {
        self.attributes.iter().rev().find(|(attribute, _)| *attribute == name).map(|(_, value)| value)
    }

    /// The logical IDs that it depends on in addition to those it refers to.
    pub fn depends_on(&self) -> impl Iterator<Item = &str> {
        let lists =
            self.attributes.iter().filter(|(name, _)| *name == "DependsOn").filter_map(|(_, ids)| ids.as_array());
        lists.flatten().filter_map(Json::as_str)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("AWSTemplateFormatVersion", "2010-09-09")?;
        if let Some(description) = &self.description {
            map.serialize_entry("Description", description)?;
        }
        for (name, section) in [
            ("Metadata", &self.metadata),
            ("Parameters", &self.parameters),
            ("Mappings", &self.mappings),
            ("Conditions", &self.conditions),
        ] {
            if !section.is_empty() {
                map.serialize_entry(name, section)?;
            }
        }
        map.serialize_entry("Resources", &self.resources)?;
        if !self.outputs.is_empty() {
            map.serialize_entry("Outputs", &self.outputs)?;
        }
        map.end()
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const IN_ORDER: [&str; 6] =
            ["Condition", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "Metadata"];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Type", self.ty)?;
        let depends_on: Vec<&str> = self.depends_on().collect();
        if !depends_on.is_empty() {
            map.serialize_entry("DependsOn", &depends_on)?;
        }
        for name in IN_ORDER {
            if let Some(value) = self.attribute(name) {
                map.serialize_entry(name, value)?;
            }
        }
        if self.properties.as_object().is_none_or(|properties| !properties.is_empty()) {
            map.serialize_entry("Properties", &self.properties)?;
        }
        map.end()
    }
}
