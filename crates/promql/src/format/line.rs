//! Parts of queries on one line, in Prometheus' spelling.

use std::fmt::Write as _;

use model::labels::METRIC_NAME;
use store::MatchOp;

use crate::format_value;
use crate::plan::{Arithmetic, Extension};
use crate::span::Span;
use crate::syntax::{
    Aggregate, At, Binary, BinaryOperator, Grouping, MatchLabels, Matcher, Node, Selector, Shift, Subquery,
    Tree,
};
use crate::value::format_plain;

/// What can be written on one line.
pub(crate) trait Line {
    fn line(&self) -> String;
}

impl Line for Tree {
    fn line(&self) -> String {
        match &self.node {
            Node::Number(value) => format_plain(*value),
            Node::Duration(seconds) => duration(*seconds),
            Node::Text(text) => quoted(text),
            Node::NotUtf8(literal) => literal.clone(),
            Node::Selector(selector) => selector.line(),
            Node::Subquery(subquery) => format!("{}{}", subquery.input.line(), suffix(subquery)),
            Node::Paren(inner) => format!("({})", inner.line()),
            Node::Sign { negative, input } => {
                format!("{}{}", if *negative { '-' } else { '+' }, input.line())
            }
            Node::Binary(binary) => {
                // A sign before an infinity would be one before the whole power.
                let left = match &binary.left.node {
                    Node::Number(f64::INFINITY) if binary.operator == BinaryOperator::Power => {
                        "Inf".to_owned()
                    }
                    _ => binary.left.line(),
                };
                format!("{left} {} {}", operator(binary), binary.right.line())
            }
            Node::Aggregate(aggregate) => {
                format!("{}({})", aggregator(aggregate), joined(&aggregate.arguments))
            }
            Node::Call(call) => format!("{}({})", call.name, joined(&call.arguments)),
        }
    }
}

impl Line for Selector {
    fn line(&self) -> String {
        let mut matchers: Vec<String> = self.matchers.iter().map(Line::line).collect();
        matchers.sort();
        let mut text = self.name.clone().unwrap_or_default();
        // Without a name and without matchers it is `{}`, which `info` takes.
        if !matchers.is_empty() || self.name.is_none() {
            _ = write!(text, "{{{}}}", matchers.join(","));
        }
        let extension = self.extension.map(Extension::name).unwrap_or_default();
        let extension = if extension.is_empty() { String::new() } else { format!(" {extension}") };
        let (at, offset) = shift(&self.shift);
        match &self.range {
            Some(range) => format!("{text}[{}]{extension}{at}{offset}", span(range)),
            None => format!("{text}{at}{extension}{offset}"),
        }
    }
}

impl Line for Matcher {
    fn line(&self) -> String {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        format!("{}{op}{}", label(&self.name), quoted(&self.value))
    }
}

fn joined(trees: &[Tree]) -> String {
    trees.iter().map(Line::line).collect::<Vec<_>>().join(", ")
}

/// What stands between two operands.
pub(crate) fn operator(binary: &Binary) -> String {
    let mut text = binary.operator.text().to_owned();
    let matching = &binary.matching;
    if matching.returns_bool {
        text.push_str(" bool");
    }
    // Between scalars there is nothing to match.
    if is_scalar(&binary.left) || is_scalar(&binary.right) {
        return text;
    }
    let (word, names) = match &matching.labels {
        Some(MatchLabels::On(names)) => ("on", names.as_slice()),
        Some(MatchLabels::Ignoring(names)) => ("ignoring", names.as_slice()),
        None => ("ignoring", &[][..]),
    };
    if word == "on" || !names.is_empty() || matching.group.is_some() {
        _ = write!(text, " {word} ({})", labels(names));
    }
    if let Some(group) = &matching.group {
        let word = if group.is_left { "group_left" } else { "group_right" };
        _ = write!(text, " {word} ({})", labels(&group.include));
    }
    let (left, right) = (matching.fill.left, matching.fill.right);
    match (left, right) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
            _ = write!(text, " fill ({})", format_value(left));
        }
        _ => {
            for (word, value) in [("fill_left", left), ("fill_right", right)] {
                if let Some(value) = value {
                    _ = write!(text, " {word} ({})", format_value(value));
                }
            }
        }
    }
    text
}

/// Whether an expression gives a number and no vector.
pub(crate) fn is_scalar(tree: &Tree) -> bool {
    match &tree.node {
        Node::Number(_) | Node::Duration(_) => true,
        Node::Paren(inner) => is_scalar(inner),
        Node::Sign { input, .. } => is_scalar(input),
        Node::Binary(binary) => is_scalar(&binary.left) && is_scalar(&binary.right),
        Node::Call(call) => crate::translate::functions::described(&call.name)
            .is_some_and(|(_, _, result)| result == "scalar"),
        Node::Text(_) | Node::NotUtf8(_) | Node::Selector(_) | Node::Subquery(_) | Node::Aggregate(_) => {
            false
        }
    }
}

