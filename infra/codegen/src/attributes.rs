//! The readable attributes of a resource type, as methods of its ref.

use std::collections::BTreeMap;

use crate::names::snake;
use crate::specification::{Resource, Type};

/// The methods by name, with the attribute that each reads and its type. If both `A.B` and `AB` are attributes, the one without the dot is
/// read.
pub fn methods(resource: &Resource) -> BTreeMap<String, (&str, &Type)> {
    let mut methods: BTreeMap<String, (&str, &Type)> = BTreeMap::new();
    for (attribute, ty) in &resource.attributes {
        let method = match snake(attribute).as_str() {
            "reference" | "logical_id" | "clone" => format!("{}_attribute", snake(attribute)),
            method => method.to_owned(),
        };
        match methods.get(&method) {
            Some((before, _)) if !before.contains('.') => {}
            _ => {
                methods.insert(method, (attribute, ty));
            }
        }
    }
    methods
}

/// The `T` of an attribute's `Value<T>`. A template cannot read parts of a structure, so a structure is JSON.
pub fn type_of(ty: &Type) -> String {
    match ty.simplified() {
        Type::String => "String".to_owned(),
        Type::Integer => "i64".to_owned(),
        Type::Number => "f64".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::List(item) if !matches!(**item, Type::Property(_) | Type::Json | Type::Map(_)) => {
            format!("Vec<{}>", type_of(item))
        }
        _ => "cfn::Json".to_owned(),
    }
}
