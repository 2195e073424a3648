//! A picture as one SVG file, which needs no fonts, scripts or other files. It follows the reader's light or dark mode.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use crate::layout::{BOX_HEIGHT, BOX_WIDTH, Curve, Layout, Point};
use crate::{Column, Graph, Node, Verb};

const MARGIN: i32 = 24;
/// From the name of the stack to the headings of its columns, and from there to the boxes.
const TITLE: i32 = 34;
const HEADING: i32 = 26;
const LEGEND: i32 = 36;
const LEGEND_WIDTH: i32 = 600;
/// So many characters fit into a box.
const LONGEST_LABEL: usize = 24;

const STYLE: &str = "\
svg{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#8c959f;--people:#fff4d6;--ways:#e3f0ff;--functions:#ffe7d9;--stores:#e2f5e6;\
--services:#f1edfb;--triggers:#b35900;--calls:#0b5cad;--writes:#b3261e;--reads:#1a7f37}\
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--soft:#9da7b3;--edge:#7d8590;--people:#3a2f12;--ways:#12283f;\
--functions:#40250f;--stores:#12301b;--services:#2a2140;--triggers:#ffa657;--calls:#79b8ff;--writes:#ff8a80;--reads:#7ee787}}\
text{font:13px system-ui,sans-serif;fill:var(--ink)}.title{font-size:17px;font-weight:600}.heading{fill:var(--soft);font-weight:600}\
.kind{font-size:11px;fill:var(--soft)}.label{font-weight:600}rect{stroke:var(--edge)}.paper{fill:var(--paper);stroke:none}\
.people{fill:var(--people)}.ways-in{fill:var(--ways)}.functions{fill:var(--functions)}.stores{fill:var(--stores)}\
.services{fill:var(--services)}path{fill:none;stroke-width:1.4}.triggers{stroke:var(--triggers)}.calls{stroke:var(--calls)}\
.writes{stroke:var(--writes)}.reads{stroke:var(--reads)}.uses,.fails-to{stroke:var(--edge);stroke-dasharray:4 3}\
path.head{stroke-dasharray:none;stroke-linejoin:round}g.edge:hover path{stroke-width:3}";

/// The stacks below each other, with a legend.
pub fn draw(graphs: &[Graph]) -> String {
    let layouts: Vec<_> = graphs.iter().map(Layout::of).collect();
    let width = layouts.iter().map(|layout| layout.width).fold(LEGEND_WIDTH, i32::max) + 2 * MARGIN;
    let mut top = MARGIN;
    let mut tops = Vec::new();
    for layout in &layouts {
        tops.push(top);
        top += TITLE + HEADING + layout.height + 2 * MARGIN;
    }
    let height = top + LEGEND;
    let title = graphs.iter().map(|graph| graph.stack.as_str()).collect::<Vec<_>>().join(", ");
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            title { (title) }
            style { (PreEscaped(STYLE)) }
            rect class="paper" width=(width) height=(height) {}
            @for ((graph, layout), top) in graphs.iter().zip(&layouts).zip(tops) {
                g transform={ "translate(" (MARGIN) " " (top) ")" } { (stack(graph, layout)) }
            }
            g transform={ "translate(" (MARGIN) " " (top) ")" } { (legend()) }
        }
    };
    picture.into_string()
}

fn stack(graph: &Graph, layout: &Layout) -> Markup {
    html! {
        text.title y="16" { (graph.stack) }
        g transform={ "translate(0 " (TITLE) ")" } {
            @for (column, x) in &layout.columns {
                text.heading x=(x) y="12" { (column.heading()) }
            }
        }
        g transform={ "translate(0 " (TITLE + HEADING) ")" } {
            @for ((edge, curve), sentence) in graph.edges.iter().zip(&layout.curves).zip(graph.sentences()) {
                (line(edge.verbs.first().copied(), curve, &sentence))
            }
            @for (node, corner) in graph.nodes.iter().zip(&layout.boxes) { (node_box(node, *corner)) }
        }
    }
}

fn node_box(node: &Node, Point { x, y }: Point) -> Markup {
    let label = shortened(&node.label);
    let radius = if node.column == Column::People { BOX_HEIGHT / 2 } else { 6 };
    html! {
        g transform={ "translate(" (x) " " (y) ")" } {
            title { (node.label) @if !node.kind.is_empty() { ", " (node.kind) } }
            rect class=(class(node.column)) width=(BOX_WIDTH) height=(BOX_HEIGHT) rx=(radius) {}
            @if node.kind.is_empty() {
                text.label x="14" y="27" { (label) }
            } @else {
                text.label x="14" y="19" { (label) }
                text.kind x="14" y="34" { (node.kind) }
            }
        }
    }
}

fn line(verb: Option<Verb>, curve: &Curve, sentence: &str) -> Markup {
    let class = verb.map_or("uses", verb_class);
    html! {
        g.edge {
            title { (sentence) }
            path class=(class) d=(path(curve)) {}
            path class={ (class) " head" } d=(head(curve)) {}
        }
    }
}

fn path(curve: &Curve) -> String {
    match curve {
        Curve::Around(from, to, side) => {
            let x = from.x + side;
            format!("M{} {}C{x} {} {x} {} {} {}", from.x, from.y, from.y, to.y, to.x, to.y)
        }
        Curve::Across(points) => {
            let mut path = format!("M{} {}", points[0].x, points[0].y);
            for (index, pair) in points.windows(2).enumerate() {
                let (from, to) = (pair[0], pair[1]);
                // Every second piece passes a column.
                let _ = if index % 2 == 1 {
                    write!(path, "H{}", to.x)
                } else {
                    let middle = (from.x + to.x) / 2;
                    write!(path, "C{middle} {} {middle} {} {} {}", from.y, to.y, to.x, to.y)
                };
            }
            path
        }
    }
}

/// The arrowhead at the end of a curve.
fn head(curve: &Curve) -> String {
    let (tip, back) = match curve {
        Curve::Around(_, to, _) => (*to, 7),
        Curve::Across(points) => {
            let last = points.len() - 1;
            (points[last], if points[last].x > points[last - 1].x { -7 } else { 7 })
        }
    };
    format!("M{} {}L{} {}L{} {}", tip.x + back, tip.y - 4, tip.x, tip.y, tip.x + back, tip.y + 4)
}

fn legend() -> Markup {
    let verbs = [Verb::Triggers, Verb::Calls, Verb::Reads, Verb::Writes, Verb::FailsTo];
    html! {
        @for (index, verb) in verbs.into_iter().enumerate() {
            g transform={ "translate(" (index * 120) " 0)" } {
                path class=(verb_class(verb)) d="M0 8H28" {}
                path class={ (verb_class(verb)) " head" } d="M21 4L28 8L21 12" {}
                text.kind x="36" y="12" { (verb.word()) }
            }
        }
    }
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LONGEST_LABEL {
        return label.to_owned();
    }
    label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
}

fn class(column: Column) -> &'static str {
    match column {
        Column::People => "people",
        Column::WaysIn => "ways-in",
        Column::Functions => "functions",
        Column::Stores => "stores",
        Column::Services => "services",
    }
}

fn verb_class(verb: Verb) -> &'static str {
    match verb {
        Verb::Triggers => "triggers",
        Verb::Calls => "calls",
        Verb::Writes => "writes",
        Verb::Reads => "reads",
        Verb::Uses => "uses",
        Verb::FailsTo => "fails-to",
    }
}
