//! What a picture consists of.

use std::collections::{BTreeMap, BTreeSet};

/// One stack as people explain it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The name of the stack.
    pub stack: String,
    /// In the order of the template; people and other services follow.
    pub nodes: Vec<Node>,
    /// At most one for each pair of nodes and direction.
    pub edges: Vec<Edge>,
}

/// Somebody or something in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called: a logical ID, or a phrase such as `Signed-in people`.
    pub label: String,
    /// What it is, in a few words, for example `DynamoDB table`. Empty if the label says it.
    pub kind: String,
    /// Where it is drawn.
    pub column: Column,
}

/// The columns of a picture, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Who uses the system.
    People,
    /// What starts work: APIs, pages, schedules, rules.
    WaysIn,
    /// What works.
    Functions,
    /// What keeps data.
    Stores,
    /// What is used but is not part of the stack, and resources of types that are drawn without being known.
    Services,
}

impl Column {
    /// All columns, from left to right.
    pub const ALL: [Self; 5] = [Self::People, Self::WaysIn, Self::Functions, Self::Stores, Self::Services];

    /// The heading of the column.
    pub fn heading(self) -> &'static str {
        match self {
            Self::People => "People",
            Self::WaysIn => "Ways in",
            Self::Functions => "Functions",
            Self::Stores => "Stores",
            Self::Services => "Other services",
        }
    }
}

/// What one node does with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the node that acts.
    pub from: usize,
    /// Index of the other node.
    pub to: usize,
    /// Never empty.
    pub verbs: BTreeSet<Verb>,
}

/// What somebody or something does. The order is that of importance: an edge has the color of its first verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Starts it without waiting for an answer.
    Triggers,
    /// Sends a request and waits for the answer.
    Calls,
    /// Changes its data.
    Writes,
    /// Reads its data.
    Reads,
    /// Refers to it. Only for types whose meaning is not known.
    Uses,
    /// Sends it what could not be handled.
    FailsTo,
}

impl Verb {
    /// The verb after a singular: `Poller reads Jobs`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Triggers => "triggers",
            Self::Calls => "calls",
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::Uses => "uses",
            Self::FailsTo => "sends failures to",
        }
    }

    /// The verb after a plural: `People call Api`.
    fn plural(self) -> &'static str {
        match self {
            Self::Triggers => "trigger",
            Self::Calls => "call",
            Self::Writes => "write",
            Self::Reads => "read",
            Self::Uses => "use",
            Self::FailsTo => "send failures to",
        }
    }
}

impl Graph {
    /// Each edge as a sentence, for those who do not see the picture.
    pub fn sentences(&self) -> Vec<String> {
        let label = |node: usize| &self.nodes[node].label;
        self.edges.iter().map(|edge| format!("{} {} {}", label(edge.from), self.words(edge), label(edge.to))).collect()
    }

    /// The verbs of an edge as text, for example `reads and writes`.
    pub(crate) fn words(&self, edge: &Edge) -> String {
        // People are many, everything else is one.
        let word = if self.nodes[edge.from].column == Column::People { Verb::plural } else { Verb::word };
        let mut verbs: Vec<_> = edge.verbs.iter().copied().collect();
        // "Reads and writes" is what people say, although writing is more important.
        if verbs == [Verb::Writes, Verb::Reads] {
            verbs.reverse();
        }
        verbs.into_iter().map(word).collect::<Vec<_>>().join(" and ")
    }

    /// The same picture with only these nodes, and with edges between the same pair joined.
    pub(crate) fn keep(self, kept: impl Fn(usize) -> Option<usize>) -> Self {
        let mut verbs: BTreeMap<(usize, usize), BTreeSet<Verb>> = BTreeMap::new();
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (kept(edge.from), kept(edge.to)) {
                verbs.entry((from, to)).or_default().extend(&edge.verbs);
            }
        }
        let edges = verbs.into_iter().map(|((from, to), verbs)| Edge { from, to, verbs }).collect();
        let nodes = self.nodes.into_iter().enumerate();
        let nodes = nodes.filter(|(index, _)| kept(*index).is_some()).map(|(_, node)| node).collect();
        Self { stack: self.stack, nodes, edges }
    }
}
