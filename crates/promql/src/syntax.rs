//! From a query's text to a tree: PromQL as Prometheus 3 reads it, the experimental syntax included.
//!
//! The tree says what is written and where, and nothing of what it means: types, functions and labels are
//! the translator's. Its depth and its size are bounded here, for everything behind walks it by recursion.

mod lex;
mod number;
mod parser;
mod text;
mod tree;

#[cfg(test)]
pub(crate) use tree::Group;
pub(crate) use tree::{
    Aggregate, Aggregator, At, Binary, BinaryOperator, Call, Fill, Grouping, MatchLabels, Matcher, Matching,
    Node, Selector, Shift, Subquery, Tree,
};

pub(crate) use text::NOT_UTF8;

use crate::Error;

/// Reads a query's text.
pub(crate) fn parse(text: &str) -> Result<Tree, Error> {
    parser::Parser::new(text)?.query()
}

/// The value of a number without a sign.
pub(crate) fn number(word: &str) -> Option<f64> {
    number::number(word)
}

/// The text that a literal in quotes stands for.
pub(crate) fn unquoted(literal: &str) -> Result<String, String> {
    text::unquoted(literal)
}

/// An error at a place of a text, as Prometheus words it.
pub(crate) fn error_at(text: &str, start: usize, message: &str) -> Error {
    if text.is_empty() {
        return Error::BadData(format!("unknown position: parse error: {message}"));
    }
    let place = crate::notes::Place::of(text, start);
    Error::BadData(format!("{}:{}: parse error: {message}", place.line, place.column))
}

#[cfg(test)]
mod tests;
