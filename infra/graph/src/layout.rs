//! Where everything is drawn: columns of boxes, and curves between them.
//!
//! The usual method for layered drawings: an edge that passes a column gets a slot of its own there, and the slots of each column
//! are sorted again and again by the average position of what they are connected with, which removes most crossings.

use std::collections::BTreeMap;

use crate::{Column, Graph};

/// Sizes in the units of the picture, which are CSS pixels at its natural size.
pub(crate) const BOX_WIDTH: i32 = 208;
pub(crate) const BOX_HEIGHT: i32 = 44;
const BEND_HEIGHT: i32 = 10;
const GAP: i32 = 16;
const COLUMN_GAP: i32 = 92;
/// How far a curve between two boxes of the same column leaves it.
const SIDE: i32 = 44;
/// The order no longer changes much after so many passes in each direction.
const PASSES: usize = 12;

/// A picture, with its upper left corner at 0, 0.
pub(crate) struct Layout {
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// The upper left corner of each node's box.
    pub(crate) boxes: Vec<Point>,
    /// The curve of each edge.
    pub(crate) curves: Vec<Curve>,
    /// The left end of each column that has nodes.
    pub(crate) columns: Vec<(Column, i32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: i32,
    pub(crate) y: i32,
}

/// A curve that starts and ends horizontally.
pub(crate) enum Curve {
    /// Through these points: curved between columns, straight through them.
    Across(Vec<Point>),
    /// From one box to another box of the same column, around its right side.
    Around(Point, Point, i32),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Node(usize),
    /// Where an edge passes a column.
    Bend(usize),
}

impl Slot {
    fn height(self) -> i32 {
        match self {
            Self::Node(_) => BOX_HEIGHT,
            Self::Bend(_) => BEND_HEIGHT,
        }
    }
}

impl Layout {
    pub(crate) fn of(graph: &Graph) -> Self {
        let used: Vec<_> =
            Column::ALL.into_iter().filter(|column| graph.nodes.iter().any(|node| node.column == *column)).collect();
        let position = |node: usize| {
            used.iter().position(|column| *column == graph.nodes[node].column).expect("the column of a node is used")
        };
        let chains: Vec<Vec<(usize, Slot)>> = graph
            .edges
            .iter()
            .enumerate()
            .map(|(edge, ends)| {
                let (from, to) = (position(ends.from), position(ends.to));
                let between: Vec<_> = if from < to { (from + 1..to).collect() } else { (to + 1..from).rev().collect() };
                let bends = between.into_iter().map(|column| (column, Slot::Bend(edge)));
                let start = std::iter::once((from, Slot::Node(ends.from)));
                start.chain(bends).chain([(to, Slot::Node(ends.to))]).collect()
            })
            .collect();
        let mut slots: Vec<Vec<Slot>> = vec![Vec::new(); used.len()];
        for node in 0..graph.nodes.len() {
            slots[position(node)].push(Slot::Node(node));
        }
        for (column, slot) in chains.iter().flatten().filter(|(_, slot)| matches!(slot, Slot::Bend(_))) {
            slots[*column].push(*slot);
        }
        let rows = order(slots, &chains);
        draw(graph, &used, &chains, &rows)
    }
}

/// The center of each slot, from the top. A bend is identified by its column too.
type Rows = BTreeMap<(usize, Slot), i32>;

fn order(mut slots: Vec<Vec<Slot>>, chains: &[Vec<(usize, Slot)>]) -> Rows {
    let mut neighbors: BTreeMap<(usize, Slot), Vec<(usize, Slot)>> = BTreeMap::new();
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        neighbors.entry(pair[0]).or_default().push(pair[1]);
        neighbors.entry(pair[1]).or_default().push(pair[0]);
    }
    let mut rows = rows(&slots);
    for pass in 0..2 * PASSES {
        let forward = pass % 2 == 0;
        let columns: Vec<_> = if forward { (0..slots.len()).collect() } else { (0..slots.len()).rev().collect() };
        for column in columns {
            let wish = |slot: Slot| {
                let all = neighbors.get(&(column, slot)).map_or(&[][..], Vec::as_slice);
                let before = all.iter().filter(|(other, _)| if forward { *other < column } else { *other > column });
                let wished: Vec<_> = before.map(|neighbor| f64::from(rows[neighbor])).collect();
                let own = f64::from(rows[&(column, slot)]);
                if wished.is_empty() { own } else { wished.iter().sum::<f64>() / wished.len() as f64 }
            };
            slots[column].sort_by(|left, right| wish(*left).total_cmp(&wish(*right)));
            rows = self::rows(&slots);
        }
    }
    rows
}

