//! What is said about parts of a query before they get a meaning: which occur more than once, which are the same at
//! every step, and, where a plan is to be shown, what each part does.
//!
//! All of it is read off the tree. Parts are the same when they are written the same, spaces, parentheses around
//! them and the order of matchers aside.

use std::collections::HashMap;

use crate::format::line::{self, Line as _};
use crate::syntax::{Grouping, Node, Subquery, Tree};

/// In longer queries nothing is looked for that occurs more than once: each part is compared as a text.
const MAX_BYTES: usize = 16 << 10;

/// Parts that occur more than once, by their texts and the subqueries that they lie in.
#[derive(Default)]
pub(super) struct Repeats {
    counts: HashMap<String, Repeat>,
}

/// A part that occurs more than once.
#[derive(Clone, Copy)]
pub(super) struct Repeat {
    pub(super) id: usize,
    pub(super) count: usize,
}

impl Repeats {
    pub(super) fn of(text: &str, tree: &Tree) -> Self {
        let mut counts = HashMap::new();
        if text.len() <= MAX_BYTES {
            count(tree, "", &mut counts);
        }
        counts.retain(|_, repeat: &mut Repeat| repeat.count > 1);
        Self { counts }
    }

    /// The part, if it occurs more than once.
    pub(super) fn get(&self, tree: &Tree, place: &str) -> Option<Repeat> {
        if self.counts.is_empty() || !can_be_shared(tree) {
            return None;
        }
        self.counts.get(&key(tree, place)).copied()
    }
}

fn key(tree: &Tree, place: &str) -> String {
    format!("{}\0{place}", tree.line())
}

/// Parts in other subqueries are evaluated at other times.
pub(super) fn inside(place: &str, subquery: &Subquery) -> String {
    format!("{}{place}", line::suffix(subquery))
}

fn count(tree: &Tree, place: &str, counts: &mut HashMap<String, Repeat>) {
    if can_be_shared(tree) {
        let id = counts.len();
        counts.entry(key(tree, place)).or_insert(Repeat { id, count: 0 }).count += 1;
    }
    match &tree.node {
        Node::Subquery(subquery) => count(&subquery.input, &inside(place, subquery), counts),
        _ => each_child(tree, &mut |child| count(child, place, counts)),
    }
}

/// Whether it reads samples and gives a vector.
fn can_be_shared(tree: &Tree) -> bool {
    match &tree.node {
        Node::Paren(_) | Node::Subquery(_) => false,
        Node::Selector(selector) => selector.range.is_none(),
        _ => has_selector(tree) && !line::is_scalar(tree),
    }
}

fn each_child<'t>(tree: &'t Tree, each: &mut dyn FnMut(&'t Tree)) {
    match &tree.node {
        Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::NotUtf8(_) | Node::Selector(_) => {}
        Node::Subquery(subquery) => each(&subquery.input),
        Node::Paren(input) | Node::Sign { input, .. } => each(input),
        Node::Binary(binary) => {
            each(&binary.left);
            each(&binary.right);
        }
        Node::Aggregate(aggregate) => aggregate.arguments.iter().for_each(each),
        Node::Call(call) => call.arguments.iter().for_each(each),
    }
}

/// Whether any sample is read for it.
fn has_selector(tree: &Tree) -> bool {
    if matches!(tree.node, Node::Selector(_)) {
        return true;
    }
    let mut found = false;
    each_child(tree, &mut |child| found = found || has_selector(child));
    found
}

/// Whether a part reads samples, and the same at every step: those of times that `@` fixes.
pub(super) fn is_fixed(tree: &Tree) -> bool {
    has_selector(tree) && never_moves(tree)
}

fn never_moves(tree: &Tree) -> bool {
    match &tree.node {
        Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::NotUtf8(_) => true,
        Node::Selector(selector) => selector.shift.at.is_some(),
        Node::Subquery(subquery) => subquery.shift.at.is_some(),
        Node::Call(call) => {
            let looks_at_step = match call.name.as_str() {
                // What `info` adds is looked up at the step.
                "time" | "timestamp" | "predict_linear" | "info" => true,
                // Without an argument these are of the time of the step.
                _ => {
                    call.arguments.is_empty()
                        && !matches!(call.name.as_str(), "pi" | "start" | "end" | "step" | "range")
                }
            };
            !looks_at_step && call.arguments.iter().all(never_moves)
        }
        Node::Paren(_) | Node::Sign { .. } | Node::Binary(_) | Node::Aggregate(_) => {
            let mut moves = false;
            each_child(tree, &mut |child| moves = moves || !never_moves(child));
            !moves
        }
    }
}

/// What a part does, in one line. What it does it to stands in lines of its own, so vectors within are left out.
pub(super) fn described(tree: &Tree) -> String {
    match &tree.node {
        Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::NotUtf8(_) | Node::Selector(_) => {
            tree.line()
        }
        Node::Subquery(subquery) => format!("…{}", line::suffix(subquery)),
        Node::Paren(input) => described(input),
        Node::Sign { negative, .. } => if *negative { "- …" } else { "+ …" }.to_owned(),
        Node::Binary(binary) => {
            format!("{} {} {}", operand(&binary.left), line::operator(binary), operand(&binary.right))
        }
        Node::Aggregate(aggregate) => {
            let by = match &aggregate.grouping {
                Some(Grouping::By(_) | Grouping::Without(_)) => line::aggregator(aggregate),
                None => aggregate.aggregator.name().to_owned(),
            };
            format!("{by}({})", operands(&aggregate.arguments))
        }
        // What these are given is looked at as it is written.
        Node::Call(call) if matches!(call.name.as_str(), "timestamp" | "info") => {
            let is_looked_at = |number: usize, argument: &Tree| {
                matches!(argument.node, Node::Selector(_)) && (number > 0 || call.name == "timestamp")
            };
            let arguments = call.arguments.iter().enumerate().map(|(number, argument)| {
                if is_looked_at(number, argument) { argument.line() } else { operand(argument) }
            });
            format!("{}({})", call.name, arguments.collect::<Vec<_>>().join(", "))
        }
        Node::Call(call) => format!("{}({})", call.name, operands(&call.arguments)),
    }
}

fn operands(trees: &[Tree]) -> String {
    trees.iter().map(operand).collect::<Vec<_>>().join(", ")
}

fn operand(tree: &Tree) -> String {
    match &tree.node {
        Node::Selector(selector) if selector.range.is_some() => tree.line(),
        Node::Subquery(_) => described(tree),
        _ if !has_selector(tree) => tree.line(),
        _ => "…".to_owned(),
    }
}
