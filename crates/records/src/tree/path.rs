//! What a whole trace waited for: its critical path, gone back from its last end to where its root begins.
//!
//! What ended last was waited for, and before that began, what had ended last then. What goes on when its parent has
//! ended (who takes a message, most of all) is waited for with all that follows from it, and the time in which nothing
//! ran is waited before what began next. So the pieces of the path are as long together as the time that it covers.
//! Roots that lack their parents could be parts of anything: they count from where the trace without them ends.

use std::cmp::Reverse;

use super::{Interval, Node, Piece, length};

/// A span whose time is gone back through, or the trace as a whole, which has no place.
struct Way {
    place: Option<usize>,
    /// Where its time begins, as far as it counts.
    start: i64,
    /// Where it ended itself; what goes on behind is of its parts alone.
    end: i64,
    /// The time up to which it is not yet known what was waited for.
    until: i64,
    /// What begins then.
    next: Option<usize>,
    /// Its parts, by the ends up to which they may be waited for.
    left: Vec<(Interval, usize)>,
}

/// The tree, as a path is looked for in it.
struct Tree<'a> {
    spans: &'a [Interval],
    children: &'a [Vec<usize>],
    /// When each span and all that follows from it had ended.
    ends: Vec<i64>,
}

/// Finds the path: sets how long each span was waited for, and how long before it began.
pub(super) fn follow(
    pieces: &[Piece],
    spans: &[Interval],
    children: &[Vec<usize>],
    order: &[usize],
    nodes: &mut [Node],
) {
    let mut ends: Vec<i64> = spans.iter().map(|(_, end)| *end).collect();
    // Parts stand behind what they are parts of.
    for place in order.iter().rev() {
        if let Some(parent) = nodes[*place].parent {
            ends[parent] = ends[parent].max(ends[*place]);
        }
    }
    let tree = Tree { spans, children, ends };
    let roots: Vec<usize> = (0..nodes.len()).filter(|place| nodes[*place].parent.is_none()).collect();
    let Some(whole) = tree.whole(pieces, &roots) else { return };
    let mut ways = vec![whole];
    while let Some(mut at) = ways.pop() {
        let Some(((start, end), place)) = at.left.pop() else {
            at.leave(at.start, nodes);
            continue;
        };
        // Roots whose parents are not known share the time; of parts of one span, what went on when another one began
        // that was waited for, was not waited for itself.
        let to = if at.place.is_none() { end.min(at.until) } else { end };
        let counts = to <= at.until && (start < to || (start == end && end == to));
        let inner = counts.then(|| {
            at.leave(to, nodes);
            tree.way(place, (start, to), at.next)
        });
        if inner.is_some() {
            (at.until, at.next) = (start, Some(place));
        }
        ways.push(at);
        ways.extend(inner);
    }
}

impl Way {
    /// Goes back to a time: what lies between was the span's own, as long as it ran.
    fn leave(&self, to: i64, nodes: &mut [Node]) {
        if let Some(place) = self.place {
            nodes[place].critical += length((to, self.until.min(self.end)));
        }
        if let Some(next) = self.next {
            nodes[next].waiting += length((to.max(self.end), self.until));
        }
    }
}

impl Tree<'_> {
    /// The trace as a whole: its root, the first of them if there are several, and what has lost its parents behind it;
    /// or these alone.
    fn whole(&self, pieces: &[Piece], roots: &[usize]) -> Option<Way> {
        let first = |place: &usize| (self.spans[*place].0, Reverse(self.ends[*place]), *place);
        let complete =
            roots.iter().copied().filter(|place| pieces[*place].parent.is_none()).min_by_key(first);
        let start = complete.or_else(|| roots.iter().copied().min_by_key(first))?;
        let start = self.spans[start].0;
        let connected = complete.map_or(start, |root| self.ends[root]);
        let count_from = |place: usize| if complete == Some(place) { start } else { connected };
        let mut left: Vec<(Interval, usize)> = roots
            .iter()
            .map(|place| ((self.spans[*place].0.max(count_from(*place)), self.ends[*place]), *place))
            .filter(|((start, end), _)| start <= end)
            .collect();
        sort(&mut left);
        let until = left.last().map_or(start, |((_, end), _)| *end);
        Some(Way { place: None, start, end: start, until, next: None, left })
    }

    /// A span, in the time in which it is waited for.
    fn way(&self, place: usize, (start, until): Interval, next: Option<usize>) -> Way {
        let mut left = Vec::with_capacity(self.children[place].len());
        for child in &self.children[place] {
            let (begin, own) = self.spans[*child];
            let begin = begin.max(start);
            // With all that follows from it, or, if that goes on for too long, alone.
            let whole = self.ends[*child];
            if whole <= until && own < whole && begin < whole {
                left.push(((begin, whole), *child));
            }
            let own = own.min(until);
            // A moment may be what ends last.
            if begin < own || (begin == own && own == whole) {
                left.push(((begin, own), *child));
            }
        }
        sort(&mut left);
        let end = self.spans[place].1.clamp(start, until);
        Way { place: Some(place), start, end, until, next, left }
    }
}

/// By their ends; of those that end together the first is the last one.
fn sort(parts: &mut [(Interval, usize)]) {
    parts.sort_by_key(|((_, end), place)| (*end, Reverse(*place)));
}