/// Stacks the slots of each column, and centers the columns.
fn rows(slots: &[Vec<Slot>]) -> Rows {
    let height = |column: &[Slot]| column.iter().map(|slot| slot.height() + GAP).sum::<i32>() - GAP;
    let tallest = slots.iter().map(|column| height(column)).max().unwrap_or_default();
    let mut rows = Rows::new();
    for (column, slots) in slots.iter().enumerate() {
        let mut top = (tallest - height(slots)) / 2;
        for slot in slots {
            rows.insert((column, *slot), top + slot.height() / 2);
            top += slot.height() + GAP;
        }
    }
    rows
}

fn draw(graph: &Graph, used: &[Column], chains: &[Vec<(usize, Slot)>], rows: &Rows) -> Layout {
    let left = |column: usize| column as i32 * (BOX_WIDTH + COLUMN_GAP);
    let columns: Vec<_> = used.iter().enumerate().map(|(index, column)| (*column, left(index))).collect();
    let mut boxes = vec![Point { x: 0, y: 0 }; graph.nodes.len()];
    for ((column, slot), center) in rows {
        if let Slot::Node(node) = slot {
            boxes[*node] = Point { x: left(*column), y: center - BOX_HEIGHT / 2 };
        }
    }
    let ports = ports(chains, rows);
    let curves = chains.iter().enumerate().map(|(edge, chain)| curve(edge, chain, rows, &ports, left)).collect();
    let height = rows.iter().map(|((_, slot), center)| center + slot.height() / 2).max().unwrap_or_default();
    // Room for a curve around the last column.
    let width = left(used.len()) - COLUMN_GAP.min(left(used.len())) + SIDE;
    Layout { width, height, boxes, curves, columns }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

/// Where each end of each edge touches its box: an edge's index, and whether it is the start.
type Ports = BTreeMap<(usize, bool), i32>;

/// An end of an edge, and the row to which the edge leads from there.
type End = (i32, usize, bool);

/// Distributes the ends of edges over the sides of the boxes, in the order of where they lead.
fn ports(chains: &[Vec<(usize, Slot)>], rows: &Rows) -> Ports {
    let mut ends: BTreeMap<(usize, Slot, Side), Vec<End>> = BTreeMap::new();
    for (edge, chain) in chains.iter().enumerate() {
        for (start, own, next) in [(true, 0, 1), (false, chain.len() - 1, chain.len() - 2)] {
            let side = if chain[next].0 < chain[own].0 { Side::Left } else { Side::Right };
            ends.entry((chain[own].0, chain[own].1, side)).or_default().push((rows[&chain[next]], edge, start));
        }
    }
    let mut ports = Ports::new();
    for ((column, slot, _), mut ends) in ends {
        ends.sort_unstable();
        let (top, count) = (rows[&(column, slot)] - BOX_HEIGHT / 2, ends.len() as i32);
        for (index, (_, edge, start)) in ends.into_iter().enumerate() {
            ports.insert((edge, start), top + BOX_HEIGHT * (index as i32 + 1) / (count + 1));
        }
    }
    ports
}

fn curve(edge: usize, chain: &[(usize, Slot)], rows: &Rows, ports: &Ports, left: impl Fn(usize) -> i32) -> Curve {
    let (first, last) = (chain[0].0, chain[chain.len() - 1].0);
    let (start, end) = (ports[&(edge, true)], ports[&(edge, false)]);
    if first == last {
        let x = left(first) + BOX_WIDTH;
        return Curve::Around(Point { x, y: start }, Point { x, y: end }, SIDE);
    }
    let forward = first < last;
    let (enter, leave) = if forward { (0, BOX_WIDTH) } else { (BOX_WIDTH, 0) };
    let mut points = vec![Point { x: left(first) + leave, y: start }];
    for (column, slot) in &chain[1..chain.len() - 1] {
        let y = rows[&(*column, *slot)];
        points.extend([Point { x: left(*column) + enter, y }, Point { x: left(*column) + leave, y }]);
    }
    points.push(Point { x: left(last) + enter, y: end });
    Curve::Across(points)
}
