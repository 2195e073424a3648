//! Joins the limits of a resource schema to the properties of the specification, by type and property path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::specification::{Limits, Resource, Type};

/// A limit that could not be joined: `AWS::Service::Name/Property`, and the reason.
pub type Dropped = (String, &'static str);

/// Adds the limits in `schema` to `resource`, and returns what could not be joined.
///
/// A property type that is used in several places gets a limit only if all places agree.
pub fn join(ty: &str, resource: &mut Resource, schema: &Value) -> Vec<Dropped> {
    let mut join = Join { schema, resource, found: BTreeMap::new(), visited: BTreeSet::new() };
    join.visit(None, schema);
    let found = join.found;

    let mut dropped = Vec::new();
    for ((owner, name), places) in found {
        let path = || owner.iter().chain([&name]).fold(ty.to_owned(), |path, part| format!("{path}/{part}"));
        let properties = match &owner {
            None => &mut resource.properties,
            Some(owner) => resource.types.get_mut(owner).expect("only property types of the resource are visited"),
        };
        let property = properties.get_mut(&name).expect("only properties of the specification are joined");
        let limits = match places.as_slice() {
            [] => {
                dropped.push((path(), "the schema does not have this property"));
                continue;
            }
            [first, rest @ ..] if rest.iter().all(|other| other == first) => first,
            _ => {
                dropped.push((path(), "the schema limits it differently in different places"));
                continue;
            }
        };
        merge(&mut property.limits, limits);
    }
    dropped
}

struct Join<'a> {
    schema: &'a Value,
    resource: &'a Resource,
    /// The limits of each property (in a property type, or in the resource) at each place where it is used.
    found: BTreeMap<(Option<String>, String), Vec<Limits>>,
    /// Property types, and the schema nodes at which they were found.
    visited: BTreeSet<(String, *const Value)>,
}

impl<'a> Join<'a> {
    fn visit(&mut self, owner: Option<&str>, node: &'a Value) {
        let resource = self.resource;
        let properties = match owner {
            None => &resource.properties,
            Some(owner) => &resource.types[owner],
        };
        for (name, property) in properties {
            let places = self.found.entry((owner.map(str::to_owned), name.clone())).or_default();
            let Some(inner) = property_of(self.schema, node, name) else { continue };
            places.push(limits(self.schema, inner, &property.ty));
            self.descend(&property.ty, inner);
        }
    }

    fn descend(&mut self, ty: &Type, node: &'a Value) {
        match ty {
            Type::Property(name) => {
                let node = resolve(self.schema, node);
                if self.visited.insert((name.clone(), node)) {
                    self.visit(Some(name), node);
                }
            }
            Type::List(item) => {
                if let Some(node) = keyword(self.schema, node, "items") {
                    self.descend(item, node);
                }
            }
            Type::Map(item) => {
                if let Some(node) = map_value(self.schema, node) {
                    self.descend(item, node);
                }
            }
            Type::Union(types) => {
                for ty in types {
                    self.descend(ty, node);
                }
            }
            _ => {}
        }
    }
}

/// The limits that a schema node states on a value of this type.
fn limits(schema: &Value, node: &Value, ty: &Type) -> Limits {
    let get = |name| keyword(schema, node, name);
    let count = |name| get(name).and_then(Value::as_u64);
    let number = |name| get(name).and_then(Value::as_number).cloned();
    match ty {
        Type::String => Limits {
            min_length: count("minLength").filter(|length| *length > 0),
            max_length: count("maxLength"),
            pattern: get("pattern").and_then(Value::as_str).map(str::to_owned),
            values: get("enum").and_then(strings).unwrap_or_default(),
            ..Limits::default()
        },
        Type::Integer => Limits {
            minimum: number("minimum"),
            maximum: number("maximum"),
            numbers: get("enum").and_then(whole_numbers).unwrap_or_default(),
            ..Limits::default()
        },
        Type::Number => Limits { minimum: number("minimum"), maximum: number("maximum"), ..Limits::default() },
        Type::List(item) => Limits {
            min_items: count("minItems").filter(|count| *count > 0),
            max_items: count("maxItems"),
            unique_items: get("uniqueItems").and_then(Value::as_bool).unwrap_or(false),
            items: get("items")
                .map(|node| limits(schema, node, item))
                .filter(|limits| !limits.is_empty())
                .map(Box::new),
            ..Limits::default()
        },
        Type::Map(item) => {
            let items =
                map_value(schema, node).map(|node| limits(schema, node, item)).filter(|limits| !limits.is_empty());
            Limits { items: items.map(Box::new), ..Limits::default() }
        }
        Type::Union(_) => limits(schema, node, ty.simplified()),
        Type::Boolean | Type::Json | Type::Tag | Type::Property(_) => Limits::default(),
    }
}

/// The texts of a set; `None` if it contains anything else.
fn strings(values: &Value) -> Option<BTreeSet<String>> {
    values.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn whole_numbers(values: &Value) -> Option<BTreeSet<i64>> {
    values.as_array()?.iter().map(Value::as_i64).collect()
}

/// Both sources may lack values that AWS has added to a set, so the set contains what either of them allows.
fn merge(limits: &mut Limits, more: &Limits) {
    let values = &limits.values | &more.values;
    let numbers = &limits.numbers | &more.numbers;
    let items = match (limits.items.take(), &more.items) {
        (Some(mut items), Some(more)) => {
            merge(&mut items, more);
            Some(items)
        }
        (items, more) => items.or_else(|| more.clone()),
    };
    *limits = Limits { values, numbers, items, ..more.clone() };
}

fn property_of<'a>(schema: &'a Value, node: &'a Value, name: &str) -> Option<&'a Value> {
    keyword(schema, node, "properties").and_then(|properties| properties.get(name)).or_else(|| {
        let alternatives = ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .filter_map(|alternatives| keyword(schema, node, alternatives)?.as_array());
        alternatives.flatten().find_map(|alternative| keyword(schema, alternative, "properties")?.get(name))
    })
}

/// The schema of a map's values, if all keys share one.
fn map_value<'a>(schema: &'a Value, node: &'a Value) -> Option<&'a Value> {
    let by_pattern = keyword(schema, node, "patternProperties").and_then(Value::as_object);
    let one = by_pattern.filter(|patterns| patterns.len() == 1).and_then(|patterns| patterns.values().next());
    one.or_else(|| keyword(schema, node, "additionalProperties").filter(|value| value.is_object()))
}

/// A keyword of the node, or of what it refers to.
fn keyword<'a>(schema: &'a Value, node: &'a Value, name: &str) -> Option<&'a Value> {
    node.get(name).or_else(|| resolve(schema, node).get(name))
}

/// Follows `$ref`. A chain that is longer than any real one is a cycle, and ends there.
fn resolve<'a>(schema: &'a Value, mut node: &'a Value) -> &'a Value {
    for _ in 0..16 {
        let target = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        match target.and_then(|target| schema.pointer(target)) {
            Some(target) => node = target,
            None => break,
        }
    }
    node
}
