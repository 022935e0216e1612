//! Answers as Loki has them. Grafana reads them as they come, so the order of their fields counts.

use std::collections::BTreeMap;

use model::Timestamp;
use model::event::LogEvent;
use records::{Labels, Steps, Windowed, facts_of, stream_of};
use serde::Serialize;

/// What says that facts of a line are told apart from labels of its stream.
pub(super) const CATEGORIZED: &str = "categorize-labels";

/// A good answer.
#[derive(Serialize)]
pub(super) struct Success<T> {
    status: &'static str,
    data: T,
}

impl<T> Success<T> {
    pub(super) const fn of(data: T) -> Self {
        Self { status: "success", data }
    }
}

/// What a query has found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found<R> {
    result_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encoding_flags: Vec<&'static str>,
    result: Vec<R>,
    stats: Stats,
}

/// What a query took: nothing is told of it.
#[derive(Serialize)]
struct Stats {}

impl<R> Found<R> {
    const fn of(result_type: &'static str, result: Vec<R>) -> Self {
        Self { result_type, encoding_flags: Vec::new(), result, stats: Stats {} }
    }
}

/// Lines of one stream.
#[derive(Serialize)]
pub(super) struct Stream {
    stream: Labels,
    values: Vec<Entry>,
}

/// A line: its time in nanoseconds, and its text.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Plain(String, String),
    Categorized(String, String, Facts),
}

/// What else is known of a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    structured_metadata: Labels,
}

/// Counts over time, or at one.
#[derive(Serialize)]
pub(super) struct Series {
    metric: Labels,
    values: Vec<(f64, String)>,
}

/// A count at one time.
#[derive(Serialize)]
pub(super) struct Sample {
    metric: Labels,
    value: (f64, String),
}

/// Lines by their streams, within each in the order in which they come.
pub(super) fn streams(lines: Vec<LogEvent>, is_categorized: bool) -> Found<Stream> {
    let mut streams: BTreeMap<Labels, Vec<Entry>> = BTreeMap::new();
    for mut log in lines {
        let (labels, time) = (stream_of(&log), log.time.as_nanos().to_string());
        let line = log.message.take().unwrap_or_default();
        let entry = if is_categorized {
            Entry::Categorized(time, line, Facts { structured_metadata: facts_of(&log) })
        } else {
            Entry::Plain(time, line)
        };
        streams.entry(labels).or_default().push(entry);
    }
    let result = streams.into_iter().map(|(stream, values)| Stream { stream, values }).collect();
    let mut found = Found::of("streams", result);
    if is_categorized {
        found.encoding_flags.push(CATEGORIZED);
    }
    found
}

/// Counts at each step.
pub(super) fn matrix(series: Vec<Windowed>, steps: &Steps) -> Found<Series> {
    let points = |values: Vec<Option<f64>>| {
        let at = |(place, value): (usize, Option<f64>)| Some(point(steps.at(place), value?));
        values.into_iter().enumerate().filter_map(at).collect()
    };
    let result = series.into_iter().map(|one| Series { metric: one.labels, values: points(one.values) });
    Found::of("matrix", result.collect())
}

/// Counts at one time.
pub(super) fn vector(series: Vec<Windowed>, at: Timestamp) -> Found<Sample> {
    let sample = |one: Windowed| {
        let value = one.values.into_iter().next().flatten()?;
        Some(Sample { metric: one.labels, value: point(at, value) })
    };
    Found::of("vector", series.into_iter().filter_map(sample).collect())
}

fn point(at: Timestamp, value: f64) -> (f64, String) {
    (at.as_millis() as f64 / 1e3, value.to_string())
}
