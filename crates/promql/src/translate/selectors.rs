//! Selectors and their time modifiers.

use std::error::Error as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Labels;
use model::labels::METRIC_NAME;
use promql_parser::label::{MatchOp as AstOp, Matcher as AstMatcher};
use promql_parser::parser as ast;
use store::{MatchOp, Matcher};

use crate::Error;
use crate::plan::{At, RangeExpr, Selector, Shift, VectorExpr};

pub(super) fn selector(tree: ast::VectorSelector) -> Result<Selector, Error> {
    if !tree.matchers.or_matchers.is_empty() {
        return Err(Error::Unsupported("`or` between the matchers of a selector".to_owned()));
    }
    let shift = shift(tree.at.as_ref(), tree.offset.as_ref())?;
    let mut matchers = Vec::with_capacity(tree.matchers.matchers.len() + 1);
    matchers.extend(tree.name.map(|name| Matcher::equal(METRIC_NAME, name)));
    for matcher in tree.matchers.matchers {
        matchers.push(self::matcher(matcher)?);
    }
    Ok(Selector { matchers, shift, values: None })
}

fn matcher(tree: AstMatcher) -> Result<Matcher, Error> {
    // The parser has escaped what only Go's expressions allow, such as `a{`; its pattern is taken, freed
    // of the anchors that the store adds itself.
    let pattern = |regex: &regex::Regex| {
        let anchored = regex.as_str();
        anchored.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(anchored).to_owned()
    };
    let (op, value) = match &tree.op {
        AstOp::Equal => (MatchOp::Equal, tree.value),
        AstOp::NotEqual => (MatchOp::NotEqual, tree.value),
        AstOp::Re(regex) => (MatchOp::Regex, pattern(regex)),
        AstOp::NotRe(regex) => (MatchOp::NotRegex, pattern(regex)),
    };
    Matcher::new(tree.name, op, value).map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Error::BadData(format!("{error}{cause}"))
    })
}

pub(super) fn shift(at: Option<&ast::AtModifier>, offset: Option<&ast::Offset>) -> Result<Shift, Error> {
    let offset_ms = match offset {
        None => 0,
        Some(ast::Offset::Pos(duration)) => milliseconds(*duration)?,
        Some(ast::Offset::Neg(duration)) => -milliseconds(*duration)?,
    };
    let at = match at {
        None => None,
        Some(ast::AtModifier::Start) => Some(At::QueryStart),
        Some(ast::AtModifier::End) => Some(At::QueryEnd),
        Some(ast::AtModifier::At(time)) => Some(At::Time(since_epoch(*time)?)),
    };
    Ok(Shift { at, offset_ms })
}

fn since_epoch(time: SystemTime) -> Result<i64, Error> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => milliseconds(after),
        Err(before) => milliseconds(before.duration()).map(|before| -before),
    }
}

/// The longest duration and the farthest time, in milliseconds: so far from the ends of `i64` that sums
/// of a few never overflow.
const MAX_MILLISECONDS: i64 = i64::MAX / 1_000_000;

pub(super) fn milliseconds(duration: Duration) -> Result<i64, Error> {
    i64::try_from(duration.as_millis())
        .ok()
        .filter(|millis| *millis <= MAX_MILLISECONDS)
        .ok_or_else(|| Error::BadData("the query has a duration or time that is out of range".to_owned()))
}

/// The labels that `absent` gives: those that the selector demands to be equal to one value.
pub(super) fn labels_of_absent(input: &VectorExpr) -> Labels {
    match input {
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

fn demanded(selector: &Selector) -> Labels {
    let named = || selector.matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME);
    Labels::from_pairs(
        named()
            .filter(|matcher| matcher.op() == MatchOp::Equal)
            .filter(|matcher| named().filter(|other| other.name() == matcher.name()).count() == 1)
            .map(|matcher| (matcher.name(), matcher.value())),
    )
}
