//! Histograms as scripts write them: `{{schema:0 count:4 sum:5 buckets:[1 2 1]}}`.

use std::sync::Arc;

use model::Histogram;
use model::histogram::{Buckets, ResetHint, Span};

use crate::series_text::number;

/// A histogram, and whether the text says what is known of its resets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistogramText {
    pub(crate) histogram: Arc<Histogram>,
    pub(crate) says_reset: bool,
}

/// Reads one or more of them at the beginning of a line: `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`. Gives what follows.
pub(crate) fn sequence(text: &str) -> Result<(Vec<HistogramText>, &str), String> {
    let (first, mut rest) = one(text)?;
    let mut step = None;
    for (sign, factor) in [("+", 1.0), ("-", -1.0)] {
        if let Some(after) = rest.strip_prefix(sign) {
            let (found, after) = one(after)?;
            let mut histogram = Histogram::clone(&found.histogram);
            if factor < 0.0 {
                let reset = histogram.reset;
                histogram.multiply(factor);
                histogram.reset = reset;
            }
            step = Some(histogram);
            rest = after;
            break;
        }
    }
    let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let repeat = match word.strip_prefix('x') {
        Some(repeat) => {
            repeat.parse::<usize>().map_err(|_| format!("`{word}` does not follow a histogram"))?
        }
        None if word.is_empty() => 0,
        None => return Err(format!("`{word}` does not follow a histogram")),
    };
    let mut all = vec![first];
    for _ in 0..repeat {
        let mut next = all[all.len() - 1].clone();
        if let Some(step) = &step {
            let mut sum = Histogram::clone(&next.histogram);
            sum.add(step).map_err(|error| error.to_string())?;
            next.histogram = Arc::new(sum.compacted());
        }
        all.push(next);
    }
    Ok((all, after))
}

fn one(text: &str) -> Result<(HistogramText, &str), String> {
    let inside = text.strip_prefix("{{").ok_or_else(|| format!("no histogram begins with `{text}`"))?;
    let (inside, rest) = inside.split_once("}}").ok_or("a histogram that does not end")?;
    Ok((parse(inside)?, rest))
}

fn parse(inside: &str) -> Result<HistogramText, String> {
    let mut histogram = Histogram::default();
    let mut says_reset = false;
    let (mut positive, mut negative, mut offset, mut negative_offset) = (Vec::new(), Vec::new(), 0, 0);
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':').ok_or_else(|| format!("no `:` in `{rest}`"))?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('[') {
            Some(list) => {
                list.split_once(']').ok_or_else(|| format!("a list that does not end: `{after}`"))?
            }
            None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        let one = || number(value.trim()).ok_or_else(|| format!("`{value}` is no number"));
        let whole = || value.trim().parse::<i32>().map_err(|_| format!("`{value}` is no whole number"));
        let many = || {
            let numbers = value.split_whitespace().map(number);
            numbers.collect::<Option<Vec<f64>>>().ok_or_else(|| format!("`{value}` are no numbers"))
        };
        match key.trim() {
            "schema" => histogram.schema = i8::try_from(whole()?).map_err(|error| error.to_string())?,
            "count" => histogram.count = one()?,
            "sum" => histogram.sum = one()?,
            "z_bucket" => histogram.zero_count = one()?,
            "z_bucket_w" => histogram.zero_threshold = one()?,
            "custom_values" => histogram.custom_bounds = many()?,
            "buckets" => positive = many()?,
            "n_buckets" => negative = many()?,
            "offset" => offset = whole()?,
            "n_offset" => negative_offset = whole()?,
            "counter_reset_hint" => {
                says_reset = true;
                histogram.reset = match value {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NotReset,
                    "gauge" => ResetHint::Gauge,
                    other => return Err(format!("`{other}` says nothing of resets")),
                };
            }
            other => return Err(format!("a histogram has no `{other}`")),
        }
        rest = after.trim_start();
    }
    histogram.positive = side(positive, offset);
    histogram.negative = side(negative, negative_offset);
    Ok(HistogramText { histogram: Arc::new(histogram), says_reset })
}

fn side(counts: Vec<f64>, offset: i32) -> Buckets {
    let length = counts.len() as u32;
    let spans = if length == 0 { Vec::new() } else { vec![Span { offset, length }] };
    Buckets { spans, counts }
}
