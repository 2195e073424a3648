//! Doc comments: facts and a link, never AWS's prose.

use crate::specification::{Limits, Property, Replaces, Type};

/// The page of a resource type in the CloudFormation reference.
pub fn link(ty: &str) -> String {
    let mut parts = ty.split("::").skip(1).map(str::to_lowercase);
    let (service, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-{service}-{name}.html")
}

/// The facts about a property in one line.
pub fn property(name: &str, property: &Property) -> String {
    let mut facts = Vec::new();
    if property.required {
        facts.push("required".to_owned());
    }
    if property.deprecated {
        facts.push("deprecated".to_owned());
    }
    facts.extend(limits(&property.ty, &property.limits));
    let facts = if facts.is_empty() { String::new() } else { format!(": {}", facts.join(", ")) };
    let replaces = match property.replaces {
        Replaces::No => "",
        Replaces::Maybe => " May replace the resource when changed.",
        Replaces::Yes => " Replaces the resource when changed.",
    };
    format!("`{name}`{facts}.{replaces}")
}

/// The name of a property and its limits, for a required field.
pub fn field(name: &str, property: &Property) -> String {
    let limits = limits(&property.ty, &property.limits);
    if limits.is_empty() { format!("`{name}`.") } else { format!("`{name}`: {}.", limits.join(", ")) }
}

/// What `Ref` returns.
pub fn reference(parts: &[String]) -> String {
    match parts {
        [] => "`Ref`.".to_owned(),
        [one] => format!("`Ref`: the `{one}`."),
        many => format!("`Ref`: made of {}.", quoted(many)),
    }
}

fn limits(ty: &Type, limits: &Limits) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(range(&limits.minimum, &limits.maximum, ""));
    facts.extend(range(&limits.min_length, &limits.max_length, "character"));
    facts.extend(range(&limits.min_items, &limits.max_items, "item"));
    if !limits.numbers.is_empty() {
        facts.push(limits.numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", "));
    }
    if limits.unique_items {
        facts.push("no item twice".to_owned());
    }
    if let (Type::List(item) | Type::Map(item), Some(inner)) = (ty, &limits.items) {
        facts.extend(self::limits(item, inner).into_iter().map(|fact| format!("each {fact}")));
    }
    facts
}

fn range<N: std::fmt::Display + PartialEq>(least: &Option<N>, most: &Option<N>, of: &str) -> Option<String> {
    let range = match (least, most) {
        (Some(least), Some(most)) if least == most => format!("exactly {least}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => return None,
    };
    let one = most.as_ref().or(least.as_ref()).is_some_and(|end| end.to_string() == "1");
    Some(match (of, one) {
        ("", _) => range,
        (of, true) => format!("{range} {of}"),
        (of, false) => format!("{range} {of}s"),
    })
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}
