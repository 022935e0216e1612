//! The tree of a trace: whose part each span is, what time was its own, and which spans the whole waited for.
//!
//! Traces come from many clocks and may lack spans. A span whose parent is not there is a root; spans that are parts of
//! one another in a circle are cut apart where the earliest of them begins. A span of another process that lies outside
//! of its parent, though it would fit in, is taken to be of a clock that goes wrong, and is moved into its middle
//! with all that its process did in it, as Jaeger does; but not what takes a message, which may well begin when its
//! sender has ended. That is moved only if it begins before its parent. Pure, and safe from traces of any depth.

mod path;

use std::collections::{HashMap, VecDeque};

use model::event::SpanKind;

/// A span, as far as its place and its time go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Its id.
    pub id: String,
    /// The span that it is a part of.
    pub parent: Option<String>,
    /// When it began, in nanoseconds.
    pub start: i64,
    /// How long it took, in nanoseconds.
    pub duration: u64,
    /// Whose clock it has: spans of one process have the same.
    pub clock: String,
    /// Which side of an operation it shows: who takes a message is not waited for by who sent it.
    pub kind: SpanKind,
}

/// What is known of a span from its trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The place of the span that it is a part of.
    pub parent: Option<usize>,
    /// How many spans it is within.
    pub depth: usize,
    /// Whether it names a parent that is not there.
    pub is_orphan: bool,
    /// Whether it was cut off a circle.
    pub is_cut: bool,
    /// By how much its clock is taken to be wrong: add this to its time, in nanoseconds.
    pub skew: i64,
    /// The part of its time in which none of its parts ran, in nanoseconds.
    pub own: u64,
    /// The part of its time that the whole trace waited for it and for none of its parts, in nanoseconds: the critical
    /// path. Of a span that nobody waited for it is 0.
    pub critical: u64,
    /// How long the whole trace waited for it to begin, while nothing that is known of ran, in nanoseconds: in a queue,
    /// mostly. The whole path is as long as this and `critical` of all spans together.
    pub waiting: u64,
}

/// A time from and to, in nanoseconds.
type Interval = (i64, i64);

/// The tree of the spans of one trace: a node for each, in the same order.
pub fn analyse(pieces: &[Piece]) -> Vec<Node> {
    let mut nodes = vec![Node::default(); pieces.len()];
    link(pieces, &mut nodes);
    let children = children(pieces, &nodes);
    let order = in_order(&mut nodes, &children);
    let spans = straightened(pieces, &mut nodes, &order);
    for place in 0..nodes.len() {
        let (start, end) = spans[place];
        let parts = children[place].iter().map(|child| spans[*child]);
        nodes[place].own = length((start, end)) - covered((start, end), parts);
    }
    path::follow(pieces, &spans, &children, &order, &mut nodes);
    nodes
}

/// Finds the parents, and cuts circles.
fn link(pieces: &[Piece], nodes: &mut [Node]) {
    // Of several with one id (some libraries give a call's two sides one), the first is the parent of others.
    let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(pieces.len());
    for (place, piece) in pieces.iter().enumerate() {
        by_id.entry(&piece.id).or_insert(place);
    }
    for (place, piece) in pieces.iter().enumerate() {
        let Some(parent) = piece.parent.as_deref() else { continue };
        match by_id.get(parent) {
            Some(parent) if *parent != place => nodes[place].parent = Some(*parent),
            Some(_) => nodes[place].is_cut = true,
            None => nodes[place].is_orphan = true,
        }
    }
    for place in circles(nodes, pieces) {
        nodes[place].parent = None;
        nodes[place].is_cut = true;
    }
}

