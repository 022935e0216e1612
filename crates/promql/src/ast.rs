//! What a query consists of, in the shape in which Prometheus' API gives it (`parse_query`).
//!
//! The shape is Prometheus' and not ours: it is made for whoever reads it, and nothing is evaluated from it.

use model::labels::METRIC_NAME;
use serde::Serialize;
use store::MatchOp;

use crate::Error;
use crate::format::{is_scalar, number};
use crate::plan::Extension;
use crate::span::Span;
use crate::syntax::{self, At, Grouping, MatchLabels, Node, Selector, Shift, Tree};
use crate::translate::{functions, translate};

/// One part of a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub enum AstNode {
    Aggregation {
        op: String,
        expr: Box<AstNode>,
        param: Option<Box<AstNode>>,
        grouping: Vec<String>,
        without: bool,
    },
    BinaryExpr {
        op: String,
        lhs: Box<AstNode>,
        rhs: Box<AstNode>,
        /// Only between two vectors.
        matching: Option<AstMatching>,
        bool: bool,
    },
    Call {
        func: AstFunction,
        args: Vec<AstNode>,
    },
    MatrixSelector {
        name: String,
        /// In milliseconds, as all durations; 0 when it depends on the step or the range of the query.
        range: i64,
        #[serde(flatten)]
        modifiers: AstModifiers,
        matchers: Vec<AstMatcher>,
        anchored: bool,
        smoothed: bool,
    },
    Subquery {
        expr: Box<AstNode>,
        range: i64,
        /// 0 when none is given.
        step: i64,
        #[serde(flatten)]
        modifiers: AstModifiers,
    },
    NumberLiteral {
        val: String,
    },
    ParenExpr {
        expr: Box<AstNode>,
    },
    StringLiteral {
        val: String,
    },
    UnaryExpr {
        op: String,
        expr: Box<AstNode>,
    },
    VectorSelector {
        name: String,
        #[serde(flatten)]
        modifiers: AstModifiers,
        matchers: Vec<AstMatcher>,
        anchored: bool,
        smoothed: bool,
    },
}

/// How the series of two vectors are matched.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub struct AstMatching {
    /// `one-to-one`, `many-to-one`, `one-to-many` or `many-to-many`.
    pub card: &'static str,
    pub labels: Vec<String>,
    pub on: bool,
    pub include: Vec<String>,
    pub fill_values: AstFill,
}

/// What stands in for a missing series of either side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub struct AstFill {
    pub lhs: Option<f64>,
    pub rhs: Option<f64>,
}

/// A function with its signature.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub struct AstFunction {
    pub name: String,
    pub arg_types: Vec<&'static str>,
    /// How many arguments more there may be; negative when without end.
    pub variadic: i64,
    pub return_type: &'static str,
}

/// `@` and `offset`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub struct AstModifiers {
    pub offset: i64,
    /// In milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// `start` or `end`.
    pub start_or_end: Option<&'static str>,
}

/// A condition on a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of Prometheus' API, which says what they are")]
pub struct AstMatcher {
    pub name: String,
    pub value: String,
    /// `=`, `!=`, `=~` or `!~`.
    #[serde(rename = "type")]
    pub op: &'static str,
}

/// Reads a query and gives its parts. A text that is no query is an error.
pub fn parts(text: &str) -> Result<AstNode, Error> {
    let tree = syntax::parse(text)?;
    translate(text, tree.clone(), None)?;
    Ok(node(&tree))
}

fn boxed(tree: &Tree) -> Box<AstNode> {
    Box::new(node(tree))
}

