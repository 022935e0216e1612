//! Native histograms as tests write them: `{{schema:1 sum:2 count:4 buckets:[1 2 1] offset:-1}}`.

use std::sync::Arc;

use model::Histogram;
use model::histogram::{Buckets, CUSTOM_SCHEMA, MAX_BUCKETS, ResetHint, Span};

use super::{Point, has_room, number, times};

/// How far from 1 the first bucket may be, in buckets; further than any number.
const MAX_OFFSET: i32 = 1 << 20;

/// A native histogram as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenHistogram {
    /// The histogram.
    pub histogram: Arc<Histogram>,
    /// Whether the text says what is known of resets.
    pub says_reset: bool,
}

impl WrittenHistogram {
    /// What is known of resets once it is stored after another one: of a counter that has gone on without any, that;
    /// else nothing.
    pub fn stored_after(&self, before: Option<&Histogram>) -> Histogram {
        let mut histogram = Histogram::clone(&self.histogram);
        if histogram.reset == ResetHint::Gauge {
            return histogram;
        }
        let goes_on = before.is_some_and(|before| {
            before.reset != ResetHint::Gauge
                && before.schema == histogram.schema
                && before.zero_threshold == histogram.zero_threshold
                && before.custom_bounds == histogram.custom_bounds
                && !histogram.is_reset_since(before)
        });
        histogram.reset = if goes_on { ResetHint::NotReset } else { ResetHint::Unknown };
        histogram
    }
}

/// Reads `{{…}}`, `{{…}}x3` or `{{…}}+{{…}}x3`, and gives what follows.
pub(super) fn sequence<'a>(text: &'a str, into: &mut Vec<Point>) -> Result<&'a str, String> {
    let (mut written, mut rest) = one(text)?;
    let mut step = None;
    for sign in ['+', '-'] {
        let Some(after) = rest.strip_prefix(sign).filter(|after| after.starts_with("{{")) else { continue };
        let (found, after) = one(after)?;
        step = Some((sign, found.histogram));
        rest = after;
        break;
    }
    let (word, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let repeated = match word.strip_prefix('x') {
        Some(repeated) => times(repeated, word)?,
        None if word.is_empty() => 0,
        None => return Err(format!("`{word}` does not follow a histogram")),
    };
    has_room(into, repeated.saturating_add(1))?;
    into.push(Point::Histogram(written.clone()));
    for _ in 0..repeated {
        if let Some((sign, step)) = &step {
            written.histogram = Arc::new(next(&written.histogram, *sign, step)?);
        }
        into.push(Point::Histogram(written.clone()));
    }
    Ok(rest)
}

/// A histogram after a step.
fn next(histogram: &Histogram, sign: char, step: &Histogram) -> Result<Histogram, String> {
    if histogram.schema > step.schema {
        return Err(format!(
            "a histogram of schema {} cannot go on by steps of schema {}",
            histogram.schema, step.schema
        ));
    }
    let mut next = histogram.clone();
    let combined = if sign == '-' { next.subtract(step) } else { next.add(step) };
    combined.map_err(|error| error.to_string())?;
    Ok(next.compacted())
}

/// Reads the histogram that a text begins with, and gives what follows it.
pub(super) fn one(text: &str) -> Result<(WrittenHistogram, &str), String> {
    let inside = text.strip_prefix("{{").ok_or_else(|| format!("no histogram begins with `{text}`"))?;
    let (inside, rest) = inside.split_once("}}").ok_or("a histogram without its `}}`")?;
    Ok((read(inside)?, rest))
}

fn read(inside: &str) -> Result<WrittenHistogram, String> {
    let mut histogram = Histogram::default();
    let mut says_reset = false;
    let (mut positive, mut negative) = ((0, Vec::new()), (0, Vec::new()));
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once(':').ok_or_else(|| format!("`{rest}` is nothing of a histogram"))?;
        let after = after.trim_start();
        let length = if after.starts_with('[') {
            after.find(']').ok_or_else(|| format!("`{key}` has a list without its `]`"))? + 1
        } else {
            after.find(char::is_whitespace).unwrap_or(after.len())
        };
        let (value, after) = after.split_at(length);
        match key.trim() {
            "schema" => histogram.schema = schema(value)?,
            "sum" => histogram.sum = quantity(key, value)?,
            "count" => histogram.count = quantity(key, value)?,
            "z_bucket" => histogram.zero_count = quantity(key, value)?,
            "z_bucket_w" => histogram.zero_threshold = quantity(key, value)?,
            "buckets" => positive.1 = list(key, value)?,
            "n_buckets" => negative.1 = list(key, value)?,
            "offset" => positive.0 = offset(key, value)?,
            "n_offset" => negative.0 = offset(key, value)?,
            "custom_values" => histogram.custom_bounds = list(key, value)?,
            "counter_reset_hint" => (says_reset, histogram.reset) = (true, hint(value)?),
            other => return Err(format!("a histogram has no `{other}`")),
        }
        rest = after.trim_start();
    }
    histogram.positive = side(positive.0, positive.1);
    histogram.negative = side(negative.0, negative.1);
    Ok(WrittenHistogram { histogram: Arc::new(histogram), says_reset })
}

fn schema(text: &str) -> Result<i8, String> {
    let schema = text.parse().ok().filter(|schema| (-4..=8).contains(schema) || *schema == CUSTOM_SCHEMA);
    schema.ok_or_else(|| format!("a histogram has no schema {text}: there are -4 to 8, and {CUSTOM_SCHEMA}"))
}

fn quantity(key: &str, text: &str) -> Result<f64, String> {
    number(text).ok_or_else(|| format!("`{key}` of a histogram is no number: `{text}`"))
}

fn offset(key: &str, text: &str) -> Result<i32, String> {
    let offset = text.parse().ok().filter(|offset: &i32| offset.abs_diff(0) <= MAX_OFFSET.unsigned_abs());
    offset.ok_or_else(|| format!("`{key}` of a histogram is no whole number within ±{MAX_OFFSET}: `{text}`"))
}

fn list(key: &str, text: &str) -> Result<Vec<f64>, String> {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("`{key}` of a histogram is a list: [1 2]"))?;
    let numbers: Vec<f64> =
        inside.split_whitespace().map(|text| quantity(key, text)).collect::<Result<_, _>>()?;
    if numbers.len() > MAX_BUCKETS {
        return Err(format!("a histogram may have {MAX_BUCKETS} buckets"));
    }
    Ok(numbers)
}

fn hint(text: &str) -> Result<ResetHint, String> {
    match text {
        "unknown" => Ok(ResetHint::Unknown),
        "reset" => Ok(ResetHint::Reset),
        "not_reset" => Ok(ResetHint::NotReset),
        "gauge" => Ok(ResetHint::Gauge),
        other => Err(format!("`{other}` is no hint: there are unknown, reset, not_reset and gauge")),
    }
}

/// Buckets side by side, from this index on.
fn side(offset: i32, counts: Vec<f64>) -> Buckets {
    let length = u32::try_from(counts.len()).unwrap_or(0);
    let spans = if length == 0 { Vec::new() } else { vec![Span { offset, length }] };
    Buckets { spans, counts }
}
