//! From the tree to the typed plan: what is written gets a meaning, or an error that says where it has none.

mod calls;
mod functions;
mod operators;
mod pattern;
mod selectors;

use store::Matcher;

use crate::Error;
use crate::notes::Place;
use crate::plan::{Expr, Map, RangeExpr, ScalarExpr, VectorExpr};
use crate::span::{NoSpan, QuerySpans, Span};
use crate::syntax::{self, Node, Subquery, Tree};

/// How many patterns one query may have: each takes up to a mebibyte once it is compiled.
const MAX_PATTERNS: usize = 200;

/// A query's plan.
pub(crate) struct Translated {
    pub(crate) plan: Expr,
    /// Whether durations in it stand for others: those that depend on the whole query.
    pub(crate) is_open: bool,
    /// The matchers of each selector in it.
    pub(crate) selectors: Vec<Vec<Matcher>>,
}

/// Gives a tree its meaning. Where nothing is known of the whole query, durations that depend on it are taken for a
/// millisecond.
pub(crate) fn translate(text: &str, tree: Tree, query: Option<QuerySpans>) -> Result<Translated, Error> {
    let mut translator = Translator { text, query, patterns: 0, is_open: false, selectors: Vec::new() };
    let plan = translator.expr(tree)?;
    Ok(Translated { plan, is_open: translator.is_open, selectors: translator.selectors })
}

/// Walks the tree.
struct Translator<'a> {
    text: &'a str,
    query: Option<QuerySpans>,
    patterns: usize,
    is_open: bool,
    selectors: Vec<Vec<Matcher>>,
}

impl Translator<'_> {
    fn error(&self, start: usize, message: &str) -> Error {
        syntax::error_at(self.text, start, message)
    }

    fn place(&self, start: usize) -> Place {
        Place::of(self.text, start)
    }

    fn expr(&mut self, tree: Tree) -> Result<Expr, Error> {
        let start = tree.start;
        match tree.node {
            Node::Paren(inner) => self.expr(*inner),
            Node::Number(value) => Ok(Expr::Scalar(ScalarExpr::Number(value))),
            Node::Text(text) => Ok(Expr::Text(text)),
            Node::Selector(selector) => self.selector(start, *selector),
            Node::Subquery(subquery) => self.subquery(start, *subquery),
            Node::Sign { negative, input } => self.sign(start, negative, *input),
            Node::Binary(binary) => self.binary(start, *binary),
            Node::Aggregate(aggregate) => self.aggregate(start, *aggregate),
            Node::Call(call) => self.call(start, call),
        }
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
            (Expr::Scalar(scalar), true) => Ok(Expr::Scalar(ScalarExpr::Negate(Box::new(scalar)))),
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
        let input = match self.expr(subquery.input)? {
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
