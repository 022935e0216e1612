//! Runs the commands of a script against the engine over a store in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Sample, Timestamp};
use promql::{Cancel, Engine, Error, Limits, Query, QueryOutput, Series, Value, VectorSample};

use crate::memory::MemoryStore;
use crate::script::{self, Command, Eval, Message, Times};
use crate::series_text::{Point, SeriesText};

/// What became of a script's evaluations.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    /// Line, query and reason.
    pub(crate) failures: Vec<String>,
    /// Line, query and what is missing.
    pub(crate) unsupported: Vec<String>,
}

impl Tally {
    /// How many evaluations are unsupported for which reason.
    pub(crate) fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for what in &self.unsupported {
            *reasons.entry(what.rsplit(" -- ").next().unwrap_or(what)).or_default() += 1;
        }
        reasons
    }
}

/// What one evaluation showed.
enum Outcome {
    Passed,
    Failed(String),
    Unsupported(String),
}

const HISTOGRAMS: &str = "native histograms";

pub(crate) fn run(text: &str) -> Tally {
    let mut tally = Tally::default();
    let commands = match script::parse(text) {
        Ok(commands) => commands,
        Err(error) => {
            tally.failures.push(format!("the script cannot be read: {error}"));
            return tally;
        }
    };
    let mut store = Arc::new(MemoryStore::default());
    for command in commands {
        match command {
            Command::Clear => store = Arc::new(MemoryStore::default()),
            Command::Load { step_ms, series, with_histograms } => {
                series.iter().for_each(|series| load(&store, step_ms, series, with_histograms));
            }
            Command::Eval(eval) => {
                let place = format!("{}: {}", eval.line, eval.query);
                match evaluate(&store, &eval) {
                    Outcome::Passed => tally.passed += 1,
                    Outcome::Failed(reason) => tally.failures.push(format!("{place} -- {reason}")),
                    Outcome::Unsupported(what) => tally.unsupported.push(format!("{place} -- {what}")),
                }
            }
        }
    }
    tally
}

fn load(store: &MemoryStore, step_ms: i64, series: &SeriesText, with_histograms: bool) {
    for (index, point) in series.points.iter().enumerate() {
        match point {
            Point::Absent => {}
            Point::Value(value) => store.insert(&series.labels, step_ms * index as i64, *value),
            Point::Histogram => store.insert_histogram(series.labels.clone()),
        }
    }
    if let (true, Some(name)) = (with_histograms, series.labels.metric_name().strip_suffix("_bucket")) {
        store.insert_histogram(series.labels.to_builder().set("__name__", name).remove("le").build());
    }
}

fn evaluate(store: &Arc<MemoryStore>, eval: &Eval) -> Outcome {
    store.take_asked_for_histograms();
    let engine = Engine::new(Arc::<MemoryStore>::clone(store), Limits::default());
    let result = Query::parse(&eval.query).and_then(|query| match eval.times {
        Times::Instant(time_ms) => engine.instant(&query, Timestamp::from_millis(time_ms), &Cancel::never()),
        Times::Range { start_ms, end_ms, step_ms } => engine.range(
            &query,
            Timestamp::from_millis(start_ms),
            Timestamp::from_millis(end_ms),
            Duration::from_millis(step_ms as u64),
            &Cancel::never(),
        ),
    });
    let expects_histogram = eval.series.iter().any(|series| series.points.contains(&Point::Histogram));
    if store.take_asked_for_histograms() || expects_histogram {
        return Outcome::Unsupported(HISTOGRAMS.to_owned());
    }
    match (result, &eval.fail) {
        (Err(Error::Unsupported(what)), _) => Outcome::Unsupported(what),
        (Err(error), Some(expected)) if expected.accepts(&error.to_string()) => Outcome::Passed,
        (Err(error), _) => Outcome::Failed(format!("the query failed: {error}")),
        (Ok(output), Some(_)) => Outcome::Failed(format!("the query did not fail: {:?}", output.value)),
        (Ok(output), None) => match compare(eval, &output) {
            Ok(()) => Outcome::Passed,
            Err(reason) => Outcome::Failed(reason),
        },
    }
}

