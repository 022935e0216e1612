//! Native histograms as tests write them: `{{schema:1 sum:2 count:4 buckets:[1 2 1] offset:-1}}`.

use model::Histogram;
use model::histogram::{Buckets, CUSTOM_SCHEMA, MAX_BUCKETS, ResetHint, Span};

/// Reads the histogram that a text begins with, and says how long it is.
pub(super) fn read(text: &str) -> Result<(Histogram, usize), String> {
    let inner = text.strip_prefix("{{").ok_or("a histogram begins with `{{`")?;
    let inner = inner.split_once("}}").ok_or("a histogram without its `}}`")?.0;
    let mut histogram = Histogram::default();
    let (mut positive, mut negative) = ((0, Vec::new()), (0, Vec::new()));
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once(':').ok_or_else(|| format!("`{rest}` is nothing of a histogram"))?;
        let length = if after.starts_with('[') {
            after.find(']').ok_or_else(|| format!("`{key}` has a list without its `]`"))? + 1
        } else {
            after.find(char::is_whitespace).unwrap_or(after.len())
        };
        let (value, after) = after.split_at(length);
        match key.trim() {
            "schema" => histogram.schema = number(key, value)? as i8,
            "sum" => histogram.sum = number(key, value)?,
            "count" => histogram.count = number(key, value)?,
            "z_bucket" => histogram.zero_count = number(key, value)?,
            "z_bucket_w" => histogram.zero_threshold = number(key, value)?,
            "buckets" => positive.1 = list(key, value)?,
            "n_buckets" => negative.1 = list(key, value)?,
            "offset" => positive.0 = number(key, value)? as i32,
            "n_offset" => negative.0 = number(key, value)? as i32,
            "custom_values" => histogram.custom_bounds = list(key, value)?,
            "counter_reset_hint" => histogram.reset = hint(value)?,
            other => return Err(format!("a histogram has no `{other}`")),
        }
        rest = after.trim_start();
    }
    if histogram.schema != CUSTOM_SCHEMA && !(-4..=8).contains(&histogram.schema) {
        return Err(format!("a histogram has no schema {}: there are -4 to 8, and -53", histogram.schema));
    }
    histogram.positive = side(positive.0, positive.1);
    histogram.negative = side(negative.0, negative.1);
    Ok((histogram, inner.len() + 4))
}

fn number(key: &str, text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("`{key}` of a histogram is no number: `{text}`"))
}

fn list(key: &str, text: &str) -> Result<Vec<f64>, String> {
    let inner = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("`{key}` of a histogram is a list: [1 2]"))?;
    let numbers: Vec<f64> =
        inner.split_whitespace().map(|text| number(key, text)).collect::<Result<_, _>>()?;
    if numbers.len() > MAX_BUCKETS {
        return Err(format!("a histogram may have {MAX_BUCKETS} buckets"));
    }
    Ok(numbers)
}

fn hint(text: &str) -> Result<ResetHint, String> {
    match text.trim() {
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

/// One histogram with `factor` times another one added.
pub(super) fn sum(one: &Histogram, other: &Histogram, factor: f64) -> Result<Histogram, String> {
    let same = one.schema == other.schema
        && one.custom_bounds == other.custom_bounds
        && one.zero_threshold == other.zero_threshold;
    if !same {
        return Err("only histograms with the same buckets can be added here".to_owned());
    }
    Ok(Histogram {
        zero_count: one.zero_count + factor * other.zero_count,
        count: one.count + factor * other.count,
        sum: one.sum + factor * other.sum,
        positive: added(&one.positive, &other.positive, factor)?,
        negative: added(&one.negative, &other.negative, factor)?,
        ..one.clone()
    })
}

/// Both have been made by [`side`]: one span, or none.
fn added(one: &Buckets, other: &Buckets, factor: f64) -> Result<Buckets, String> {
    let (Some(a), Some(b)) = (one.spans.first(), other.spans.first()) else {
        let counts = other.counts.iter().map(|count| factor * count);
        return Ok(match (one.spans.first(), other.spans.first()) {
            (None, Some(b)) => side(b.offset, counts.collect()),
            _ => one.clone(),
        });
    };
    let start = a.offset.min(b.offset);
    let end = (a.offset + a.length as i32).max(b.offset + b.length as i32);
    let length = usize::try_from(i64::from(end) - i64::from(start)).unwrap_or(usize::MAX);
    if length > MAX_BUCKETS {
        return Err(format!("a histogram may have {MAX_BUCKETS} buckets"));
    }
    let mut counts = vec![0.0; length];
    for (buckets, offset, factor) in [(one, a.offset, 1.0), (other, b.offset, factor)] {
        let from = usize::try_from(i64::from(offset) - i64::from(start)).unwrap_or(0);
        for (slot, count) in counts[from..].iter_mut().zip(&buckets.counts) {
            *slot += factor * count;
        }
    }
    Ok(side(start, counts))
}
