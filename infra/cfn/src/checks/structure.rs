//! What CloudFormation requires of a template in addition to the properties of its resources.

use std::collections::BTreeMap;

use super::located;
use crate::limits::{DESCRIPTION, NAME, TAG_KEY, TAG_VALUE, TAGS};
use crate::{Finding, Json, Reference, Stack, Template, references};

pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    if template.resources.is_empty() {
        findings.push(Finding::error("", "has no resources; must have at least one"));
    }
    if let Some(bytes) = template.description.as_ref().map(String::len).filter(|&bytes| bytes > DESCRIPTION) {
        findings
            .push(Finding::error("", format!("the description has {bytes} bytes; must have at most {DESCRIPTION}")));
    }
    findings.extend(names(template));
    findings.extend(parameter_types(template));
    findings.extend(conditions(template));
    findings.extend(missing_with_a_condition(template));
    findings
}

/// Names consist of letters and digits; a `Ref` finds parameters and resources by the same name.
fn names(template: &Template) -> Vec<Finding> {
    let sections = [
        ("parameter", &template.parameters),
        ("mapping", &template.mappings),
        ("condition", &template.conditions),
        ("output", &template.outputs),
    ];
    let names = sections.into_iter().flat_map(|(what, section)| section.keys().map(move |name| (what, name)));
    let is_name =
        |name: &str| !name.is_empty() && name.len() <= NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let invalid = names.filter(|(_, name)| !is_name(name)).map(|(what, name)| {
        Finding::error(name, format!("{name:?} is not a valid {what} name; use 1 to {NAME} letters and digits"))
    });
    let same = template
        .parameters
        .keys()
        .filter(|name| template.resources.contains_key(*name))
        .map(|name| located(template, name, "a parameter and a resource have this name; rename one".to_owned()));
    let is_key = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let keys = template.mappings.iter().flat_map(|(mapping, rows)| {
        let rows = rows.as_object().into_iter().flatten();
        let keys = rows
            .flat_map(|(key, row)| std::iter::once(key).chain(row.as_object().into_iter().flat_map(|row| row.keys())));
        keys.map(move |key| (mapping, key))
    });
    let invalid_keys = keys.filter(|(_, key)| !is_key(key)).map(|(mapping, key)| {
        Finding::error(
            mapping,
            format!("{key:?} is not a valid key of a mapping; use letters, digits, `.`, `-` and `_`"),
        )
    });
    invalid.chain(invalid_keys).chain(same).collect()
}

fn parameter_types(template: &Template) -> Vec<Finding> {
    let types =
        template.parameters.iter().map(|(name, parameter)| (name, parameter["Type"].as_str().unwrap_or_default()));
    types
        .filter(|(_, ty)| !is_parameter_type(ty))
        .map(|(name, ty)| {
            Finding::error(name, format!("{ty:?} is not a parameter type; use String, Number, CommaDelimitedList, List<Number> or AWS::\u{2026}"))
        })
        .collect()
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html>
fn is_parameter_type(ty: &str) -> bool {
    let inside = |outer: &str| ty.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    let is_of_aws = |ty: &str| ty.starts_with("AWS::") && ty.split("::").count() >= 3;
    if let Some(inner) = inside("AWS::SSM::Parameter::Value<") {
        return is_parameter_type(inner) || inner == "List<String>";
    }
    if let Some(inner) = inside("List<") {
        return inner == "Number" || is_of_aws(inner);
    }
    ["String", "Number", "CommaDelimitedList"].contains(&ty) || is_of_aws(ty)
}

/// A condition is decided before any resource exists.
fn conditions(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, condition) in &template.conditions {
        references(condition, &mut |reference| {
            if let Reference::Name(id) | Reference::Resource(id, _) = reference
                && template.resources.contains_key(id)
            {
                let message =
                    format!("refers to the resource {id}; a condition may refer to parameters and mappings only");
                findings.push(Finding::error(name, message));
            }
        });
    }
    findings
}

/// Whatever always exists does not refer to a resource that has a condition, except inside `Fn::If`.
fn missing_with_a_condition(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    if template.resources.values().all(|entry| entry.attribute("Condition").is_none()) {
        return findings;
    }
    let resources = template.resources.iter().map(|(id, entry)| (id, entry.attribute("Condition"), &entry.properties));
    let outputs = template.outputs.iter().map(|(name, output)| (name, output.get("Condition"), output));
    for (subject, _, json) in resources.chain(outputs).filter(|(_, condition, _)| condition.is_none()) {
        unconditional(json, &mut |reference| {
            if let Reference::Name(id) | Reference::Resource(id, _) = reference
                && let Some(condition) = template.resources.get(id).and_then(|entry| entry.attribute("Condition"))
            {
                let condition = condition.as_str().unwrap_or_default();
                let message = format!("always exists, but refers to {id}, which exists only if {condition}");
                findings.push(located(template, subject, message).help("give it the same condition, or use `if_`"));
            }
        });
    }
    findings
}

