//! From the tree to the typed plan: what is written gets a meaning, or an error that says where it has none.

mod calls;
pub(crate) mod functions;
mod info;
mod operators;
mod parts;
mod selectors;

use store::Matcher;

use crate::Error;
use crate::notes::Place;
use crate::outline::{Open, Outline};
use crate::plan::{Expr, Map, RangeExpr, ScalarExpr, Shared, VectorExpr, Watched};
use crate::span::{NoSpan, QuerySpans, Span};
use crate::syntax::{self, Node, Subquery, Tree};

use parts::Repeats;

/// How many patterns one query may have: each takes up to a mebibyte once it is compiled.
const MAX_PATTERNS: usize = 200;

/// A query's plan.
pub(crate) struct Translated {
    pub(crate) plan: Expr,
    /// Whether durations in it stand for others: those that depend on the whole query.
    pub(crate) is_open: bool,
    /// What to say of the first experimental part, where those are not wanted.
    pub(crate) experimental: Option<String>,
    /// The matchers of each selector in it.
    pub(crate) selectors: Vec<Vec<Matcher>>,
}

/// Gives a tree its meaning. Where nothing is known of the whole query, durations that depend on it are taken for a
/// millisecond.
pub(crate) fn translate(text: &str, tree: Tree, query: Option<QuerySpans>) -> Result<Translated, Error> {
    translate_outlined(text, tree, query, Outline::default()).map(|(translated, _)| translated)
}

/// The same, with an outline of the plan that says what each part does; what is measured of a part has its number.
pub(crate) fn translate_watched(
    text: &str,
    tree: Tree,
    query: Option<QuerySpans>,
) -> Result<(Translated, Outline), Error> {
    translate_outlined(text, tree, query, Outline::wanted())
}

fn translate_outlined(
    text: &str,
    tree: Tree,
    query: Option<QuerySpans>,
    outline: Outline,
) -> Result<(Translated, Outline), Error> {
    let mut translator = Translator {
        text,
        query,
        patterns: 0,
        is_open: false,
        experimental: None,
        selectors: Vec::new(),
        repeats: Repeats::of(text, &tree),
        place: String::new(),
        often: 1,
        has_fixed: text.contains('@'),
        outline,
    };
    let plan = translator.expr(tree)?;
    let Translator { is_open, experimental, selectors, outline, .. } = translator;
    Ok((Translated { plan, is_open, experimental, selectors }, outline))
}

/// Walks the tree.
struct Translator<'a> {
    text: &'a str,
    query: Option<QuerySpans>,
    patterns: usize,
    is_open: bool,
    experimental: Option<String>,
    selectors: Vec<Vec<Matcher>>,
    repeats: Repeats,
    /// The subqueries around what is translated.
    place: String,
    /// How often the part around it occurs.
    often: usize,
    /// Whether parts may be the same at every step that lie in none that is.
    has_fixed: bool,
    outline: Outline,
}

/// What is known of a part while it gets its meaning.
#[derive(Clone, Copy)]
struct Around {
    /// How often the part around it occurs.
    often: usize,
    shared: Option<usize>,
    is_fixed: bool,
    open: Option<Open>,
}

