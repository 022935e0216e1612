//! Series as tests write them: `name{label="value"} 1 2+3x4 _ stale {{schema:0 count:1 sum:2 buckets:[1]}}`.
//!
//! It is the notation of Prometheus' query tests and of `promtool test rules`. What reads it are the query tests of
//! this crate and the unit tests of rules; no query is made of it.

mod histogram;
#[cfg(test)]
mod tests;

use model::labels::METRIC_NAME;
use model::{Labels, LabelsBuilder, STALE_NAN};
use store::MatchOp;

pub use histogram::WrittenHistogram;

use crate::syntax::{self, Node, Shift};

/// The most points of one series.
const MAX_POINTS: usize = 10_000_000;

/// One line: a series with its points.
#[derive(Clone, Debug)]
pub struct WrittenSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its points, one after the other at a distance that is said elsewhere.
    pub points: Vec<Point>,
}

/// One point of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// There is no sample.
    Absent,
    /// A number; the end of a series is [`STALE_NAN`].
    Value(f64),
    /// A native histogram.
    Histogram(WrittenHistogram),
}

/// Reads a series with its points.
pub fn series(line: &str) -> Result<WrittenSeries, String> {
    let (labels, rest) = leading_labels(line).map_err(|reason| format!("`{line}`: {reason}"))?;
    Ok(WrittenSeries { labels, points: points(rest)? })
}

/// Reads the label set that a line begins with, and gives what follows it.
pub fn leading_labels(line: &str) -> Result<(Labels, &str), String> {
    let (written, rest) = line.split_at(end_of_labels(line));
    Ok((labels(written)?, rest))
}

/// Reads a label set: `name{label="value"}`, where either part may be missing.
pub fn labels(text: &str) -> Result<Labels, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Labels::empty());
    }
    // A word that is a keyword in queries is a name before braces.
    let braced = if text.contains('{') { text.to_owned() } else { format!("{text}{{}}") };
    let tree = syntax::parse(&braced).map_err(|error| error.to_string())?;
    let Node::Selector(selector) = tree.node else { return Err("this names no series".to_owned()) };
    if selector.range.is_some() || selector.shift != Shift::default() || selector.extension.is_some() {
        return Err("nothing may follow the labels of a series".to_owned());
    }
    let mut builder = LabelsBuilder::new();
    if let Some(name) = selector.name {
        builder.set(METRIC_NAME, name);
    }
    for matcher in selector.matchers {
        if matcher.op != MatchOp::Equal {
            return Err("a series has its labels with `=`".to_owned());
        }
        builder.set(matcher.name, matcher.value);
    }
    Ok(builder.build())
}

/// Where the label set ends that a line begins with.
fn end_of_labels(line: &str) -> usize {
    let begins_values = |c: char| matches!(c, '{' | '@') || c.is_whitespace();
    let name = line.find(begins_values).unwrap_or(line.len());
    let rest = &line[name..];
    if !rest.starts_with('{') || rest.starts_with("{{") {
        return name;
    }
    let mut quote = None;
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (None, '}') => return name + at + 1,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (Some('"' | '\''), '\\') => _ = characters.next(),
            _ => {}
        }
    }
    line.len()
}

/// Reads the points of a series.
pub fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if rest.starts_with("{{") {
            rest = histogram::sequence(rest, &mut points)?.trim_start();
            continue;
        }
        let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        numbers(word, &mut points)?;
        rest = after.trim_start();
    }
    Ok(points)
}

/// Reads a native histogram: `{{schema:0 count:1 sum:2 buckets:[1]}}`.
pub fn histogram(text: &str) -> Result<WrittenHistogram, String> {
    match histogram::one(text.trim())? {
        (histogram, "") => Ok(histogram),
        (_, rest) => Err(format!("`{rest}` does not follow a histogram")),
    }
}

/// Reads a number as it stands in a series.
pub fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits {
        _ if digits.eq_ignore_ascii_case("inf") => f64::INFINITY,
        _ if digits.eq_ignore_ascii_case("nan") => f64::NAN,
        _ => syntax::number(digits)?,
    };
    Some(sign * value)
}

/// Reads a text in quotes.
pub fn quoted(text: &str) -> Result<String, String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    match quote {
        Some(quote) if text.len() > 1 && text.ends_with(quote) => syntax::unquoted(text),
        _ => Err(format!("`{text}` is no text in quotes")),
    }
}

/// How many points stand beside the first: what follows `x`.
fn times(text: &str, word: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{word}` is no point of a series: a whole number must follow `x`"))
}

fn has_room(points: &[Point], more: usize) -> Result<(), String> {
    if points.len().saturating_add(more) > MAX_POINTS {
        return Err(format!("a series may have {MAX_POINTS} points"));
    }
    Ok(())
}

fn numbers(word: &str, into: &mut Vec<Point>) -> Result<(), String> {
    let fail = || format!("`{word}` is no point of a series");
    // `0x4` is no hexadecimal number, but five times 0.
    let (body, repeated) = match word.split_once('x') {
        Some((body, repeated)) => (body, Some(times(repeated, word)?)),
        None => (word, None),
    };
    let count = repeated.unwrap_or(0).saturating_add(1);
    has_room(into, count)?;
    if body == "_" {
        into.extend(std::iter::repeat_n(Point::Absent, repeated.unwrap_or(1)));
        return Ok(());
    }
    if word == "stale" {
        into.push(Point::Value(STALE_NAN));
        return Ok(());
    }
    if let Some(value) = number(body) {
        into.extend(std::iter::repeat_n(Point::Value(value), count));
        return Ok(());
    }
    // `start+step`: the sign that is neither first nor part of an exponent.
    let bytes = body.as_bytes();
    let sign = (1..bytes.len())
        .filter(|&at| matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'))
        .find(|_| repeated.is_some())
        .ok_or_else(fail)?;
    let mut value = number(&body[..sign]).ok_or_else(fail)?;
    let step = number(&body[sign..]).ok_or_else(fail)?;
    // Step by step, as Prometheus: the rounding is the same.
    for _ in 0..count {
        into.push(Point::Value(value));
        value += step;
    }
    Ok(())
}
