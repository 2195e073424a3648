//! Who refers to whom inside a template.

use crate::Json;

/// One reference from a piece of a template to something with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A resource, parameter or pseudo parameter: `Ref`, or `${Name}` in a `Fn::Sub`.
    Name(&'a str),
    /// A resource: `Fn::GetAtt`, or `${Name.Attribute}` in a `Fn::Sub`.
    Resource(&'a str),
    /// A condition: `Fn::If`, or `{"Condition": …}` inside the `Conditions` section.
    Condition(&'a str),
    /// A mapping: `Fn::FindInMap`.
    Mapping(&'a str),
}

impl<'a> Reference<'a> {
    /// The name that it refers to.
    pub fn name(self) -> &'a str {
        match self {
            Self::Name(name) | Self::Resource(name) | Self::Condition(name) | Self::Mapping(name) => name,
        }
    }
}

/// Calls `found` for every reference in `json`, in document order.
pub fn references<'a>(json: &'a Json, found: &mut impl FnMut(Reference<'a>)) {
    match json {
        Json::Array(items) => items.iter().for_each(|it| references(it, found)),
        Json::Object(map) => {
            if map.len() == 1
                && let Some((name, argument)) = map.iter().next()
            {
                intrinsic(name, argument, found);
            }
            map.values().for_each(|it| references(it, found));
        }
        _ => {}
    }
}

fn intrinsic<'a>(name: &str, argument: &'a Json, found: &mut impl FnMut(Reference<'a>)) {
    let text = argument.as_str();
    let first = argument.get(0).and_then(Json::as_str);
    match name {
        "Ref" => text.into_iter().for_each(|it| found(Reference::Name(it))),
        // In long form a list, in short form `Resource.Attribute`.
        "Fn::GetAtt" => {
            let resource = first.or_else(|| text.and_then(|it| it.split('.').next()));
            resource.into_iter().for_each(|it| found(Reference::Resource(it)));
        }
        "Fn::Sub" => {
            let own = argument.get(1).and_then(Json::as_object);
            text.or(first)
                .into_iter()
                .flat_map(placeholders)
                .filter(|it| !own.is_some_and(|own| own.contains_key(*it)))
                .for_each(|it| {
                    found(match it.split_once('.') {
                        Some((resource, _)) => Reference::Resource(resource),
                        None => Reference::Name(it),
                    });
                });
        }
        "Fn::If" => first.into_iter().for_each(|it| found(Reference::Condition(it))),
        "Fn::FindInMap" => first.into_iter().for_each(|it| found(Reference::Mapping(it))),
        "Condition" => text.into_iter().for_each(|it| found(Reference::Condition(it))),
        _ => {}
    }
}

/// The names in `${…}`; `${!Literal}` is text.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|it| it.0)
        .filter(|it| !it.starts_with('!'))
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
        ]);
        let mut all = Vec::new();
        references(&json, &mut |it| all.push(it));
        use Reference::{Condition, Mapping, Name, Resource};
        let expected = [
            Name("A"),
            Resource("B"),
            Name("C"),
            Resource("D"),
            Name("G"),
            Name("H"),
            Condition("I"),
            Name("J"),
            Mapping("K"),
        ];
        assert_eq!(all, expected);
    }
}