fn node(tree: &Tree) -> AstNode {
    match &tree.node {
        Node::Number(value) | Node::Duration(value) => AstNode::NumberLiteral { val: number(*value) },
        Node::Text(text) | Node::NotUtf8(text) => AstNode::StringLiteral { val: text.clone() },
        Node::Paren(inner) => AstNode::ParenExpr { expr: boxed(inner) },
        Node::Sign { negative, input } => {
            AstNode::UnaryExpr { op: if *negative { "-" } else { "+" }.to_owned(), expr: boxed(input) }
        }
        Node::Selector(selector) => of_selector(selector),
        Node::Subquery(subquery) => AstNode::Subquery {
            expr: boxed(&subquery.input),
            range: millis(&subquery.range),
            step: subquery.step.as_ref().map_or(0, millis),
            modifiers: modifiers(&subquery.shift),
        },
        Node::Binary(binary) => binary_node(binary),
        Node::Aggregate(aggregate) => {
            let (grouping, without) = match &aggregate.grouping {
                None => (Vec::new(), false),
                Some(Grouping::By(names)) => (names.clone(), false),
                Some(Grouping::Without(names)) => (names.clone(), true),
            };
            let (expr, param) = match aggregate.arguments.as_slice() {
                [param, expr] => (boxed(expr), Some(boxed(param))),
                [expr, ..] => (boxed(expr), None),
                // The translator has refused one without arguments.
                [] => (Box::new(AstNode::StringLiteral { val: String::new() }), None),
            };
            AstNode::Aggregation {
                op: aggregate.aggregator.name().to_owned(),
                expr,
                param,
                grouping,
                without,
            }
        }
        Node::Call(call) => {
            let (arg_types, variadic, return_type) = functions::described(&call.name).unwrap_or_default();
            AstNode::Call {
                func: AstFunction { name: call.name.clone(), arg_types, variadic, return_type },
                args: call.arguments.iter().map(node).collect(),
            }
        }
    }
}

fn binary_node(binary: &syntax::Binary) -> AstNode {
    let between_vectors = !is_scalar(&binary.left) && !is_scalar(&binary.right);
    let matching = between_vectors.then(|| {
        let matching = &binary.matching;
        let (on, labels) = match &matching.labels {
            None => (false, Vec::new()),
            Some(MatchLabels::On(names)) => (true, names.clone()),
            Some(MatchLabels::Ignoring(names)) => (false, names.clone()),
        };
        let card = match &matching.group {
            Some(group) if group.is_left => "many-to-one",
            Some(_) => "one-to-many",
            None if binary.operator.is_set() => "many-to-many",
            None => "one-to-one",
        };
        let include = matching.group.as_ref().map(|group| group.include.clone()).unwrap_or_default();
        let fill_values = AstFill { lhs: matching.fill.left, rhs: matching.fill.right };
        AstMatching { card, labels, on, include, fill_values }
    });
    AstNode::BinaryExpr {
        op: binary.operator.text().to_owned(),
        lhs: boxed(&binary.left),
        rhs: boxed(&binary.right),
        matching,
        bool: binary.matching.returns_bool,
    }
}

fn of_selector(selector: &Selector) -> AstNode {
    let mut matchers: Vec<AstMatcher> = selector
        .matchers
        .iter()
        .map(|matcher| AstMatcher {
            name: matcher.name.clone(),
            value: matcher.value.clone(),
            op: match matcher.op {
                MatchOp::Equal => "=",
                MatchOp::NotEqual => "!=",
                MatchOp::Regex => "=~",
                MatchOp::NotRegex => "!~",
            },
        })
        .collect();
    if let Some(name) = &selector.name {
        matchers.push(AstMatcher { name: METRIC_NAME.to_owned(), value: name.clone(), op: "=" });
    }
    let name = selector.name.clone().unwrap_or_default();
    let modifiers = modifiers(&selector.shift);
    let anchored = selector.extension == Some(Extension::Anchored);
    let smoothed = selector.extension == Some(Extension::Smoothed);
    match &selector.range {
        Some(range) => {
            AstNode::MatrixSelector { name, range: millis(range), modifiers, matchers, anchored, smoothed }
        }
        None => AstNode::VectorSelector { name, modifiers, matchers, anchored, smoothed },
    }
}

fn modifiers(shift: &Shift) -> AstModifiers {
    let (timestamp, start_or_end) = match shift.at {
        None => (None, None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
        Some(At::Time(seconds)) => (Some((seconds * 1000.0).round() as i64), None),
    };
    AstModifiers { offset: shift.offset.as_ref().map_or(0, millis), timestamp, start_or_end }
}

fn millis(span: &Span) -> i64 {
    span.milliseconds(None).unwrap_or(0)
}
