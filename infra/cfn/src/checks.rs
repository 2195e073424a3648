//! What is checked in every template, whatever it deploys.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::intrinsic::PSEUDO_PARAMETERS;
use crate::{Finding, Reference, Template, references};

/// Every check of this module. The references are looked up once for all that ask for them.
pub(crate) fn all(template: &Template) -> Vec<Finding> {
    let uses = uses(template);
    let mut findings = unresolved_references(template, &uses);
    findings.extend(unused(template, &uses));
    findings.extend(cycle(template, &uses));
    findings.extend(stateful_without_policy(template));
    findings.extend(limits(template));
    findings
}

/// Most resources a template may have.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const RESOURCES: usize = 500;
/// Most parameters, outputs and mappings, each (same source).
const NAMES: usize = 200;

/// One reference of a template.
struct Use<'a> {
    /// What refers: a resource, a condition or an output.
    subject: &'a str,
    /// What it refers to.
    reference: Reference<'a>,
    /// The place of the subject among the resources, where it is one.
    from: Option<usize>,
    /// The place of the resource that is referred to.
    to: Option<usize>,
}

/// Every reference in the order of the template, without `DependsOn`.
fn uses(template: &Template) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    let mut add = |subject, from, reference| {
        let to = match reference {
            Reference::Name(name) | Reference::Resource(name) => template.resources.get_index_of(name),
            Reference::Condition(_) | Reference::Mapping(_) => None,
        };
        uses.push(Use { subject, reference, from, to });
    };
    for (index, (id, entry)) in template.resources.iter().enumerate() {
        references(&entry.properties, &mut |it| add(id, Some(index), it));
        for (name, json) in &entry.attributes {
            match (*name, json.as_str()) {
                ("DependsOn", _) => {}
                ("Condition", Some(condition)) => add(id, Some(index), Reference::Condition(condition)),
                _ => references(json, &mut |it| add(id, Some(index), it)),
            }
        }
    }
    for (name, json) in template.conditions.iter().chain(&template.outputs) {
        references(json, &mut |it| add(name, None, it));
    }
    for (name, output) in &template.outputs {
        output["Condition"].as_str().into_iter().for_each(|it| add(name, None, Reference::Condition(it)));
    }
    uses
}

/// Every name in a `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`, `Fn::FindInMap`, `Condition` and `DependsOn` exists.
///
/// Refs that a stack gave out always resolve in it; what is left are names inside `sub` and refs of another stack.
fn unresolved_references(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for it in uses {
        let name = it.reference.name();
        let (exists, what) = match it.reference {
            Reference::Name(_) => (
                it.to.is_some() || template.parameters.contains_key(name) || PSEUDO_PARAMETERS.contains(&name),
                "resource or parameter",
            ),
            Reference::Resource(_) => (it.to.is_some(), "resource"),
            Reference::Condition(_) => (template.conditions.contains_key(name), "condition"),
            Reference::Mapping(_) => (template.mappings.contains_key(name), "mapping"),
        };
        if !exists {
            let message = format!("refers to {name:?}, which is no {what} of this stack");
            findings.push(located(template, it.subject, message));
        }
    }
    for (id, entry) in &template.resources {
        for other in entry.depends_on().filter(|it| !template.resources.contains_key(*it)) {
            findings.push(located(template, id, format!("depends on {other:?}, which is no resource of this stack")));
        }
    }
    findings
}

/// Every parameter, condition and mapping is used.
fn unused(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let used: HashSet<&str> = uses.iter().map(|it| it.reference.name()).collect();
    [("parameter", &template.parameters), ("condition", &template.conditions), ("mapping", &template.mappings)]
        .into_iter()
        .flat_map(|(what, section)| section.keys().map(move |name| (what, name)))
        .filter(|(_, name)| !used.contains(name.as_str()))
        .map(|(what, name)| Finding::warning(name, format!("nothing uses this {what}")))
        .collect()
}

/// No resource waits for itself; CloudFormation would refuse the template.
fn cycle(template: &Template, uses: &[Use<'_>]) -> Option<Finding> {
    let resources = &template.resources;
    // Who waits, and for whom.
    let mut waits: Vec<(usize, usize)> = uses.iter().filter_map(|it| it.from.zip(it.to)).collect();
    for (index, entry) in resources.values().enumerate() {
        waits.extend(entry.depends_on().filter_map(|it| Some((index, resources.get_index_of(it)?))));
    }
    // Takes away the waits for what waits for nothing itself, and those of what nothing waits for: a circle remains.
    loop {
        let before = waits.len();
        let (mut waiting, mut awaited) = (vec![false; resources.len()], vec![false; resources.len()]);
        for &(from, to) in &waits {
            waiting[from] = true;
            awaited[to] = true;
        }
        waits.retain(|&(from, to)| awaited[from] && waiting[to]);
        if waits.len() == before {
            break;
        }
    }
    let name = |index: usize| resources.get_index(index).expect("the index is of this map").0.as_str();
    let circle: BTreeSet<&str> = waits.into_iter().map(|(from, _)| name(from)).collect();
    let all = circle.iter().copied().collect::<Vec<_>>().join(", ");
    circle.first().map(|first| located(template, first, format!("waits for itself, through {all}")))
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

fn located(template: &Template, subject: &str, message: String) -> Finding {
    let finding = Finding::error(subject, message);
    match template.resources.get(subject) {
        Some(entry) => finding.at(entry.location),
        None => finding,
    }
}