fn compare(eval: &Eval, output: &QueryOutput) -> Result<(), String> {
    noted("warning", &output.warnings, eval.warn.as_ref(), eval.no_warn)?;
    noted("info", &output.infos, eval.info.as_ref(), eval.no_info)?;
    match (&output.value, eval.times) {
        (Value::Text { text, .. }, _) if eval.text.as_ref() == Some(text) => Ok(()),
        (Value::Scalar(sample), _) if eval.scalar.is_some_and(|scalar| close(scalar, sample.value)) => Ok(()),
        (Value::Vector(samples), _) if eval.scalar.is_none() && eval.text.is_none() => vector(eval, samples),
        (Value::Matrix(series), times) if eval.scalar.is_none() && eval.text.is_none() => {
            matrix(eval, series, eval.range_vector.unwrap_or(times))
        }
        (other, _) => Err(format!("the answer is {other:?}")),
    }
}

fn noted(kind: &str, notes: &[String], expected: Option<&Message>, none: bool) -> Result<(), String> {
    if none && !notes.is_empty() {
        return Err(format!("{kind}s that are not expected: {notes:?}"));
    }
    match expected {
        Some(message) if !notes.iter().any(|note| message.accepts(note)) => {
            Err(format!("expected a {kind} {message:?}, there are {notes:?}"))
        }
        _ => Ok(()),
    }
}

fn vector(eval: &Eval, samples: &[VectorSample]) -> Result<(), String> {
    let expected: Vec<(&Labels, f64)> = eval
        .series
        .iter()
        .map(|series| match series.points[..] {
            [Point::Value(value)] => Ok((&series.labels, value)),
            _ => Err(format!("{} must have one expected value", series.labels)),
        })
        .collect::<Result<_, _>>()?;
    let found = |index: usize, labels: &Labels| {
        if eval.ordered { samples.get(index) } else { samples.iter().find(|sample| sample.labels == *labels) }
    };
    for (index, (labels, value)) in expected.iter().enumerate() {
        match found(index, labels) {
            Some(sample) if sample.labels == **labels && close(*value, sample.value) => {}
            other => return Err(format!("expected {labels} {value}, found {other:?} in {samples:?}")),
        }
    }
    if expected.len() == samples.len() { Ok(()) } else { Err(format!("more than expected: {samples:?}")) }
}

fn matrix(eval: &Eval, found: &[Series], times: Times) -> Result<(), String> {
    let (start_ms, step_ms) = match times {
        Times::Instant(time_ms) => (time_ms, 1),
        Times::Range { start_ms, step_ms, .. } => (start_ms, step_ms),
    };
    let mut expected = 0;
    for series in &eval.series {
        let samples: Vec<Sample> = series
            .points
            .iter()
            .enumerate()
            .filter_map(|(index, point)| match point {
                Point::Value(value) => {
                    Some(Sample { time_ms: start_ms + step_ms * index as i64, value: *value })
                }
                Point::Absent | Point::Histogram => None,
            })
            .collect();
        let other = found.iter().find(|other| other.labels == series.labels);
        let same = |other: &Series| {
            other.samples.len() == samples.len()
                && samples
                    .iter()
                    .zip(&other.samples)
                    .all(|(a, b)| a.time_ms == b.time_ms && close(a.value, b.value))
        };
        if !samples.is_empty() && !other.is_some_and(same) {
            return Err(format!("expected {} {samples:?}, found {other:?} in {found:?}", series.labels));
        }
        expected += usize::from(!samples.is_empty());
    }
    if expected == found.len() { Ok(()) } else { Err(format!("more than expected: {found:?}")) }
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