/// The name of an aggregation with its grouping.
pub(crate) fn aggregator(aggregate: &Aggregate) -> String {
    let name = aggregate.aggregator.name();
    match &aggregate.grouping {
        Some(Grouping::Without(names)) => format!("{name} without ({}) ", labels(names)),
        Some(Grouping::By(names)) if !names.is_empty() => format!("{name} by ({}) ", labels(names)),
        _ => name.to_owned(),
    }
}

/// What stands behind the input of a subquery.
pub(crate) fn suffix(subquery: &Subquery) -> String {
    let step = subquery.step.as_ref().map(span).unwrap_or_default();
    let (at, offset) = shift(&subquery.shift);
    format!("[{}:{step}]{at}{offset}", span(&subquery.range))
}

fn shift(shift: &Shift) -> (String, String) {
    let at = match shift.at {
        None => String::new(),
        Some(At::Start) => " @ start()".to_owned(),
        Some(At::End) => " @ end()".to_owned(),
        Some(At::Time(seconds)) => format!(" @ {:.3}", (seconds * 1000.0).round() / 1000.0),
    };
    let offset = match &shift.offset {
        // One of nothing is none.
        Some(offset) if offset.is_literal() && offset.milliseconds(None) == Ok(0) => String::new(),
        Some(offset) => format!(" offset {}", span(offset)),
        None => String::new(),
    };
    (at, offset)
}

/// A duration as it stands by itself: a number of seconds has units too.
fn span(literal: &Span) -> String {
    match literal {
        Span::Number(seconds) => duration(*seconds),
        Span::Negate(input) if literal.is_literal() => format!("-{}", span(input)),
        other => calculated(other),
    }
}

/// A duration that is calculated, or a part of one.
fn calculated(span: &Span) -> String {
    match span {
        Span::Seconds(seconds) => duration(*seconds),
        Span::Number(number) => format_plain(*number),
        Span::Step => "step()".to_owned(),
        Span::Range => "range()".to_owned(),
        Span::Negate(input) => format!("-{}", calculated(input)),
        Span::Group(inner) => format!("({})", calculated(inner)),
        Span::Operation(operator, left, right) => {
            let (left, right) = (calculated(left), calculated(right));
            let sign = match operator {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
                Arithmetic::Modulo => "%",
                Arithmetic::Power => "^",
                Arithmetic::Atan2 => "atan2",
                Arithmetic::Smaller => return format!("min({left}, {right})"),
                Arithmetic::Larger => return format!("max({left}, {right})"),
            };
            format!("{left} {sign} {right}")
        }
    }
}

/// Seconds as a duration: `1h30m`. Years and weeks stand only where nothing is left below them.
fn duration(seconds: f64) -> String {
    const UNITS: [(&str, u64, bool); 7] = [
        ("y", 365 * 86_400_000, true),
        ("w", 7 * 86_400_000, true),
        ("d", 86_400_000, false),
        ("h", 3_600_000, false),
        ("m", 60_000, false),
        ("s", 1000, false),
        ("ms", 1, false),
    ];
    let mut millis = Span::Seconds(seconds).milliseconds(None).unwrap_or_default().unsigned_abs();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if seconds < 0.0 { "-" } else { "" });
    for (unit, length, is_whole) in UNITS {
        let count = millis / length;
        if count > 0 && (!is_whole || millis.is_multiple_of(length)) {
            _ = write!(text, "{count}{unit}");
            millis -= count * length;
        }
    }
    text
}

fn labels(names: &[String]) -> String {
    names.iter().map(|name| label(name)).collect::<Vec<_>>().join(", ")
}

/// A label's name, in quotes where it needs some.
fn label(name: &str) -> String {
    let is_word =
        |(at, c): (usize, char)| c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit());
    if name == METRIC_NAME || (!name.is_empty() && name.char_indices().all(is_word)) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text in quotes, with the escapes of Go.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{b}' => quoted.push_str("\\v"),
            ' '..='~' => quoted.push(c),
            '\0'..='\u{7f}' => _ = write!(quoted, "\\x{:02x}", c as u32),
            // What cannot be seen is written by its number.
            _ if c.escape_debug().count() == 1 => quoted.push(c),
            _ if c as u32 <= 0xffff => _ = write!(quoted, "\\u{:04x}", c as u32),
            _ => _ = write!(quoted, "\\U{:08x}", c as u32),
        }
    }
    quoted.push('"');
    quoted
}
