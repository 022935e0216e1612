//! The tree of a trace: whose part each span is, what time was its own, and which spans the whole waited for.
//!
//! Traces come from many clocks and may lack spans. A span whose parent is not there is a root; spans that are parts of
//! one another in a circle are cut apart where the earliest of them begins. A span of another process that lies outside
//! of its parent, though it would fit in, is taken to be of a clock that goes wrong, and is moved into its middle
//! with all that its process did in it, as Jaeger does. Pure, and safe from traces of any depth.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

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
    // What a trace waits for is what its longest root waits for: others only have lost their parents.
    let root = (0..nodes.len())
        .filter(|place| nodes[*place].parent.is_none())
        .max_by_key(|place| (length(spans[*place]), Reverse(*place)));
    if let Some(root) = root {
        follow(root, &spans, &children, &mut nodes);
    }
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
            Some(parent) => skew(spans[parent], (piece.start, piece.start.saturating_add(duration))),
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

/// A span whose time is gone back through.
struct Way {
    place: usize,
    /// Where its time begins, as far as it counts.
    start: i64,
    /// The time up to which it is not yet known what was waited for.
    until: i64,
    /// Its parts as far as they lie within, by when they end.
    left: Vec<(Interval, usize)>,
}

/// Goes back from a root's end: what ended last was what was waited for, and before it began, what had ended last then.
fn follow(root: usize, spans: &[Interval], children: &[Vec<usize>], nodes: &mut [Node]) {
    let way = |place: usize, (start, until): Interval| {
        let within = |child: &usize| ((spans[*child].0.max(start), spans[*child].1.min(until)), *child);
        let mut left: Vec<(Interval, usize)> = children[place].iter().map(within).collect();
        left.retain(|((start, end), _)| start < end);
        left.sort_by_key(|((_, end), child)| (*end, Reverse(*child)));
        Way { place, start, until, left }
    };
    let mut ways = vec![way(root, spans[root])];
    while let Some(mut at) = ways.pop() {
        let Some(((start, end), child)) = at.left.pop() else {
            nodes[at.place].critical += length((at.start, at.until));
            continue;
        };
        // What went on when another one began that was waited for, was not waited for itself.
        let inner = (end <= at.until).then(|| way(child, (start, end)));
        if inner.is_some() {
            nodes[at.place].critical += length((end, at.until));
            at.until = start;
        }
        ways.push(at);
        ways.extend(inner);
    }
}

#[cfg(test)]
mod tests;