impl Translator<'_> {
    /// Takes note of something that Prometheus has behind a flag.
    fn note_experimental(&mut self, start: usize, message: &str) {
        if self.experimental.is_none() {
            let told = self.error(start, &format!("{message} (set promql.experimental to have it)"));
            self.experimental = Some(told.to_string());
        }
    }

    fn error(&self, start: usize, message: &str) -> Error {
        syntax::error_at(self.text, start, message)
    }

    fn place(&self, start: usize) -> Place {
        Place::of(self.text, start)
    }

    fn expr(&mut self, tree: Tree) -> Result<Expr, Error> {
        let (start, around) = (tree.start, self.enter(&tree));
        let expr = match tree.node {
            Node::Paren(inner) => self.expr(*inner),
            Node::Number(value) | Node::Duration(value) => Ok(Expr::Scalar(ScalarExpr::Number(value))),
            Node::Text(text) => Ok(Expr::Text(text)),
            Node::NotUtf8(_) => Err(self.error(start, syntax::NOT_UTF8)),
            Node::Selector(selector) => self.selector(start, *selector),
            Node::Subquery(subquery) => self.subquery(start, *subquery),
            Node::Sign { negative, input } => self.sign(start, negative, *input),
            Node::Binary(binary) => self.binary(start, *binary),
            Node::Aggregate(aggregate) => self.aggregate(start, *aggregate),
            Node::Call(call) => self.call(start, call),
        };
        match around {
            None => expr,
            Some(around) => self.leave(around, expr),
        }
    }

    /// Takes note of what is known of a part before it gets its meaning; nothing of parentheses.
    fn enter(&mut self, tree: &Tree) -> Option<Around> {
        if matches!(tree.node, Node::Paren(_)) {
            return None;
        }
        // Of parts that occur equally often only the outermost is shared.
        let often = self.often;
        let repeat = self.repeats.get(tree, &self.place).filter(|repeat| repeat.count > often);
        let is_selector = matches!(tree.node, Node::Selector(_));
        let is_fixed = self.has_fixed && !is_selector && parts::is_fixed(tree);
        self.often = repeat.map_or(often, |repeat| repeat.count);
        self.has_fixed &= !is_fixed;
        let open = self.outline.begin(|| parts::described(tree));
        Some(Around { often, shared: repeat.map(|repeat| repeat.id), is_fixed, open })
    }

    /// Makes a part what it is known to be.
    fn leave(&mut self, around: Around, expr: Result<Expr, Error>) -> Result<Expr, Error> {
        self.often = around.often;
        self.has_fixed |= around.is_fixed;
        let mut vector = match expr {
            Ok(Expr::Vector(vector)) => vector,
            other => {
                self.outline.dissolve(around.open);
                return other;
            }
        };
        if around.is_fixed {
            vector = VectorExpr::Fixed(Box::new(vector));
        }
        if let Some(id) = around.shared {
            vector = VectorExpr::Shared(Box::new(Shared { id, input: vector }));
        }
        if let Some(part) = self.outline.end(around.open, around.is_fixed, around.shared) {
            vector = VectorExpr::Watched(Box::new(Watched { part, input: vector }));
        }
        Ok(Expr::Vector(vector))
    }

    /// Takes note of a pattern.
    fn count_pattern(&mut self, start: usize) -> Result<(), Error> {
        self.patterns += 1;
        match self.patterns > MAX_PATTERNS {
            true => {
                Err(self.error(start, &format!("the query has more than {MAX_PATTERNS} patterns; split it")))
            }
            false => Ok(()),
        }
    }

    fn scalar(&mut self, tree: Tree, context: &str) -> Result<ScalarExpr, Error> {
        let start = tree.start;
        match self.expr(tree)? {
            Expr::Scalar(scalar) => Ok(scalar),
            other => Err(self.mismatch(start, "scalar", context, &other)),
        }
    }

    fn vector(&mut self, tree: Tree, context: &str) -> Result<VectorExpr, Error> {
        let start = tree.start;
        match self.expr(tree)? {
            Expr::Vector(vector) => Ok(vector),
            other => Err(self.mismatch(start, "instant vector", context, &other)),
        }
    }

    fn range(&mut self, tree: Tree, context: &str) -> Result<RangeExpr, Error> {
        let start = tree.start;
        match self.expr(tree)? {
            Expr::Range(range) => Ok(range),
            other => Err(self.mismatch(start, "range vector", context, &other)),
        }
    }

    fn text(&mut self, tree: Tree, context: &str) -> Result<String, Error> {
        let start = tree.start;
        match self.expr(tree)? {
            Expr::Text(text) => Ok(text),
            other => Err(self.mismatch(start, "string", context, &other)),
        }
    }

    fn mismatch(&self, start: usize, expected: &str, context: &str, found: &Expr) -> Error {
        self.error(start, &format!("expected type {expected} in {context}, got {}", kind_of(found)))
    }

    fn sign(&mut self, start: usize, negative: bool, input: Tree) -> Result<Expr, Error> {
        match (self.expr(input)?, negative) {
            (input @ (Expr::Scalar(_) | Expr::Vector(_)), false) => Ok(input),
            (Expr::Scalar(scalar), true) => Ok(Expr::Scalar(folded(ScalarExpr::Negate(Box::new(scalar))))),
            (Expr::Vector(input), true) => {
                Ok(Expr::Vector(VectorExpr::Map { function: Map::Negate, input: Box::new(input) }))
            }
            (other, _) => {
                let message = format!(
                    "unary expression only allowed on expressions of type scalar or instant vector, got {:?}",
                    kind_of(&other)
                );
                Err(self.error(start, &message))
            }
        }
    }

    fn subquery(&mut self, start: usize, subquery: Subquery) -> Result<Expr, Error> {
        let shift = self.shift(start, &subquery.shift)?;
        let place = parts::inside(&self.place, &subquery);
        let place = std::mem::replace(&mut self.place, place);
        // The times of what lies within are the subquery's.
        let has_fixed = std::mem::replace(&mut self.has_fixed, self.text.contains('@'));
        let input = self.expr(subquery.input)?;
        self.place = place;
        self.has_fixed = has_fixed;
        let input = match input {
            Expr::Vector(vector) => vector,
            other => {
                let found = match other {
                    Expr::Scalar(_) => "scalar",
                    Expr::Vector(_) => "vector",
                    Expr::Range(_) => "matrix",
                    Expr::Text(_) => "string",
                };
                let message = format!("subquery is only allowed on instant vector, got {found} instead");
                return Err(self.error(start, &message));
            }
        };
        Ok(Expr::Range(RangeExpr::Subquery {
            input: Box::new(input),
            range_ms: self.positive_milliseconds(start, &subquery.range)?,
            step_ms: subquery.step.map(|step| self.positive_milliseconds(start, &step)).transpose()?,
            shift,
        }))
    }

    fn milliseconds(&mut self, start: usize, span: &Span) -> Result<i64, Error> {
        if !span.is_literal() {
            self.note_experimental(start, "experimental duration expression is not enabled");
        }
        match span.milliseconds(self.query) {
            Ok(millis) => Ok(millis),
            Err(NoSpan::Open) => {
                self.is_open = true;
                Ok(1)
            }
            Err(none) => Err(self.error(start, none.text())),
        }
    }

    fn positive_milliseconds(&mut self, start: usize, span: &Span) -> Result<i64, Error> {
        match self.milliseconds(start, span)? {
            millis @ 1.. => Ok(millis),
            _ => Err(self.error(start, "duration must be greater than 0")),
        }
    }
}

/// What kind of value an expression has, as Prometheus calls it.
fn kind_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::Scalar(_) => "scalar",
        Expr::Vector(_) => "instant vector",
        Expr::Range(_) => "range vector",
        Expr::Text(_) => "string",
    }
}

/// The number that a calculation of numbers gives; the calculation itself where it needs more than them.
fn folded(scalar: ScalarExpr) -> ScalarExpr {
    let number = |scalar: &ScalarExpr| match scalar {
        ScalarExpr::Number(number) => Some(*number),
        _ => None,
    };
    let value = match &scalar {
        ScalarExpr::Negate(input) => number(input).map(|value| -value),
        ScalarExpr::Arithmetic(arithmetic, left, right) => {
            number(left).zip(number(right)).map(|(left, right)| arithmetic.apply(left, right))
        }
        ScalarExpr::Compare(comparison, left, right) => number(left)
            .zip(number(right))
            .map(|(left, right)| f64::from(u8::from(comparison.holds(left, right)))),
        _ => None,
    };
    value.map_or(scalar, ScalarExpr::Number)
}
