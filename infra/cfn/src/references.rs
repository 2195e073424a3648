//! References inside a template.

use crate::Json;

/// A reference to something in a template that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A resource, parameter or pseudo parameter: `Ref`, or `${Name}` in a `Fn::Sub`.
    Name(&'a str),
    /// A resource, and which attribute of it if that is a text: `Fn::GetAtt`, or `${Name.Attribute}` in a `Fn::Sub`.
    Resource(&'a str, Option<&'a str>),
    /// A condition: `Fn::If`, or `{"Condition": …}` inside the `Conditions` section.
    Condition(&'a str),
    /// A mapping: `Fn::FindInMap`.
    Mapping(&'a str),
}

impl<'a> Reference<'a> {
    /// The name that it refers to.
    pub fn name(self) -> &'a str {
        match self {
            Self::Name(name) | Self::Resource(name, _) | Self::Condition(name) | Self::Mapping(name) => name,
        }
    }
}

/// Calls `found` for every reference in `json`, in document order.
pub fn references<'a>(json: &'a Json, found: &mut impl FnMut(Reference<'a>)) {
    match json {
        Json::Array(items) => {
            for item in items {
                references(item, found);
            }
        }
        Json::Object(map) => {
            if map.len() == 1
                && let Some((name, argument)) = map.iter().next()
            {
                intrinsic(name, argument, found);
            }
            for value in map.values() {
                references(value, found);
            }
        }
        _ => {}
    }
}

fn intrinsic<'a>(name: &str, argument: &'a Json, found: &mut impl FnMut(Reference<'a>)) {
    let text = argument.as_str();
    let first = argument.get(0).and_then(Json::as_str);
    let reference = match name {
        "Ref" => text.map(Reference::Name),
        // In long form a list, in short form `Resource.Attribute`.
        "Fn::GetAtt" => match (first, text) {
            (Some(resource), _) => Some(Reference::Resource(resource, argument.get(1).and_then(Json::as_str))),
            (None, Some(path)) => Some(attribute(path)),
            (None, None) => None,
        },
        "Fn::If" => first.map(Reference::Condition),
        "Fn::FindInMap" => first.map(Reference::Mapping),
        "Condition" => text.map(Reference::Condition),
        "Fn::Sub" => return substitution(argument, text.or(first), found),
        _ => None,
    };
    if let Some(reference) = reference {
        found(reference);
    }
}

/// The placeholders of a `Fn::Sub` that are not variables of its own.
fn substitution<'a>(argument: &'a Json, template: Option<&'a str>, found: &mut impl FnMut(Reference<'a>)) {
    let own = argument.get(1).and_then(Json::as_object);
    for placeholder in template.into_iter().flat_map(placeholders) {
        if own.is_some_and(|own| own.contains_key(placeholder)) {
            continue;
        }
        found(if placeholder.contains('.') { attribute(placeholder) } else { Reference::Name(placeholder) });
    }
}

/// The names in `${…}`; `${!Literal}` is text.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('!'))
}

/// A resource and its attribute in the form `Resource.Attribute`; an attribute may have dots of its own.
fn attribute(path: &str) -> Reference<'_> {
    match path.split_once('.') {
        Some((resource, attribute)) => Reference::Resource(resource, Some(attribute)),
        None => Reference::Resource(path, None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_in_every_intrinsic() {
        let json = json!([
            { "Ref": "A" },
            { "Fn::GetAtt": ["B", "Arn"] },
            { "Fn::Sub": "x${C}${D.Arn}${!E}" },
            { "Fn::Sub": ["${F}${G}", { "F": { "Ref": "H" } }] },
            { "Fn::If": ["I", { "Ref": "J" }, { "Fn::FindInMap": ["K", "a", "b"] }] },
            { "Fn::Not": [{ "Condition": "L" }] },
        ]);
        let mut all = Vec::new();
        references(&json, &mut |reference| all.push(reference));
        use Reference::{Condition, Mapping, Name, Resource};
        let expected = [
            Name("A"),
            Resource("B", Some("Arn")),
            Name("C"),
            Resource("D", Some("Arn")),
            Name("G"),
            Name("H"),
            Condition("I"),
            Name("J"),
            Mapping("K"),
            Condition("L"),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn attributes_are_found_in_both_forms_and_in_texts() {
        let json = json!([
            { "Ref": "A" },
            { "Fn::GetAtt": ["B", "Endpoint.Address"] },
            { "Fn::GetAtt": "C.Arn" },
            { "Fn::Sub": "${D}${E.Arn}${!F.Arn}" },
            { "Fn::Sub": ["${G.H}${I.Arn}", { "G.H": { "Fn::GetAtt": ["J", "Id"] } }] },
        ]);
        let mut all = Vec::new();
        references(&json, &mut |reference| {
            if let Reference::Resource(resource, Some(attribute)) = reference {
                all.push((resource, attribute));
            }
        });
        let expected = [("B", "Endpoint.Address"), ("C", "Arn"), ("E", "Arn"), ("I", "Arn"), ("J", "Id")];
        assert_eq!(all, expected);
    }
}
