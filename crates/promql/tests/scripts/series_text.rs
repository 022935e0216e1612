//! Series as scripts write them: `name{label="value"} 1 2+3x4 _ stale`.

use model::{Labels, STALE_NAN};

use crate::histogram_text::{self, HistogramText};

/// One point of a series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Point {
    Absent,
    Value(f64),
    Histogram(HistogramText),
}

/// One line.
#[derive(Debug)]
pub(crate) struct SeriesText {
    pub(crate) labels: Labels,
    pub(crate) points: Vec<Point>,
    /// How far the start of each point is from its time, in milliseconds, where that is known.
    pub(crate) starts_ms: Vec<Option<i64>>,
}

impl SeriesText {
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let (labels, rest) = labels(line)?;
        Ok(Self { labels, points: points(rest)?, starts_ms: Vec::new() })
    }
}

/// Reads a label set and gives what follows it.
pub(crate) fn labels(line: &str) -> Result<(Labels, &str), String> {
    let name_end = line.find(|c: char| matches!(c, '{' | '@') || c.is_whitespace()).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(name_end);
    let mut pairs = vec![("__name__".to_owned(), name.to_owned())];
    if let Some(inside) = rest.strip_prefix('{').filter(|_| !rest.starts_with("{{")) {
        rest = inside.trim_start();
        loop {
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, after) = label(rest)?;
            let after = after.trim_start();
            // A quoted text that no value follows is the name of the metric.
            let (label, value, after) = match after.strip_prefix('=') {
                Some(after) => {
                    let (value, after) = quoted(after.trim_start())?;
                    (label, value, after)
                }
                None => ("__name__".to_owned(), label, after),
            };
            pairs.push((label, value));
            rest = after.trim_start().trim_start_matches(',').trim_start();
        }
    }
    Ok((Labels::from_pairs(pairs), rest))
}

/// Reads the name of a label, quoted or not, and gives what follows it.
fn label(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        return quoted(text);
    }
    let end = text.find('=').ok_or_else(|| format!("no `=` in {text}"))?;
    Ok((text[..end].trim().to_owned(), &text[end..]))
}

/// Reads a quoted text and gives what follows it.
pub(crate) fn quoted(text: &str) -> Result<(String, &str), String> {
    let quote =
        text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')).ok_or("a quoted text is missing")?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((value, &text[at + character.len_utf8()..])),
            '\\' if quote != '`' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            _ => value.push(character),
        }
    }
    Err(format!("a text that does not end: {text}"))
}

fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if rest.starts_with("{{") {
            let (histograms, after) = histogram_text::sequence(rest)?;
            points.extend(histograms.into_iter().map(Point::Histogram));
            rest = after.trim_start();
            continue;
        }
        let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        points.extend(numbers(word)?);
        rest = after.trim_start();
    }
    Ok(points)
}

fn numbers(word: &str) -> Result<Vec<Point>, String> {
    let fail = || format!("`{word}` is not a point");
    let (body, repeat) = match word.split_once('x') {
        Some((body, repeat)) => (body, Some(repeat.parse::<usize>().map_err(|_| fail())?)),
        None => (word, None),
    };
    if body == "_" {
        return Ok(vec![Point::Absent; repeat.unwrap_or(1)]);
    }
    let count = repeat.unwrap_or(0) + 1;
    if body == "stale" {
        return Ok(vec![Point::Value(STALE_NAN); count]);
    }
    if let Some(value) = number(body) {
        return Ok(vec![Point::Value(value); count]);
    }
    // `start+step` or `start-step`: the sign that is neither first nor part of an exponent.
    let bytes = body.as_bytes();
    let sign = (1..bytes.len())
        .filter(|&at| matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'))
        .find(|&at| number(&body[..at]).is_some() && number(&body[at..]).is_some())
        .ok_or_else(fail)?;
    let start = number(&body[..sign]).ok_or_else(fail)?;
    let step = number(&body[sign..]).ok_or_else(fail)?;
    Ok((0..count).map(|index| Point::Value(start + step * index as f64)).collect())
}

pub(crate) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}
