//! Selectors and their time modifiers.

use std::error::Error as _;

use model::Labels;
use model::labels::METRIC_NAME;
use store::{MatchOp, Matcher};

use super::Translator;
use crate::Error;
use crate::plan::{At, Expr, RangeExpr, Selector, Shift, VectorExpr};
use crate::syntax;

impl Translator<'_> {
    pub(super) fn selector(&mut self, start: usize, tree: syntax::Selector) -> Result<Expr, Error> {
        let mut matchers = Vec::with_capacity(tree.matchers.len() + 1);
        matchers.extend(tree.name.map(|name| Matcher::equal(METRIC_NAME, name)));
        for matcher in tree.matchers {
            matchers.push(self.matcher(&matcher)?);
        }
        if matchers.iter().all(Matcher::matches_absent) {
            let message = r#"vector selector must contain at least one non-empty matcher: for example `{__name__=~".+"}`"#;
            return Err(self.error(start, message));
        }
        if let Some(extension) = tree.extension {
            let message = format!("{} modifier is experimental and not enabled", extension.name());
            self.note_experimental(start, &message);
        }
        self.selectors.push(matchers.clone());
        let shift = self.shift(start, &tree.shift)?;
        let (place, extension) = (self.place(start), tree.extension);
        let selector = Selector { place, matchers, shift, values: None, finds_resets: false, extension };
        match tree.range {
            None => Ok(Expr::Vector(VectorExpr::Selector(selector))),
            Some(range) => {
                let range_ms = self.positive_milliseconds(start, &range)?;
                Ok(Expr::Range(RangeExpr::Selector { selector, range_ms }))
            }
        }
    }

    pub(super) fn matcher(&mut self, tree: &syntax::Matcher) -> Result<Matcher, Error> {
        if matches!(tree.op, MatchOp::Regex | MatchOp::NotRegex) {
            self.count_pattern(tree.start)?;
        }
        let made = Matcher::new(tree.name.as_str(), tree.op, tree.value.as_str());
        // The cause alone, as in Prometheus: the place says of which matcher.
        made.map_err(|error| {
            let message = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            self.error(tree.start, &message)
        })
    }

    pub(super) fn shift(&mut self, start: usize, tree: &syntax::Shift) -> Result<Shift, Error> {
        let offset_ms = match &tree.offset {
            Some(offset) => self.milliseconds(start, offset)?,
            None => 0,
        };
        let at = match tree.at {
            None => None,
            Some(syntax::At::Start) => Some(At::QueryStart),
            Some(syntax::At::End) => Some(At::QueryEnd),
            // The parser has looked that it is within bounds.
            Some(syntax::At::Time(seconds)) => Some(At::Time((seconds * 1000.0).round() as i64)),
        };
        Ok(Shift { at, offset_ms })
    }
}

/// Tells selectors under a function that looks at no buckets to find resets out. An operator between them is in the way,
/// as in Prometheus: whether it warns of resets that contradict each other depends on this.
pub(super) fn find_resets(input: &mut VectorExpr) {
    match input {
        VectorExpr::Selector(selector) => selector.finds_resets = true,
        VectorExpr::OverTime(over_time) => {
            if let RangeExpr::Selector { selector, .. } = &mut over_time.range {
                selector.finds_resets = true;
            }
        }
        VectorExpr::Map { input, .. }
        | VectorExpr::Relabel { input, .. }
        | VectorExpr::Sort { input, .. } => {
            find_resets(input);
        }
        VectorExpr::Aggregate(aggregate) => find_resets(&mut aggregate.input),
        VectorExpr::Fixed(input) => find_resets(input),
        VectorExpr::Shared(shared) => find_resets(&mut shared.input),
        VectorExpr::Watched(watched) => find_resets(&mut watched.input),
        _ => {}
    }
}

/// The labels that `absent` gives: those that the selector demands to be equal to one value.
pub(super) fn labels_of_absent(input: &VectorExpr) -> Labels {
    match input.bare() {
        VectorExpr::Selector(selector) => demanded(selector),
        _ => Labels::empty(),
    }
}

/// As [`labels_of_absent`], for `absent_over_time`.
pub(super) fn labels_of_absent_range(range: &RangeExpr) -> Labels {
    match range {
        RangeExpr::Selector { selector, .. } => demanded(selector),
        RangeExpr::Subquery { .. } => Labels::empty(),
    }
}

/// A label whose last matcher demands a value, and is the only one that does. What stands before it does not count,
/// as in Prometheus.
fn demanded(selector: &Selector) -> Labels {
    let named = || selector.matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME).enumerate();
    let is_contested = |place: usize, matcher: &Matcher| {
        named().any(|(other_place, other)| {
            let counts = other_place > place || (other_place < place && other.op() == MatchOp::Equal);
            counts && other.name() == matcher.name()
        })
    };
    Labels::from_pairs(
        named()
            .filter(|(place, matcher)| matcher.op() == MatchOp::Equal && !is_contested(*place, matcher))
            .map(|(_, matcher)| (matcher.name(), matcher.value())),
    )
}
