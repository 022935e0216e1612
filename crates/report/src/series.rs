//! Questions to PromQL that have numbers for an answer: one at one time or at each step, or one for each series.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Labels, TimeRange, Timestamp};
use promql::{Cancel, Engine, Query, QueryOutput, Value};

use crate::ReportError;

/// The number at one time; `None` when there is none.
pub(crate) fn at(
    engine: &Engine,
    expression: &str,
    time: Timestamp,
    cancel: &Cancel,
) -> Result<Option<f64>, ReportError> {
    let query = Query::parse(expression).map_err(ReportError::Series)?;
    let QueryOutput { value, .. } = engine.instant(&query, time, cancel).map_err(ReportError::Series)?;
    let number = match value {
        Value::Vector(samples) => samples.first().map(|sample| sample.value),
        Value::Scalar(sample) => Some(sample.value),
        Value::Text { .. } | Value::Matrix(_) => None,
    };
    Ok(number.filter(|number| number.is_finite()))
}

/// The numbers of all series at one time; series without one are left out.
pub(crate) fn each_at(
    engine: &Engine,
    expression: &str,
    time: Timestamp,
    cancel: &Cancel,
) -> Result<Vec<(Labels, f64)>, ReportError> {
    let query = Query::parse(expression).map_err(ReportError::Series)?;
    let QueryOutput { value, .. } = engine.instant(&query, time, cancel).map_err(ReportError::Series)?;
    let Value::Vector(samples) = value else { return Ok(Vec::new()) };
    let numbers = samples.into_iter().map(|sample| (sample.labels, sample.value));
    Ok(numbers.filter(|(_, number)| number.is_finite()).collect())
}

/// The numbers at each step of a range, by time; steps without one are left out.
pub(crate) fn over(
    engine: &Engine,
    expression: &str,
    range: TimeRange,
    step: Duration,
    cancel: &Cancel,
) -> Result<BTreeMap<Timestamp, f64>, ReportError> {
    let query = Query::parse(expression).map_err(ReportError::Series)?;
    let output = engine.range(&query, range.start, range.end, step, cancel).map_err(ReportError::Series)?;
    let Value::Matrix(series) = output.value else { return Ok(BTreeMap::new()) };
    let samples = series.into_iter().next().map(|series| series.samples).unwrap_or_default();
    Ok(samples
        .into_iter()
        .filter(|sample| sample.value.is_finite())
        .map(|sample| (Timestamp::from_millis(sample.time_ms), sample.value))
        .collect())
}
