//! No resource depends on itself; CloudFormation would reject the template.

use std::collections::{BTreeSet, VecDeque};

use super::{Use, located};
use crate::{Finding, Template};

/// One finding for each group of resources that wait for each other, with a shortest way from one of them back to itself.
pub(super) fn check(template: &Template, uses: &[Use<'_>]) -> Vec<Finding> {
    let resources = &template.resources;
    // For each resource, the ones it waits for.
    let mut waits = vec![BTreeSet::new(); resources.len()];
    for (from, to) in uses.iter().filter_map(|used| used.from.zip(used.to)) {
        waits[from].insert(to);
    }
    for (waiting, entry) in waits.iter_mut().zip(resources.values()) {
        waiting.extend(entry.depends_on().filter_map(|other| resources.get_index_of(other)));
    }
    let in_cycles = only_cycles(&waits);
    let mut reported = BTreeSet::new();
    let mut findings = Vec::new();
    for start in in_cycles {
        if reported.contains(&start) {
            continue;
        }
        let Some(path) = way_back(&waits, start) else { continue };
        // Whatever the members of this cycle reach and what reaches them in turn belongs to the same group.
        let reachable = reachable(&waits, start);
        reported.extend(reachable.into_iter().filter(|other| way_to(&waits, *other, start)));
        let name = |index: usize| resources.get_index(index).expect("the index is of this map").0.as_str();
        let names: Vec<&str> = path.into_iter().map(name).collect();
        findings.push(located(template, name(start), format!("depends on itself: {}", names.join(" \u{2192} "))));
    }
    findings
}

/// The resources that remain after removing, again and again, those that wait for nothing and those that nothing waits for: most
/// templates have none.
fn only_cycles(waits: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut left: Vec<(usize, usize)> =
        waits.iter().enumerate().flat_map(|(from, to)| to.iter().map(move |&to| (from, to))).collect();
    loop {
        let before = left.len();
        let (mut waiting, mut awaited) = (vec![false; waits.len()], vec![false; waits.len()]);
        for &(from, to) in &left {
            waiting[from] = true;
            awaited[to] = true;
        }
        left.retain(|&(from, to)| awaited[from] && waiting[to]);
        if left.len() == before {
            break;
        }
    }
    let all: BTreeSet<usize> = left.into_iter().map(|(from, _)| from).collect();
    all.into_iter().collect()
}

/// The shortest way from a resource to itself.
fn way_back(waits: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut came_from = vec![None; waits.len()];
    let mut next = VecDeque::from([start]);
    while let Some(here) = next.pop_front() {
        for &to in &waits[here] {
            if to == start {
                let mut path = vec![start];
                let mut at = Some(here);
                while let Some(index) = at.filter(|&index| index != start) {
                    path.push(index);
                    at = came_from[index];
                }
                path.push(start);
                path.reverse();
                return Some(path);
            }
            if came_from[to].is_none() {
                came_from[to] = Some(here);
                next.push_back(to);
            }
        }
    }
    None
}

fn reachable(waits: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([start]);
    let mut next = vec![start];
    while let Some(here) = next.pop() {
        next.extend(waits[here].iter().filter(|&&to| found.insert(to)));
    }
    found
}

fn way_to(waits: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    reachable(waits, from).contains(&to)
}
