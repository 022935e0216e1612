//! LogQL, Loki's language, as far as Grafana's data source writes it: streams by their labels, filters of lines and of
//! labels, and counts of lines over time.
//!
//! Records are parsed before they are stored, so `| json` and `| logfmt` change nothing and are passed over. What else
//! there is of the language is refused, with its place and what is taken. Which labels there are is not known here.
//! Regular expressions are those of Go ([`model::pattern`]), as Loki has them; those of searches are Rust's.
//!
//! Start reading at [`parse()`].

mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{Comparison, Error, Pattern, Value, quantity};

/// The most series that `topk` and `bottomk` can ask for.
pub const MAX_TOP: usize = 1_000;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Lines: `{service_name="ocr"} |= "timeout"`.
    Lines(Lines),
    /// Counts of lines over time: `sum by (level) (count_over_time({service_name="ocr"}[1m]))`.
    Counts(Counts),
    /// A number at any time: `vector(1)+vector(1)`, by which Grafana asks whether anybody is there.
    Constant(f64),
}

/// Which lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// What the labels of a stream must be, all of them.
    pub matchers: Vec<Matcher>,
    /// What else must hold, in the order in which it is written.
    pub stages: Vec<Stage>,
}

/// What a label must be. One that is not there has the empty value.
#[derive(Clone, Debug, PartialEq)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// Whether it must not be this.
    pub is_negated: bool,
    /// What.
    pub test: TextTest,
}

/// What a text must be.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// For a label this value; for a line, one that contains this text.
    Text(String),
    /// For a label a value that this matches as a whole; for a line, one in which it matches.
    Pattern(Pattern),
}

/// A condition behind the selector.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Of the line: `|= "timeout" or "timed out"`.
    Line(LineFilter),
    /// Of labels: `| level="error" or http_status_code >= 500`.
    Label(LabelFilter),
}

/// What a line must have, or must not.
#[derive(Clone, Debug, PartialEq)]
pub struct LineFilter {
    /// Whether it must have none of these.
    pub is_negated: bool,
    /// Any of these.
    pub any: Vec<TextTest>,
}

/// What labels must be.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelFilter {
    /// All of these hold.
    All(Vec<LabelFilter>),
    /// Any of these holds.
    Any(Vec<LabelFilter>),
    /// A text.
    Text(Matcher),
    /// A number, a duration or a size.
    Compare {
        /// The label.
        label: String,
        /// How it compares. A label that is no such value does not.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
}

/// Lines, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Which.
    pub lines: Lines,
    /// What is counted.
    pub function: Function,
    /// Over how much time before each instant.
    pub window: Duration,
    /// By which labels.
    pub grouping: Grouping,
    /// Only some of the series.
    pub top: Option<Top>,
}

/// What is counted of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `count_over_time`: how many there are.
    Count,
    /// `rate`: how many there are in a second.
    Rate,
    /// `bytes_over_time`: how many bytes they have.
    Bytes,
    /// `bytes_rate`: how many bytes they have in a second.
    BytesRate,
}

impl Function {
    /// All, by their names.
    const NAMED: [(&'static str, Self); 4] = [
        ("count_over_time", Self::Count),
        ("rate", Self::Rate),
        ("bytes_over_time", Self::Bytes),
        ("bytes_rate", Self::BytesRate),
    ];
}

/// By which labels counts are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Those of streams: nothing is summed up.
    Streams,
    /// `sum by (…)`; of no labels, one sum.
    By(Vec<String>),
    /// `sum without (…)`: those of streams but for these.
    Without(Vec<String>),
}

/// The series with the most, or the least, at each instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// How many, at most [`MAX_TOP`].
    pub count: usize,
    /// Which.
    pub end: TopEnd,
}

/// An end of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopEnd {
    /// `topk`
    Most,
    /// `bottomk`
    Least,
}

/// Reads a query.
///
/// ```
/// use search::logql::{Expression, parse};
/// let Expression::Lines(lines) = parse(r#"{service_name="ocr"} |= "timeout" | json"#)? else { panic!() };
/// assert_eq!((lines.matchers.len(), lines.stages.len()), (1, 1));
/// assert_eq!(parse("{service_name}").unwrap_err().place.column, 14);
/// # Ok::<(), search::Error>(())
/// ```
pub fn parse(text: &str) -> Result<Expression, Error> {
    parse::expression(text).map_err(|fault| fault.in_text(text))
}

/// Reads a selector of streams, with whatever filters stand behind it: what lists of labels and of series take.
pub fn selector(text: &str) -> Result<Lines, Error> {
    parse::selector(text).map_err(|fault| fault.in_text(text))
}

/// A duration as Loki's parameters have it: `15s`, `1m0s`, `200ms`.
pub fn duration(text: &str) -> Option<Duration> {
    quantity::duration(text)
}
