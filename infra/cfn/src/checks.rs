//! What is checked in every template, whatever it deploys.

use crate::intrinsic::PSEUDO_PARAMETERS;
use crate::{Check, Finding, Json, Reference, Template, references};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const ALL: &[Check] = &[unresolved_references, unused, cycles, stateful_without_policy, limits];

/// Most resources a template may have.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const RESOURCES: usize = 500;
/// Most parameters, outputs and mappings, each (same source).
const NAMES: usize = 200;

/// Every name in a `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`, `Fn::FindInMap` and `DependsOn` exists.
///
/// Refs that a stack gave out always resolve in it; what is left are names inside `sub` and refs of another stack.
fn unresolved_references(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (subject, json) in documents(template) {
        references(json, &mut |reference| {
            let (exists, what, name) = match reference {
                Reference::Name(name) => (
                    template.resources.contains_key(name)
                        || template.parameters.contains_key(name)
                        || PSEUDO_PARAMETERS.contains(&name),
                    "resource or parameter",
                    name,
                ),
                Reference::Resource(name) => (template.resources.contains_key(name), "resource", name),
                Reference::Condition(name) => (template.conditions.contains_key(name), "condition", name),
                Reference::Mapping(name) => (template.mappings.contains_key(name), "mapping", name),
            };
            if !exists {
                findings.push(located(
                    template,
                    subject,
                    format!("refers to {name:?}, which is no {what} of this stack"),
                ));
            }
        });
    }
    for (id, entry) in &template.resources {
        for other in entry.depends_on().filter(|it| !template.resources.contains_key(*it)) {
            findings.push(located(template, id, format!("depends on {other:?}, which is no resource of this stack")));
        }
    }
    findings
}

/// Every parameter, condition and mapping is used.
fn unused(template: &Template) -> Vec<Finding> {
    let mut used = BTreeSet::new();
    for (_, json) in documents(template) {
        references(json, &mut |it| {
            let (Reference::Name(name)
            | Reference::Resource(name)
            | Reference::Condition(name)
            | Reference::Mapping(name)) = it;
            used.insert(name);
        });
    }
    used.extend(template.resources.values().filter_map(|it| it.attribute("Condition")?.as_str()));
    used.extend(template.outputs.values().filter_map(|it| it["Condition"].as_str()));
    [("parameter", &template.parameters), ("condition", &template.conditions), ("mapping", &template.mappings)]
        .into_iter()
        .flat_map(|(what, section)| section.keys().map(move |name| (what, name)))
        .filter(|(_, name)| !used.contains(name.as_str()))
        .map(|(what, name)| Finding::warning(name, format!("nothing uses this {what}")))
        .collect()
}

/// No resource waits for itself; CloudFormation would refuse the template.
fn cycles(template: &Template) -> Vec<Finding> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, entry) in &template.resources {
        let targets = edges.entry(id).or_default();
        references(&entry.properties, &mut |it| {
            if let Reference::Name(name) | Reference::Resource(name) = it
                && template.resources.contains_key(name)
            {
                targets.insert(name);
            }
        });
        targets.extend(entry.depends_on());
    }
    // Takes away what waits for nothing that is left, and what nothing waits for: a circle remains.
    loop {
        let awaited: BTreeSet<&str> = edges.values().flatten().copied().collect();
        let free: Vec<&str> = edges
            .iter()
            .filter(|(id, targets)| !awaited.contains(*id) || !targets.iter().any(|it| edges.contains_key(it)))
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            edges.remove(id);
        }
    }
    let Some(first) = edges.keys().next() else { return Vec::new() };
    let all: Vec<&str> = edges.keys().copied().collect();
    vec![located(template, first, format!("waits for itself, through {}", all.join(", ")))]
}

/// What holds data says what becomes of it.
fn stateful_without_policy(template: &Template) -> Vec<Finding> {
    template
        .resources
        .iter()
        .filter(|(_, it)| it.stateful)
        .filter(|(_, it)| it.attribute("DeletionPolicy").is_none() || it.attribute("UpdateReplacePolicy").is_none())
        .map(|(id, it)| {
            located(template, id, format!("{} holds data and does not say what becomes of it", it.ty))
                .help("add `.retain()`, or `.disposable()` where the data may go with the stack")
        })
        .collect()
}

/// The counts that CloudFormation refuses; a warning from 80 % on. Sizes are checked on the bytes that are written.
fn limits(template: &Template) -> Vec<Finding> {
    [
        ("resources", template.resources.len(), RESOURCES),
        ("parameters", template.parameters.len(), NAMES),
        ("outputs", template.outputs.len(), NAMES),
        ("mappings", template.mappings.len(), NAMES),
    ]
    .into_iter()
    .filter_map(|(what, count, limit)| over(what, count, limit, || largest_types(template)))
    .collect()
}

/// Most bytes of a template that is uploaded first (same source as above).
const BYTES: usize = 1_000_000;
/// Most bytes of a template that is sent inside the request.
pub const INLINE_BYTES: usize = 51_200;

/// The size of the document that is written.
pub(crate) fn size(stack: &str, bytes: usize) -> Option<Finding> {
    let finding = over("bytes", bytes, BYTES, || "split the stack".to_owned()).or_else(|| {
        (bytes > INLINE_BYTES).then(|| {
            Finding::warning("", format!("{bytes} bytes, and at most {INLINE_BYTES} can be sent without a bucket"))
                .help("scripts/deploy and cdk upload it; for `aws cloudformation deploy` give --s3-bucket")
        })
    });
    finding.map(|it| Finding { stack: stack.to_owned(), ..it })
}

fn over(what: &str, count: usize, limit: usize, help: impl Fn() -> String) -> Option<Finding> {
    if count > limit {
        return Some(Finding::error("", format!("{count} {what}, allowed is at most {limit}")).help(help()));
    }
    (count * 5 >= limit * 4)
        .then(|| Finding::warning("", format!("{count} {what}, and at most {limit} are allowed")).help(help()))
}

fn largest_types(template: &Template) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in template.resources.values() {
        *counts.entry(entry.ty).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let largest: Vec<String> = counts.iter().take(3).map(|(ty, count)| format!("{count} {ty}")).collect();
    format!("most of them: {}", largest.join(", "))
}

/// Every document of the template that can refer to something, with the name it is reported under.
fn documents(template: &Template) -> impl Iterator<Item = (&str, &Json)> {
    let resources = template.resources.iter().map(|(id, it)| (id.as_str(), &it.properties));
    let conditions = template.conditions.iter().map(|(name, it)| (name.as_str(), it));
    let outputs = template.outputs.iter().map(|(name, it)| (name.as_str(), it));
    resources.chain(conditions).chain(outputs)
}

fn located(template: &Template, subject: &str, message: String) -> Finding {
    let finding = Finding::error(subject, message);
    match template.resources.get(subject) {
        Some(entry) => finding.at(entry.location),
        None => finding,
    }
}
