//! Checks for every template, whatever it deploys.

mod arguments;
mod cycles;
mod structure;
mod texts;

use std::collections::{BTreeMap, HashSet};

pub(crate) use structure::stacks;

use crate::intrinsic::PSEUDO_PARAMETERS;
use crate::limits::{BYTES, INLINE_BYTES, NAMES, RESOURCES};
use crate::{Finding, Reference, Template, references};

/// Runs every check of this module. The references are collected once for all of them.
pub(crate) fn all(template: &Template) -> Vec<Finding> {
    let uses = uses(template);
    let mut findings = unresolved_references(template, &uses);
    findings.extend(unused(template, &uses));
    findings.extend(cycles::check(template, &uses));
    findings.extend(structure::check(template));
    findings.extend(arguments::check(template, &uses));
    findings.extend(texts::check(template));
    findings.extend(stateful_without_policy(template));
    findings.extend(limits(template));
    findings
}

/// One reference of a template.
struct Use<'a> {
    /// The resource, condition or output that contains the reference.
    subject: &'a str,
    /// What is referred to.
    reference: Reference<'a>,
    /// The index of the subject among the resources, if it is one.
    from: Option<usize>,
    /// The index of the resource that is referred to.
    to: Option<usize>,
}

/// Every reference in the order of the template, without `DependsOn`.
fn uses(template: &Template) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    let mut add = |subject, from, reference| {
        let to = match reference {
            // A parameter of the same name is reported as such.
            Reference::Name(name) if template.parameters.contains_key(name) => None,
            Reference::Name(name) | Reference::Resource(name, _) => template.resources.get_index_of(name),
            Reference::Condition(_) | Reference::Mapping(_) => None,
        };
        uses.push(Use { subject, reference, from, to });
    };
    for (index, (id, entry)) in template.resources.iter().enumerate() {
        references(&entry.properties, &mut |reference| add(id, Some(index), reference));
        for (name, json) in &entry.attributes {
            match (*name, json.as_str()) {
                ("Condition", Some(condition)) => add(id, Some(index), Reference::Condition(condition)),
                // `DependsOn` contains plain names.
                _ => references(json, &mut |reference| add(id, Some(index), reference)),
            }
        }
    }
    for (name, json) in template.conditions.iter().chain(&template.outputs) {
        references(json, &mut |reference| add(name, None, reference));
    }
    for (name, output) in &template.outputs {
        if let Some(condition) = output["Condition"].as_str() {
            add(name, None, Reference::Condition(condition));
        }
    }
    uses
}

/// Every name in a `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`, `Fn::FindInMap`, `Condition` and `DependsOn` exists.
///
/// Refs that a stack returned always resolve in it; names inside `sub` and refs of a different stack may not.
fn unresolved_references(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for used in uses {
        let name = used.reference.name();
        let (exists, what) = match used.reference {
            Reference::Name(_) => (
                used.to.is_some() || template.parameters.contains_key(name) || PSEUDO_PARAMETERS.contains(&name),
                "resource or parameter",
            ),
            Reference::Resource(..) => (used.to.is_some(), "resource"),
            Reference::Condition(_) => (template.conditions.contains_key(name), "condition"),
            Reference::Mapping(_) => (template.mappings.contains_key(name), "mapping"),
        };
        // A malformed placeholder is reported as such.
        if !exists && texts::is_placeholder(name) {
            let message = format!("refers to {name:?}, which is not a {what} of this stack");
            findings.push(located(template, used.subject, message));
        }
    }
    for (id, entry) in &template.resources {
        for other in entry.depends_on().filter(|other| !template.resources.contains_key(*other)) {
            findings.push(located(
                template,
                id,
                format!("depends on {other:?}, which is not a resource of this stack"),
            ));
        }
    }
    findings
}

/// Every parameter, condition and mapping is used.
fn unused(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let used: HashSet<&str> = uses.iter().map(|used| used.reference.name()).collect();
    [("parameter", &template.parameters), ("condition", &template.conditions), ("mapping", &template.mappings)]
        .into_iter()
        .flat_map(|(what, section)| section.keys().map(move |name| (what, name)))
        .filter(|(_, name)| !used.contains(name.as_str()))
        .map(|(what, name)| Finding::warning(name, format!("this {what} is not used")))
        .collect()
}

/// Every resource that holds data says what happens to it.
fn stateful_without_policy(template: &Template) -> Vec<Finding> {
    template
        .resources
        .iter()
        .filter(|(_, entry)| entry.stateful)
        .filter(|(_, entry)| {
            entry.attribute("DeletionPolicy").is_none() || entry.attribute("UpdateReplacePolicy").is_none()
        })
        .map(|(id, entry)| {
            located(
                template,
                id,
                format!("{} holds data; it must have a DeletionPolicy and an UpdateReplacePolicy", entry.ty),
            )
            .help("add `.retain()`, or `.disposable()` if the data may be deleted with the stack")
        })
        .collect()
}

/// The counts that CloudFormation limits; a warning from 80 % on. Sizes are checked on the bytes that are written.
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

/// The size of the document that is written.
pub(crate) fn size(stack: &str, bytes: usize) -> Option<Finding> {
    let finding = over("bytes", bytes, BYTES, || "split the stack".to_owned()).or_else(|| {
        (bytes > INLINE_BYTES).then(|| {
            Finding::warning("", format!("{bytes} bytes; at most {INLINE_BYTES} can be sent without a bucket"))
                .help("scripts/deploy and cdk upload it; for `aws cloudformation deploy` add --s3-bucket")
        })
    });
    finding.map(|finding| Finding { stack: stack.to_owned(), ..finding })
}

fn over(what: &str, count: usize, limit: usize, help: impl Fn() -> String) -> Option<Finding> {
    if count > limit {
        return Some(Finding::error("", format!("{count} {what}; must be at most {limit}")).help(help()));
    }
    (count * 5 >= limit * 4).then(|| Finding::warning("", format!("{count} {what} of at most {limit}")).help(help()))
}

fn largest_types(template: &Template) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in template.resources.values() {
        *counts.entry(entry.ty).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let largest: Vec<String> = counts.iter().take(3).map(|(ty, count)| format!("{count} {ty}")).collect();
    format!("the most frequent types: {}", largest.join(", "))
}

fn located(template: &Template, subject: &str, message: String) -> Finding {
    let finding = Finding::error(subject, message);
    match template.resources.get(subject) {
        Some(entry) => finding.at(entry.location),
        None => finding,
    }
}
