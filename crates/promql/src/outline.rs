//! The parts of a plan as people are shown them, and what each of them cost.

use serde::Serialize;

use crate::eval::Cost;

/// How deep a plan is shown: readers of JSON have bounds.
const MAX_DEPTH: usize = 50;

/// What a plan does, part by part; empty unless somebody wants it.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    is_wanted: bool,
    parts: Vec<Part>,
    roots: Vec<usize>,
    /// The part that is being translated.
    current: Option<usize>,
}

#[derive(Debug)]
struct Part {
    text: String,
    children: Vec<usize>,
    is_fixed: bool,
    shared: Option<usize>,
}

/// A part that is being translated, and the one around it.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    part: usize,
    outer: Option<usize>,
}

impl Outline {
    pub(crate) fn wanted() -> Self {
        Self { is_wanted: true, ..Self::default() }
    }

    /// A part begins, that `describe` describes.
    pub(crate) fn begin(&mut self, describe: impl FnOnce() -> String) -> Option<Open> {
        if !self.is_wanted {
            return None;
        }
        let open = Open { part: self.parts.len(), outer: self.current };
        self.parts.push(Part { text: describe(), children: Vec::new(), is_fixed: false, shared: None });
        self.current = Some(open.part);
        Some(open)
    }

    /// It ends, and is one; gives its number.
    pub(crate) fn end(&mut self, open: Option<Open>, is_fixed: bool, shared: Option<usize>) -> Option<usize> {
        let open = open?;
        self.current = open.outer;
        self.parts[open.part].is_fixed = is_fixed;
        self.parts[open.part].shared = shared;
        self.siblings(open.outer).push(open.part);
        Some(open.part)
    }

    /// It ends, and is none: what lies in it belongs to what lies around it.
    pub(crate) fn dissolve(&mut self, open: Option<Open>) {
        let Some(open) = open else { return };
        self.current = open.outer;
        let children = std::mem::take(&mut self.parts[open.part].children);
        self.siblings(open.outer).extend(children);
    }

    fn siblings(&mut self, outer: Option<usize>) -> &mut Vec<usize> {
        match outer {
            Some(outer) => &mut self.parts[outer].children,
            None => &mut self.roots,
        }
    }

    /// With what each part cost.
    pub(crate) fn explained(&self, costs: &[Cost]) -> Vec<ExplainedPart> {
        self.roots.iter().map(|root| self.part(*root, costs, 1)).collect()
    }

    fn part(&self, number: usize, costs: &[Cost], depth: usize) -> ExplainedPart {
        let part = &self.parts[number];
        let cost = costs.get(number).copied().unwrap_or_default();
        let children: Vec<usize> = part.children.clone();
        let read_below: u64 =
            children.iter().filter_map(|child| costs.get(*child)).map(|cost| cost.samples_read).sum();
        let is_evaluated = |child: &usize| costs.get(*child).is_some_and(|cost| cost.times > 0);
        let is_taken = part.shared.is_some() && !children.is_empty() && !children.iter().any(is_evaluated);
        let is_cut = depth == MAX_DEPTH && !children.is_empty();
        let is_selector_again = part.shared.is_some() && children.is_empty() && cost.samples_read == 0;
        ExplainedPart {
            text: format!("{}{}", part.text, if is_cut { " (what lies deeper is not shown)" } else { "" }),
            series: cost.series,
            samples: cost.samples,
            samples_read: cost.samples_read.saturating_sub(read_below),
            time_seconds: cost.time.as_secs_f64(),
            once: part.is_fixed,
            shared: cost.times > 0 && (is_taken || is_selector_again),
            // What is taken from an equal part has been told there.
            children: children
                .iter()
                .filter(|child| !is_cut && is_evaluated(child))
                .map(|child| self.part(*child, costs, depth + 1))
                .collect(),
        }
    }
}

/// How a query was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// How many steps it was evaluated at; one of an instant query.
    pub steps: u64,
    /// Series of the answer.
    pub series: u64,
    /// Samples of the answer.
    pub samples: u64,
    /// Samples that were read from the store.
    pub samples_read: u64,
    /// How long all of it took.
    pub time_seconds: f64,
    /// The parts that give vectors; none of a query that only calculates, or only reads a range.
    pub plan: Vec<ExplainedPart>,
    /// What the engine has to say about the answer.
    pub warnings: Vec<String>,
    /// What is worth a look.
    pub infos: Vec<String>,
}

/// One part of a plan and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedPart {
    /// What it does; `…` stands for what the parts below it give.
    pub text: String,
    /// Series that it gave.
    pub series: u64,
    /// Samples that it gave, of all steps.
    pub samples: u64,
    /// Samples that it read from the store itself.
    pub samples_read: u64,
    /// How long it took, with all below it.
    pub time_seconds: f64,
    /// Whether it was evaluated at one step, because it is the same at all.
    pub once: bool,
    /// Whether the result was taken from an equal part that had been evaluated before.
    pub shared: bool,
    /// What it was made of.
    pub children: Vec<ExplainedPart>,
}