/// Of each circle the span that begins first.
fn circles(nodes: &[Node], pieces: &[Piece]) -> Vec<usize> {
    // On which way each was seen, by where that began.
    let mut seen: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut cuts = Vec::new();
    for begin in 0..nodes.len() {
        let mut at = begin;
        while seen[at].is_none() {
            seen[at] = Some(begin);
            match nodes[at].parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        // The way has come back to itself.
        if nodes[at].parent.is_some() && seen[at] == Some(begin) {
            let (mut earliest, mut next) = (at, nodes[at].parent);
            while let Some(place) = next.filter(|place| *place != at) {
                if (pieces[place].start, place) < (pieces[earliest].start, earliest) {
                    earliest = place;
                }
                next = nodes[place].parent;
            }
            cuts.push(earliest);
        }
    }
    cuts
}

/// The parts of each span, by when they begin.
fn children(pieces: &[Piece], nodes: &[Node]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        if let Some(parent) = node.parent {
            children[parent].push(place);
        }
    }
    for places in &mut children {
        places.sort_by_key(|place| (pieces[*place].start, *place));
    }
    children
}

/// All spans, each behind what it is a part of; sets their depths.
fn in_order(nodes: &mut [Node], children: &[Vec<usize>]) -> Vec<usize> {
    let roots = (0..nodes.len()).filter(|place| nodes[*place].parent.is_none());
    let mut waiting: VecDeque<usize> = roots.collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(place) = waiting.pop_front() {
        for child in &children[place] {
            nodes[*child].depth = nodes[place].depth + 1;
            waiting.push_back(*child);
        }
        order.push(place);
    }
    order
}

/// When each span ran, once wrong clocks are set right.
fn straightened(pieces: &[Piece], nodes: &mut [Node], order: &[usize]) -> Vec<Interval> {
    let mut spans: Vec<Interval> = vec![(0, 0); pieces.len()];
    for place in order {
        let piece = &pieces[*place];
        let duration = i64::try_from(piece.duration).unwrap_or(i64::MAX);
        let parent = nodes[*place].parent;
        let skew = match parent {
            Some(parent) if pieces[parent].clock == piece.clock => nodes[parent].skew,
            Some(parent) => {
                let child = (piece.start, piece.start.saturating_add(duration));
                if is_by_message(pieces[parent].kind, piece.kind) {
                    late_enough(spans[parent], child)
                } else {
                    skew(spans[parent], child)
                }
            }
            None => 0,
        };
        nodes[*place].skew = skew;
        let start = piece.start.saturating_add(skew);
        spans[*place] = (start, start.saturating_add(duration));
    }
    spans
}

/// By how much a span is moved to lie within its parent: not at all, if it lies there or is too long for it.
fn skew(parent: Interval, child: Interval) -> i64 {
    let lies_within = parent.0 <= child.0 && child.1 <= parent.1;
    let spare = length(parent).checked_sub(length(child));
    match spare {
        Some(spare) if !lies_within => {
            let delay = i64::try_from(spare / 2).unwrap_or(0);
            parent.0.saturating_add(delay).saturating_sub(child.0)
        }
        _ => 0,
    }
}

/// Whether a span came by a message that the other one sent.
fn is_by_message(parent: SpanKind, child: SpanKind) -> bool {
    parent == SpanKind::Producer || child == SpanKind::Consumer
}

/// By how much a span is moved not to begin before its parent.
fn late_enough(parent: Interval, child: Interval) -> i64 {
    parent.0.saturating_sub(child.0).max(0)
}

fn length((start, end): Interval) -> u64 {
    u64::try_from(i128::from(end) - i128::from(start)).unwrap_or(0)
}

/// How much of a span's time is covered by its parts, which come by when they begin, more or less.
fn covered(span: Interval, parts: impl Iterator<Item = Interval>) -> u64 {
    let within = |(start, end): Interval| (start.max(span.0), end.min(span.1));
    let mut parts: Vec<Interval> = parts.map(within).filter(|(start, end)| start < end).collect();
    parts.sort_unstable();
    let (mut sum, mut until) = (0, i64::MIN);
    for (start, end) in parts {
        let start = start.max(until);
        sum += length((start, end));
        until = until.max(end);
    }
    sum
}

#[cfg(test)]
mod tests;