/// The references outside of `Fn::If`.
fn unconditional<'a>(json: &'a Json, found: &mut impl FnMut(Reference<'a>)) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| unconditional(item, found)),
        Json::Object(map) if map.contains_key("Fn::If") => {}
        Json::Object(map) if crate::is_intrinsic(map) && !contains_if(json) => references(json, found),
        Json::Object(map) => map.values().for_each(|value| unconditional(value, found)),
        _ => {}
    }
}

fn contains_if(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(contains_if),
        Json::Object(map) => map.contains_key("Fn::If") || map.values().any(contains_if),
        _ => false,
    }
}

/// The tags of each stack, and the order in which stacks deploy.
pub(crate) fn stacks(stacks: &[Stack]) -> Vec<Finding> {
    let dependencies: BTreeMap<&str, &[String]> =
        stacks.iter().map(|stack| (stack.name(), stack.dependencies.as_slice())).collect();
    let mut findings = Vec::new();
    for stack in stacks {
        let mut messages = tags(&stack.tags);
        for other in &stack.dependencies {
            if other == stack.name() {
                messages.push("is deployed after itself".to_owned());
            } else if !dependencies.contains_key(other.as_str()) {
                messages.push(format!("is deployed after {other:?}, which is not a stack of this app"));
            }
        }
        if let Some(path) = circle(&dependencies, stack.name()) {
            messages.push(format!("is deployed after itself: {}", path.join(" \u{2192} ")));
        }
        messages.extend(exports(stacks, stack));
        let of_stack = |message| Finding { stack: stack.name().to_owned(), ..Finding::error("", message) };
        findings.extend(messages.into_iter().map(of_stack));
    }
    findings
}

/// The names of exports, which are unique in an account and region.
fn exports(stacks: &[Stack], stack: &Stack) -> Vec<String> {
    let names = |stack: &Stack| -> Vec<String> {
        let names = stack.template.outputs.values().filter_map(|output| output["Export"]["Name"].as_str());
        names.map(str::to_owned).collect()
    };
    let own = names(stack);
    if own.is_empty() {
        return Vec::new();
    }
    let earlier: Vec<(&str, String)> = stacks
        .iter()
        .take_while(|other| !std::ptr::eq(*other, stack))
        .flat_map(|other| names(other).into_iter().map(|name| (other.name(), name)))
        .collect();
    let mut messages = Vec::new();
    for (index, name) in own.iter().enumerate() {
        let is_valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte));
        if name.is_empty() || name.len() > NAME || !is_valid {
            messages.push(format!(
                "{name:?} is not a valid name of an export; use 1 to {NAME} letters, digits, `:` and `-`"
            ));
        }
        if own[..index].contains(name) {
            messages.push(format!("two outputs export the name {name:?}; rename one"));
        } else if let Some((other, _)) = earlier.iter().find(|(_, other)| other == name) {
            messages.push(format!("exports the name {name:?}, which the stack {other} exports too; rename one"));
        }
    }
    messages
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<String> {
    let mut messages = Vec::new();
    if tags.len() > TAGS {
        messages.push(format!("has {} tags; must have at most {TAGS}", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > TAG_KEY {
            messages.push(format!(
                "the key of the tag {key:?} has {} characters; must have 1 to {TAG_KEY}",
                key.chars().count()
            ));
        }
        if key.to_lowercase().starts_with("aws:") {
            messages
                .push(format!("the tag {key:?} starts with `aws:`, which is reserved for AWS; use a different key"));
        }
        if value.chars().count() > TAG_VALUE {
            messages.push(format!(
                "the tag {key:?} has {} characters; must have at most {TAG_VALUE}",
                value.chars().count()
            ));
        }
    }
    messages
}

/// The way from a stack back to itself over at least one other, if it is the first of its circle by name: one circle is one finding.
fn circle<'a>(dependencies: &BTreeMap<&'a str, &'a [String]>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut paths = vec![vec![start]];
    let mut seen = vec![start];
    while let Some(path) = paths.pop() {
        for other in dependencies.get(path[path.len() - 1]).copied().unwrap_or_default() {
            let longer: Vec<&str> = path.iter().copied().chain([other.as_str()]).collect();
            if other == start && path.len() > 1 {
                return Some(longer).filter(|path| path.iter().all(|name| *name >= start));
            }
            if !seen.contains(&other.as_str()) {
                seen.push(other);
                paths.push(longer);
            }
        }
    }
    None
}
