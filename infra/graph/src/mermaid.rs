//! A picture as text for Mermaid, which GitHub and many editors draw.

use std::fmt::Write;

use crate::{Column, Graph, Verb};

/// A flowchart with one box for each stack, if there are several, and in it one for each column.
///
/// See <https://mermaid.js.org/syntax/flowchart.html>.
pub fn draw(graphs: &[Graph]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (number, graph) in graphs.iter().enumerate() {
        let prefix = if graphs.len() > 1 { format!("s{number}_") } else { String::new() };
        if graphs.len() > 1 {
            let _ = writeln!(text, "  subgraph {prefix}stack[\"{}\"]", quoted(&graph.stack));
        }
        stack(&mut text, graph, &prefix);
        if graphs.len() > 1 {
            text.push_str("  end\n");
        }
    }
    text
}

fn stack(text: &mut String, graph: &Graph, prefix: &str) {
    let id = |node: usize| {
        let label = &graph.nodes[node].label;
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric());
        // `end` closes a box.
        if plain && label != "end" { format!("{prefix}{label}") } else { format!("{prefix}n{node}") }
    };
    for column in Column::ALL {
        let nodes: Vec<_> = (0..graph.nodes.len()).filter(|node| graph.nodes[*node].column == column).collect();
        if nodes.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  subgraph {prefix}{column:?}Column[\"{}\"]", column.heading());
        for node in nodes {
            let kind = &graph.nodes[node].kind;
            let kind = if kind.is_empty() { String::new() } else { format!("<br>{}", quoted(kind)) };
            let label = format!("{}{kind}", quoted(&graph.nodes[node].label));
            let (open, close) = match column {
                Column::People => ("([", "])"),
                Column::Stores => ("[(", ")]"),
                _ => ("[", "]"),
            };
            let _ = writeln!(text, "    {}{open}\"{label}\"{close}", id(node));
        }
        text.push_str("  end\n");
    }
    for edge in &graph.edges {
        let line =
            if edge.verbs.iter().all(|verb| matches!(verb, Verb::FailsTo | Verb::Uses)) { "-.->" } else { "-->" };
        let _ = writeln!(text, "  {} {line}|{}| {}", id(edge.from), graph.words(edge), id(edge.to));
    }
}

/// Mermaid has its own escapes, see <https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters>.
fn quoted(label: &str) -> String {
    label.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
