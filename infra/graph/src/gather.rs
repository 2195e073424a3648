//! Joins nodes that differ only in their names.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Column, Graph, Verb};

/// So many alike are drawn as one.
const MANY: usize = 4;

/// Draws schedules, rules and similar nodes as one if they do the same to the same nodes.
pub(crate) fn alike(mut graph: Graph) -> Graph {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.column == Column::WaysIn) {
        groups.entry((node.kind.clone(), neighbors(&graph, index))).or_default().push(index);
    }
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    for ((kind, _), members) in groups.into_iter().filter(|(_, members)| members.len() >= MANY) {
        graph.nodes[members[0]].label = format!("{} × {kind}", members.len());
        graph.nodes[members[0]].kind = String::new();
        first.extend(members.iter().map(|member| (*member, members[0])));
    }
    let mut new = Vec::new();
    let mut next = 0;
    for node in 0..graph.nodes.len() {
        let keeps = first.get(&node).is_none_or(|first| *first == node);
        new.push(keeps.then_some(next));
        next += usize::from(keeps);
    }
    graph.keep(|node| new[node])
}

/// What a node is connected with, and how.
fn neighbors(graph: &Graph, node: usize) -> BTreeSet<(bool, usize, BTreeSet<Verb>)> {
    let edges = graph.edges.iter().filter(|edge| edge.from == node || edge.to == node);
    edges
        .map(|edge| {
            let leaves = edge.from == node;
            (leaves, if leaves { edge.to } else { edge.from }, edge.verbs.clone())
        })
        .collect()
}
