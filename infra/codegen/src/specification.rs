//! The reduced specification: facts about the resource types in use, sorted by their CloudFormation names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// Resource types by their CloudFormation name, `AWS::Service::Name`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Specification {
    /// The sources of the facts, as `name version`.
    pub sources: Vec<String>,
    /// The resource types.
    pub resources: BTreeMap<String, Resource>,
}

/// One resource type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The properties or attributes that `Ref` returns, as far as the sources know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<String>,
    /// Whether replacing or deleting it loses data.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stateful: bool,
    /// What `Fn::GetAtt` can read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Type>,
    /// The properties.
    pub properties: Properties,
    /// The property types, the structures inside the properties.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, Properties>,
}

/// Properties by their CloudFormation name.
pub type Properties = BTreeMap<String, Property>;

/// One property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The type of its value.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Whether it must be set.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether changing it replaces the resource.
    #[serde(default, skip_serializing_if = "Replaces::is_no")]
    pub replaces: Replaces,
    /// Whether AWS has deprecated it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Limits on its value.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
}

/// The type of a property's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Any JSON.
    Json,
    /// The usual tag, `Key` and `Value`.
    Tag,
    /// A list of one type.
    List(Box<Type>),
    /// A map from text to one type.
    Map(Box<Type>),
    /// A property type of the same resource.
    Property(String),
    /// One of several.
    Union(Vec<Type>),
}

/// Whether a change replaces the resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replaces {
    /// It is updated in place.
    #[default]
    No,
    /// It depends on the values.
    Maybe,
    /// Always.
    Yes,
}

/// Limits on a value; an empty limit does not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Smallest number, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<serde_json::Number>,
    /// Largest number, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<serde_json::Number>,
    /// The allowed whole numbers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub numbers: BTreeSet<i64>,
    /// The fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Regular expression that must match somewhere, in the dialect of JSON Schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The allowed texts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub values: BTreeSet<String>,
    /// The fewest items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The most items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Whether all items must differ.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique_items: bool,
    /// Limits on each item of a list, or on each value of a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Limits>>,
}

impl Resource {
    /// Makes one property type plain JSON, and removes the property types that only it needed.
    ///
    /// # Errors
    ///
    /// If the resource has no such property type.
    pub fn make_opaque(&mut self, name: &str) -> Result<()> {
        ensure!(self.types.remove(name).is_some(), "it has no property type {name}");
        let all = self.types.values_mut().chain([&mut self.properties]);
        all.flat_map(BTreeMap::values_mut).for_each(|property| property.ty.make_opaque(name));
        let mut needed = BTreeSet::new();
        let mut waiting: Vec<&Property> = self.properties.values().collect();
        while let Some(property) = waiting.pop() {
            for inner in property.ty.property_types() {
                if needed.insert(inner.to_owned()) {
                    waiting.extend(self.types.get(inner).into_iter().flatten().map(|(_, property)| property));
                }
            }
        }
        self.types.retain(|name, _| needed.contains(name));
        Ok(())
    }
}

impl Type {
    fn make_opaque(&mut self, name: &str) {
        match self {
            Self::Property(property) if property == name => *self = Self::Json,
            Self::List(item) | Self::Map(item) => item.make_opaque(name),
            Self::Union(types) => types.iter_mut().for_each(|ty| ty.make_opaque(name)),
            _ => {}
        }
    }

    fn property_types(&self) -> Vec<&str> {
        match self {
            Self::Property(name) => vec![name],
            Self::List(item) | Self::Map(item) => item.property_types(),
            Self::Union(types) => types.iter().flat_map(Self::property_types).collect(),
            _ => Vec::new(),
        }
    }

    /// A union as in the bindings: text or JSON is JSON, any other union is its first type; `Value::cast` allows the others.
    pub fn simplified(&self) -> &Self {
        match self {
            Self::Union(types) if types.iter().all(|ty| matches!(ty, Self::Json | Self::String)) => &Self::Json,
            Self::Union(types) => types.first().map_or(&Self::Json, Self::simplified),
            other => other,
        }
    }
}

impl Replaces {
    fn is_no(&self) -> bool {
        *self == Self::No
    }
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One committed file: the resource types of one service.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<String>,
    resources: BTreeMap<String, Resource>,
}

impl Specification {
    /// The committed files, `<service>.json` and its text.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut services: BTreeMap<String, BTreeMap<String, Resource>> = BTreeMap::new();
        for (ty, resource) in &self.resources {
            services.entry(crate::names::service(ty)).or_default().insert(ty.clone(), resource.clone());
        }
        let text = |resources| {
            let file = File { sources: self.sources.clone(), resources };
            serde_json::to_string_pretty(&file).expect("maps with string keys are JSON") + "\n"
        };
        services.into_iter().map(|(service, resources)| (format!("{service}.json"), text(resources))).collect()
    }

    /// Reads the committed files back.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or was made from sources other than `sources`.
    pub fn read(folder: &Path, sources: &[String]) -> Result<Self> {
        let mut resources = BTreeMap::new();
        for path in json_files(folder)? {
            let name = path.display();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            let file: File = serde_json::from_str(&text).with_context(|| format!("{name} is not an extract"))?;
            ensure!(
                file.sources == sources,
                "{name} was made from {}, bindings.toml pins {}; run scripts/bindings",
                file.sources.join(" and "),
                sources.join(" and ")
            );
            resources.extend(file.resources);
        }
        Ok(Self { sources: sources.to_vec(), resources })
    }
}

fn json_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}
