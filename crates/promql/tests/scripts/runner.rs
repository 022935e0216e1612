//! Runs the commands of a script against the engine over a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use promql::{Cancel, Engine, Error, Limits, Query, QueryOutput, Series, Value, VectorSample};
use store::TelemetryStore;

use crate::expected;
use crate::load::load;
use crate::script::{self, Command, Eval, Times, Unreadable};

/// What became of a script's evaluations.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<Failure>,
}

/// A command that did not do what it says, by the line on which it begins; or a line that cannot be read.
#[derive(Debug)]
pub(crate) struct Failure {
    line: usize,
    reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

/// Runs a script; each part of it over a new store.
pub(crate) fn run(text: &str, new_store: &dyn Fn() -> Arc<dyn TelemetryStore>) -> Tally {
    let mut tally = Tally::default();
    let commands = match script::parse(text) {
        Ok(commands) => commands,
        Err(Unreadable { line, reason }) => {
            let reason = format!("the script cannot be read: {reason}");
            tally.failures.push(Failure { line, reason });
            return tally;
        }
    };
    let mut store = new_store();
    for command in commands {
        match command {
            Command::Clear => store = new_store(),
            Command::Load { line, step_ms, series } => {
                if let Err(error) = load(&*store, step_ms, &series) {
                    let reason = format!("what is loaded is not stored -- {error}");
                    tally.failures.push(Failure { line, reason });
                }
            }
            Command::Eval(eval) => match evaluate(&store, &eval) {
                Ok(()) => tally.passed += 1,
                Err(reason) => {
                    let reason = format!("{} -- {reason}", eval.query);
                    tally.failures.push(Failure { line: eval.line, reason });
                }
            },
        }
    }
    tally
}

fn evaluate(store: &Arc<dyn TelemetryStore>, eval: &Eval) -> Result<(), String> {
    let engine = Engine::new(Arc::clone(store), Limits::default());
    let output = match ask(&engine, &eval.query, eval.times) {
        Ok(output) => output,
        Err(error) => {
            let text = error.to_string();
            return match &eval.fail {
                Some(expected) if expected.accepts(&text) => Ok(()),
                _ => Err(format!("the query failed: {text}")),
            };
        }
    };
    if eval.fail.is_some() {
        return Err(format!("the query did not fail: {:?}", output.value));
    }
    expected::compare(eval, &output)?;
    match eval.times {
        Times::Instant(time_ms) => among_others(&engine, eval, &output, time_ms),
        Times::Range { .. } => Ok(()),
    }
}

fn ask(engine: &Engine, query: &str, times: Times) -> Result<QueryOutput, Error> {
    let query = Query::parse(query)?;
    let at = Timestamp::from_millis;
    match times {
        Times::Instant(time_ms) => engine.instant(&query, at(time_ms), &Cancel::never()),
        Times::Range { start_ms, end_ms, step_ms } => {
            let step = Duration::from_millis(step_ms.unsigned_abs());
            engine.range(&query, at(start_ms), at(end_ms), step, &Cancel::never())
        }
    }
}

/// An instant query gives the same as one of the steps of a range. Answers that are no vectors, or in an order, are not
/// asked for so, nor is what depends on the range.
fn among_others(engine: &Engine, eval: &Eval, output: &QueryOutput, time_ms: i64) -> Result<(), String> {
    const MINUTE_MS: i64 = 60_000;
    const OF_RANGE: [&str; 4] = ["start()", "end()", "step()", "range()"];
    let is_step = matches!(output.value, Value::Vector(_) | Value::Scalar(_));
    if !is_step || eval.ordered || OF_RANGE.iter().any(|function| eval.query.contains(function)) {
        return Ok(());
    }
    let times =
        Times::Range { start_ms: time_ms - MINUTE_MS, end_ms: time_ms + MINUTE_MS, step_ms: MINUTE_MS };
    let answer =
        ask(engine, &eval.query, times).map_err(|error| format!("as one step of a range: {error}"))?;
    let Value::Matrix(series) = answer.value else { return Err("a range query gave no matrix".to_owned()) };
    if !series.is_sorted_by(|a, b| a.labels <= b.labels) {
        return Err("series of a range query are not sorted".to_owned());
    }
    let samples: Vec<VectorSample> = series.iter().flat_map(|series| at_time(series, time_ms)).collect();
    let value = match (&output.value, &samples[..]) {
        (Value::Scalar(_), [sample]) => Value::Scalar(model::Sample { time_ms, value: sample.value }),
        _ => Value::Vector(samples),
    };
    expected::compare_value(eval, &value).map_err(|reason| format!("as one step of a range: {reason}"))
}

fn at_time(series: &Series, time_ms: i64) -> impl Iterator<Item = VectorSample> {
    let labels = &series.labels;
    let numbers = series.samples.iter().filter(move |sample| sample.time_ms == time_ms).map(move |sample| {
        VectorSample { labels: labels.clone(), time_ms, value: sample.value, histogram: None }
    });
    let histograms = series.histograms.iter().filter(move |(at_ms, _)| *at_ms == time_ms);
    numbers.chain(histograms.map(move |(_, histogram)| {
        let histogram = Some(Arc::clone(histogram));
        VectorSample { labels: labels.clone(), time_ms, value: 0.0, histogram }
    }))
}
