//! From streams of series to answers.

use std::collections::HashSet;

use std::sync::Arc;

use model::{Histogram, Labels, Sample};

use super::held::samples_in_values;
use super::{Evaluation, Merger, final_labels, same_labels};
use crate::plan::{Expr, RangeExpr, VectorExpr};
use crate::steps::{Point, StepSeries, Steps, histogram_in_values};
use crate::{Error, QueryOutput, QueryStats, Series, Value, VectorSample};

/// Evaluates a plan at one time.
pub(crate) fn instant(evaluation: Evaluation<'_>, plan: &Expr, time_ms: i64) -> Result<QueryOutput, Error> {
    let steps = Steps::once(time_ms);
    let value = match plan {
        Expr::Scalar(scalar) => {
            let values = evaluation.scalar(scalar, steps)?;
            Value::Scalar(Sample { time_ms, value: values[0] })
        }
        Expr::Text(text) => Value::Text { time_ms, text: text.clone() },
        Expr::Vector(vector) => Value::Vector(instant_vector(&evaluation, vector, steps)?),
        Expr::Range(range) => Value::Matrix(raw_samples(&evaluation, range, steps)?),
    };
    Ok(finish(evaluation, value))
}

/// Evaluates a plan at many times.
pub(crate) fn range(evaluation: Evaluation<'_>, plan: &Expr, steps: Steps) -> Result<QueryOutput, Error> {
    let series = match plan {
        Expr::Scalar(scalar) => {
            let values = evaluation.scalar(scalar, steps)?;
            vec![StepSeries::of_numbers(Labels::empty(), values)]
        }
        Expr::Vector(vector) => {
            let mut merger = Merger::default();
            evaluation.vector(vector, steps, &mut |series| {
                let histograms = series.size_in_values() - series.values.len();
                evaluation
                    .hold_series(&series.labels, samples_in_values(series.values.len()) + histograms)?;
                let mut series = series.take();
                series.labels = final_labels(&series);
                merger.add(series)
            })?;
            merger.series
        }
        Expr::Range(_) | Expr::Text(_) => {
            let found = if matches!(plan, Expr::Text(_)) { "string" } else { "range vector" };
            return Err(Error::BadData(format!(
                "invalid expression type \"{found}\" for range query, must be Scalar or instant Vector"
            )));
        }
    };
    let mut matrix: Vec<Series> = series
        .into_iter()
        .map(|series| Series {
            samples: samples_of(&series, steps),
            histograms: histograms_of(&series, steps),
            labels: series.labels,
        })
        .filter(|series| !series.is_empty())
        .collect();
    matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(finish(evaluation, Value::Matrix(matrix)))
}

fn finish(evaluation: Evaluation<'_>, value: Value) -> QueryOutput {
    let notes = evaluation.notes.into_inner();
    let notes_of_steps = notes.are_of_steps();
    let (warnings, infos) = notes.into_texts();
    let stats = QueryStats {
        samples_read: evaluation.samples_read.get(),
        samples_held: evaluation.held.values() / samples_in_values(1) as u64,
    };
    let held = evaluation.held.answer(&value);
    QueryOutput { value, warnings, infos, notes_of_steps, stats, held }
}

/// The values that are there, in no more memory than they need: an answer can have millions of them.
fn samples_of(series: &StepSeries, steps: Steps) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(series.numbers().count());
    samples.extend(series.numbers().map(|(step, value)| Sample { time_ms: steps.time_ms(step), value }));
    samples
}

fn histograms_of(series: &StepSeries, steps: Steps) -> Vec<(i64, Arc<Histogram>)> {
    if !series.has_histograms() {
        return Vec::new();
    }
    series
        .present_histograms()
        .map(|(step, histogram)| (steps.time_ms(step), Arc::clone(histogram)))
        .collect()
}

fn instant_vector(
    evaluation: &Evaluation<'_>,
    vector: &VectorExpr,
    steps: Steps,
) -> Result<Vec<VectorSample>, Error> {
    let mut seen = HashSet::new();
    let mut samples = Vec::new();
    evaluation.vector(vector, steps, &mut |series| {
        for (step, value) in series.present() {
            let labels = final_labels(series);
            let point = Point::of(value, &series.histograms);
            let histogram = match &point {
                Point::Number(_) => 0,
                Point::Histogram(histogram) => histogram_in_values(histogram),
            };
            evaluation.hold_series(&labels, samples_in_values(1) + histogram)?;
            if !seen.insert(labels.clone()) {
                return Err(same_labels());
            }
            let time_ms = steps.time_ms(step);
            samples.push(match point {
                Point::Number(value) => VectorSample { labels, time_ms, value, histogram: None },
                Point::Histogram(histogram) => {
                    VectorSample { labels, time_ms, value: 0.0, histogram: Some(histogram) }
                }
            });
        }
        Ok(())
    })?;
    Ok(samples)
}

/// The samples of a range expression as they are stored, or as its subquery gives them.
fn raw_samples(evaluation: &Evaluation<'_>, range: &RangeExpr, steps: Steps) -> Result<Vec<Series>, Error> {
    let mut seen = HashSet::new();
    let mut matrix = Vec::new();
    let windows = evaluation.windows(range, steps);
    let mut places = Vec::new();
    evaluation.runs(range, windows, &mut |run| {
        let labels =
            if run.drop_name { crate::labelset::without_name(run.labels) } else { run.labels.clone() };
        if !seen.insert(labels.clone()) {
            return Err(same_labels());
        }
        windows.places(run.times_ms, &mut places);
        windows.slide(run, &places, |_, window| {
            let (mut samples, mut histograms, mut size) = (Vec::new(), Vec::new(), 0);
            for (time_ms, value) in window.times_ms.iter().zip(window.values) {
                match Point::of(*value, run.histograms) {
                    Point::Number(value) => samples.push(Sample { time_ms: *time_ms, value }),
                    Point::Histogram(histogram) => {
                        size += histogram_in_values(&histogram);
                        histograms.push((*time_ms, histogram));
                    }
                }
            }
            evaluation.hold_series(&labels, samples_in_values(window.values.len()) + size)?;
            matrix.push(Series { labels: labels.clone(), samples, histograms });
            Ok(())
        })
    })?;
    matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(matrix)
}
