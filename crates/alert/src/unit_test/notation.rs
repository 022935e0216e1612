//! Series as tests write them: `name{label="value"}`, and values in the expanding notation: `1 2+3x4 _ stale`.

use std::sync::Arc;

use model::{Histogram, Labels, LabelsBuilder};
use promql::Query;
use store::MatchOp;

use super::histogram_text;

/// The most points of one series.
const MAX_POINTS: usize = 10_000_000;

/// One point of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Point {
    Absent,
    Number(f64),
    /// The series has ended.
    Stale,
    Histogram(Arc<Histogram>),
}

/// Reads a label set.
pub(super) fn labels(text: &str) -> Result<Labels, String> {
    let text = text.trim();
    if text.is_empty() || text == "{}" {
        return Ok(Labels::empty());
    }
    // A label set is written as a selector that names one series.
    let query = Query::parse(text).map_err(|error| format!("labels {text:?}: {error}"))?;
    let matchers = query.matchers().ok_or_else(|| format!("labels {text:?}: this names no series"))?;
    let mut builder = LabelsBuilder::new();
    for matcher in matchers {
        if matcher.op() != MatchOp::Equal {
            return Err(format!("labels {text:?}: a series has its labels with `=`"));
        }
        builder.set(matcher.name(), matcher.value());
    }
    Ok(builder.build())
}

/// Reads the values of a series.
pub(super) fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let taken = if rest.starts_with("{{") {
            histograms(rest, &mut points)?
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            numbers(&rest[..end], &mut points)?;
            end
        };
        rest = rest[taken..].trim_start();
    }
    Ok(points)
}

/// How often a point stands: `times` beside the first.
fn repeat(text: &str, word: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{word}` is no value of a series: a whole number must follow `x`"))
}

fn room(points: &[Point], more: usize) -> Result<(), String> {
    if points.len().saturating_add(more) > MAX_POINTS {
        return Err(format!("a series may have {MAX_POINTS} values"));
    }
    Ok(())
}

fn numbers(word: &str, into: &mut Vec<Point>) -> Result<(), String> {
    let fail = || format!("`{word}` is no value of a series");
    // `0x4` is no hexadecimal number, but five times 0.
    let split = word.split_once('x');
    let (body, times) = match split {
        Some((body, times)) => (body, Some(repeat(times, word)?)),
        None => (word, None),
    };
    room(into, times.unwrap_or(0).saturating_add(1))?;
    if body == "_" {
        into.extend(std::iter::repeat_n(Point::Absent, times.unwrap_or(1)));
        return Ok(());
    }
    let count = times.unwrap_or(0) + 1;
    if body == "stale" {
        into.extend(std::iter::repeat_n(Point::Stale, count));
        return Ok(());
    }
    if let Some(value) = number(body) {
        into.extend(std::iter::repeat_n(Point::Number(value), count));
        return Ok(());
    }
    // `start+step`: the sign that is neither first nor part of an exponent.
    let bytes = body.as_bytes();
    let sign = (1..bytes.len())
        .filter(|&at| matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'))
        .find(|&at| number(&body[..at]).is_some() && number(&body[at..]).is_some())
        .filter(|_| times.is_some())
        .ok_or_else(fail)?;
    let start = number(&body[..sign]).ok_or_else(fail)?;
    let step = number(&body[sign..]).ok_or_else(fail)?;
    // Step by step, as Prometheus: the rounding is the same.
    let mut value = start;
    for _ in 0..count {
        into.push(Point::Number(value));
        value += step;
    }
    Ok(())
}

fn number(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    Some(if negative { -number } else { number })
}

/// Reads `{{…}}`, `{{…}}xN` or `{{…}}±{{…}}xN`; says how long that is.
fn histograms(text: &str, into: &mut Vec<Point>) -> Result<usize, String> {
    let (first, mut at) = histogram_text::read(text)?;
    let mut step = None;
    let after = &text[at..];
    if let Some(sign) = after.chars().next().filter(|c| matches!(c, '+' | '-'))
        && after[1..].starts_with("{{")
    {
        let (histogram, length) = histogram_text::read(&after[1..])?;
        step = Some((if sign == '-' { -1.0 } else { 1.0 }, histogram));
        at += 1 + length;
    }
    let end = text[at..].find(char::is_whitespace).map_or(text.len(), |space| at + space);
    let times = match text[at..end].strip_prefix('x') {
        Some(times) => repeat(times, &text[..end])?,
        None if at == end => 0,
        None => return Err(format!("`{}` does not follow a histogram", &text[at..end])),
    };
    room(into, times.saturating_add(1))?;
    let mut value = first;
    for _ in 0..=times {
        into.push(Point::Histogram(Arc::new(value.clone())));
        if let Some((factor, step)) = &step {
            value = histogram_text::sum(&value, step, *factor)?;
        }
    }
    Ok(end)
}
