//! Whether an answer is what a script expects.

use std::sync::Arc;

use model::histogram::Buckets;
use model::{Histogram, Labels};
use promql::notation::{Point, WrittenHistogram};
use promql::{QueryOutput, Series, Value, VectorSample};

use crate::script::{Eval, Message, Times};

/// Compares all of an answer.
pub(crate) fn compare(eval: &Eval, output: &QueryOutput) -> Result<(), String> {
    noted("warning", &output.warnings, &eval.warn, eval.no_warn)?;
    noted("info", &output.infos, &eval.info, eval.no_info)?;
    compare_value(eval, &output.value)
}

/// Compares an answer without what was noted.
pub(crate) fn compare_value(eval: &Eval, value: &Value) -> Result<(), String> {
    match (value, eval.times) {
        (Value::Text { text, .. }, _) if eval.text.as_ref() == Some(text) => Ok(()),
        (Value::Scalar(sample), _) if eval.scalar.is_some_and(|scalar| close(scalar, sample.value)) => Ok(()),
        (Value::Vector(samples), _) if eval.scalar.is_none() && eval.text.is_none() => vector(eval, samples),
        (Value::Matrix(series), times) if eval.scalar.is_none() && eval.text.is_none() => {
            matrix(eval, series, eval.range_vector.unwrap_or(times))
        }
        (other, _) => Err(format!("the answer is {other:?}")),
    }
}

/// Notes, of which each must be expected if any is, and each that is expected must be there.
fn noted(kind: &str, notes: &[String], expected: &[Message], none: bool) -> Result<(), String> {
    if none && !notes.is_empty() {
        return Err(format!("{kind}s that are not expected: {notes:?}"));
    }
    let accepts =
        |message: &Message, note: &str| message.accepts(note) || message.accepts(without_place(note));
    if let Some(missing) = expected.iter().find(|message| !notes.iter().any(|note| accepts(message, note))) {
        return Err(format!("expected {kind} {missing:?}, there are {notes:?}"));
    }
    let is_expected = |note: &String| expected.iter().any(|message| accepts(message, note));
    match notes.iter().find(|note| !expected.is_empty() && !is_expected(note)) {
        Some(other) => Err(format!("{kind} that is not expected: {other}")),
        None => Ok(()),
    }
}

/// A note without the place in the query, ` (1:2)`, which some scripts say and some do not.
fn without_place(note: &str) -> &str {
    let is_place = |place: &str| place.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let place = note.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    place.filter(|(_, place)| is_place(place)).map_or(note, |(text, _)| text)
}

fn vector(eval: &Eval, samples: &[VectorSample]) -> Result<(), String> {
    let expected: Vec<(&Labels, &Point)> = eval
        .series
        .iter()
        .map(|series| match &series.points[..] {
            [point @ (Point::Value(_) | Point::Histogram(_))] => Ok((&series.labels, point)),
            _ => Err(format!("{} must have one expected value", series.labels)),
        })
        .collect::<Result<_, _>>()?;
    let found = |index: usize, labels: &Labels| {
        if eval.ordered { samples.get(index) } else { samples.iter().find(|sample| sample.labels == *labels) }
    };
    for (index, (labels, point)) in expected.iter().enumerate() {
        let is_same = |sample: &VectorSample| {
            sample.labels == **labels && matches_point(point, sample.value, sample.histogram.as_ref())
        };
        match found(index, labels) {
            Some(sample) if is_same(sample) => {}
            other => return Err(format!("expected {labels} {point:?}, found {other:?} in {samples:?}")),
        }
    }
    let is_expected = |sample: &VectorSample| expected.iter().any(|(labels, _)| **labels == sample.labels);
    match samples.iter().find(|sample| !is_expected(sample)) {
        Some(other) => Err(format!("more than expected: {other:?} in {samples:?}")),
        None => Ok(()),
    }
}

fn matrix(eval: &Eval, found: &[Series], times: Times) -> Result<(), String> {
    let (start_ms, step_ms) = match times {
        Times::Instant(time_ms) => (time_ms, 1),
        Times::Range { start_ms, step_ms, .. } => (start_ms, step_ms),
    };
    let mut expected: Vec<&Labels> = Vec::new();
    for series in &eval.series {
        let points = || series.points.iter().enumerate().filter(|(_, point)| **point != Point::Absent);
        if points().next().is_none() {
            continue;
        }
        expected.push(&series.labels);
        let other = found.iter().find(|other| other.labels == series.labels);
        let is_same = |other: &&Series| {
            let at = |time_ms: i64| {
                let value = other.samples.iter().find(|sample| sample.time_ms == time_ms);
                let histogram = other.histograms.iter().find(|(at_ms, _)| *at_ms == time_ms);
                (
                    value.map_or(0.0, |sample| sample.value),
                    histogram.map(|(_, histogram)| histogram),
                    value.is_some(),
                )
            };
            points().count() == other.samples.len() + other.histograms.len()
                && points().all(|(index, point)| {
                    let (value, histogram, has_value) = at(start_ms + step_ms * index as i64);
                    (has_value || histogram.is_some()) && matches_point(point, value, histogram)
                })
        };
        if other.filter(is_same).is_none() {
            let points: Vec<_> = points().collect();
            return Err(format!("expected {} {points:?}, found {other:?} in {found:?}", series.labels));
        }
    }
    match found.iter().find(|series| !expected.contains(&&series.labels)) {
        Some(other) => Err(format!("more than expected: {other:?} in {found:?}")),
        None => Ok(()),
    }
}

fn matches_point(expected: &Point, value: f64, histogram: Option<&Arc<Histogram>>) -> bool {
    match (expected, histogram) {
        (Point::Value(expected), None) => close(*expected, value),
        (Point::Histogram(expected), Some(histogram)) => close_histograms(expected, histogram),
        _ => false,
    }
}

/// Whether two histograms are equal up to rounding. What is known of resets counts when the script says it.
fn close_histograms(expected: &WrittenHistogram, found: &Histogram) -> bool {
    let WrittenHistogram { histogram, says_reset } = expected;
    let (a, b) = (Histogram::clone(histogram).compacted(), found.clone().compacted());
    let side = |a: &Buckets, b: &Buckets| {
        a.spans == b.spans
            && a.counts.len() == b.counts.len()
            && a.counts.iter().zip(&b.counts).all(|(a, b)| close(*a, *b))
    };
    a.schema == b.schema
        && a.custom_bounds == b.custom_bounds
        && a.zero_threshold == b.zero_threshold
        && close(a.count, b.count)
        && close(a.sum, b.sum)
        && close(a.zero_count, b.zero_count)
        && side(&a.positive, &b.positive)
        && side(&a.negative, &b.negative)
        && (!says_reset || a.reset == b.reset)
}

/// Whether two numbers are equal up to rounding.
fn close(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-6;
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}
