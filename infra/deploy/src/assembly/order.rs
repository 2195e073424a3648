//! The order in which the stacks of an assembly can be created.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::assembly::manifest::{Manifest, STACK};

/// The IDs of the stack artifacts, each after those it depends on, otherwise by name.
pub(super) fn in_dependency_order(manifest: &Manifest) -> Result<Vec<&str>, Error> {
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = manifest
        .artifacts
        .iter()
        .filter(|(_, artifact)| artifact.kind == STACK)
        .map(|(id, artifact)| {
            let stacks = artifact.dependencies.iter().map(String::as_str);
            let stacks = stacks.filter(|id| manifest.artifacts.get(*id).is_some_and(|other| other.kind == STACK));
            (id.as_str(), stacks.collect())
        })
        .collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let next = waiting.iter().find(|(_, needs)| needs.iter().all(|need| ordered.contains(need)));
        let Some(id) = next.map(|(id, _)| *id) else {
            let names: Vec<_> = waiting.keys().copied().collect();
            return Err(Error::Refused(format!("the stacks {} depend on each other in a circle", names.join(", "))));
        };
        waiting.remove(id);
        ordered.push(id);
    }
    Ok(ordered)
}
