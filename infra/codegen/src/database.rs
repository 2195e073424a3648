//! Reads the service specification: structure, attributes and replacement.
//!
//! Its entities refer to each other by `$id`, a counter that changes with every release, so nothing here keeps an ID or sorts by it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::specification::{Limits, Properties, Property, Replaces, Resource, Type};

/// The service specification.
pub struct Database {
    resources: BTreeMap<String, ResourceEntity>,
    types: HashMap<String, TypeEntity>,
}

impl Database {
    /// Parses the decompressed `db.json`.
    ///
    /// # Errors
    ///
    /// If its layout is unknown to this generator.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let document: Document =
            serde_json::from_slice(json).context("the layout of the service specification is not known")?;
        let Schema { resource, type_definition } = document.schema;
        Ok(Self {
            resources: resource
                .entities
                .into_iter()
                .map(|entity| (entity.cloud_formation_type.clone(), entity))
                .collect(),
            types: type_definition.entities.into_iter().map(|entity| (entity.id.clone(), entity)).collect(),
        })
    }

    /// Every resource type in the specification.
    pub fn resource_types(&self) -> impl Iterator<Item = &String> {
        self.resources.keys()
    }

    /// The facts about one resource type; `None` if there is no such type.
    ///
    /// # Errors
    ///
    /// If an entity refers to one that does not exist, or two property types of a resource have the same name.
    pub fn resource(&self, ty: &str) -> Result<Option<Resource>> {
        let Some(entity) = self.resources.get(ty) else { return Ok(None) };
        self.reduce(entity).with_context(|| format!("cannot read {ty}")).map(Some)
    }

    fn reduce(&self, entity: &ResourceEntity) -> Result<Resource> {
        let mut properties = self.properties(&entity.properties)?;
        let mut types = BTreeMap::new();
        let mut waiting: Vec<&str> = entity.properties.values().flat_map(|property| property.ty.references()).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let definition = self.definition(id)?;
            waiting.extend(definition.properties.values().flat_map(|property| property.ty.references()));
            if types.insert(definition.name.clone(), self.properties(&definition.properties)?).is_some() {
                bail!("two property types are called {}", definition.name);
            }
        }
        for path in &entity.additional_replacement_properties {
            replace_on(&mut properties, &mut types, path);
        }
        let attributes =
            entity.attributes.iter().map(|(name, attribute)| Ok((name.clone(), self.reduced(&attribute.ty)?)));
        Ok(Resource {
            reference: entity.reference(),
            stateful: entity.is_stateful,
            attributes: attributes.collect::<Result<_>>()?,
            properties,
            types,
        })
    }

    fn definition(&self, id: &str) -> Result<&TypeEntity> {
        self.types.get(id).context("a property refers to a type that does not exist")
    }

    fn properties(&self, entities: &BTreeMap<String, PropertyEntity>) -> Result<Properties> {
        entities.iter().map(|(name, property)| Ok((name.clone(), self.property(property)?))).collect()
    }

    fn property(&self, entity: &PropertyEntity) -> Result<Property> {
        Ok(Property {
            ty: self.reduced(&entity.ty)?,
            required: entity.required,
            replaces: match entity.causes_replacement.as_deref() {
                None | Some("no") => Replaces::No,
                Some("maybe") => Replaces::Maybe,
                Some("yes") => Replaces::Yes,
                Some(other) => bail!("causesReplacement is {other:?}; must be no, maybe or yes"),
            },
            deprecated: entity.deprecated.is_some(),
            limits: entity.ty.allowed_values(),
        })
    }

    fn reduced(&self, ty: &TypeValue) -> Result<Type> {
        let missing = || format!("a type is {:?} without an element or reference", ty.kind);
        Ok(match ty.kind.as_str() {
            "string" | "date-time" => Type::String,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            "json" | "null" => Type::Json,
            "tag" => Type::Tag,
            "array" => Type::List(Box::new(self.reduced(ty.element.as_ref().with_context(missing)?)?)),
            "map" => Type::Map(Box::new(self.reduced(ty.element.as_ref().with_context(missing)?)?)),
            "ref" => Type::Property(self.definition(&ty.reference.as_ref().with_context(missing)?.id)?.name.clone()),
            "union" => Type::Union(ty.types.iter().map(|ty| self.reduced(ty)).collect::<Result<_>>()?),
            other => bail!("a type is {other:?}, which this generator does not know"),
        })
    }
}

/// Marks the property at a path such as `CreationInfo`, `OwnerUid`; a path into tags or through a list is ignored.
fn replace_on(properties: &mut Properties, types: &mut BTreeMap<String, Properties>, path: &[String]) {
    let [first, rest @ ..] = path else { return };
    let Some(property) = properties.get_mut(first) else { return };
    match (rest, &property.ty) {
        ([], _) => property.replaces = Replaces::Yes,
        (rest, Type::Property(name)) => {
            let name = name.clone();
            if let Some(mut inner) = types.remove(&name) {
                replace_on(&mut inner, types, rest);
                types.insert(name, inner);
            }
        }
        _ => {}
    }
}

#[derive(Deserialize)]
struct Document {
    schema: Schema,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    resource: Entities<ResourceEntity>,
    type_definition: Entities<TypeEntity>,
}

#[derive(Deserialize)]
struct Entities<T> {
    entities: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntity {
    cloud_formation_type: String,
    #[serde(default)]
    is_stateful: bool,
    #[serde(default)]
    cfn_ref_identifier: Vec<String>,
    #[serde(default)]
    primary_identifier: Vec<String>,
    attributes: BTreeMap<String, PropertyEntity>,
    properties: BTreeMap<String, PropertyEntity>,
    #[serde(default)]
    additional_replacement_properties: Vec<Vec<String>>,
}

impl ResourceEntity {
    /// What `Ref` returns. For many older types it does not return an identifier of several parts (for a method it returns a separate ID), so
    /// for those only an explicit statement counts.
    fn reference(&self) -> Vec<String> {
        match (self.cfn_ref_identifier.as_slice(), self.primary_identifier.as_slice()) {
            ([], [one]) => vec![one.clone()],
            ([], _) => Vec::new(),
            (parts, _) => parts.to_vec(),
        }
    }
}

#[derive(Deserialize)]
struct TypeEntity {
    #[serde(rename = "$id")]
    id: String,
    name: String,
    properties: BTreeMap<String, PropertyEntity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PropertyEntity {
    #[serde(rename = "type")]
    ty: TypeValue,
    #[serde(default)]
    required: bool,
    causes_replacement: Option<String>,
    deprecated: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeValue {
    #[serde(rename = "type")]
    kind: String,
    element: Option<Box<TypeValue>>,
    reference: Option<TypeReference>,
    #[serde(default)]
    types: Vec<TypeValue>,
    #[serde(default)]
    allowed_values: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct TypeReference {
    #[serde(rename = "$ref")]
    id: String,
}

impl TypeValue {
    fn references(&self) -> Vec<&str> {
        let inner = self.element.as_deref().into_iter().chain(&self.types).flat_map(Self::references);
        self.reference.iter().map(|reference| reference.id.as_str()).chain(inner).collect()
    }

    fn allowed_values(&self) -> Limits {
        match self.kind.as_str() {
            "string" => {
                let values = self.allowed_values.iter().filter_map(|value| value.as_str().map(str::to_owned));
                Limits { values: values.collect(), ..Limits::default() }
            }
            "integer" => {
                let numbers = self.allowed_values.iter().filter_map(serde_json::Value::as_i64);
                Limits { numbers: numbers.collect(), ..Limits::default() }
            }
            "array" | "map" => {
                let items =
                    self.element.as_ref().map(|element| element.allowed_values()).filter(|limits| !limits.is_empty());
                Limits { items: items.map(Box::new), ..Limits::default() }
            }
            "union" => self.types.first().map(Self::allowed_values).unwrap_or_default(),
            _ => Limits::default(),
        }
    }
}
