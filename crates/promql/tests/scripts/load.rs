//! Series of a script on their way into a store.

use futures::executor::block_on;
use model::histogram::ResetHint;
use model::{Histogram, MetricBatch, NO_START, Sample, SampleRun};
use store::{Batch, TelemetryStore};

use crate::series_text::{Point, SeriesText};

/// Stores series whose points are so far apart.
pub(crate) fn load(store: &dyn TelemetryStore, step_ms: i64, series: &[SeriesText]) -> Result<(), String> {
    let mut metrics = MetricBatch::new();
    let mut expected = 0;
    for one in series {
        let (samples, starts) = samples(one, step_ms, &mut metrics);
        expected += samples.len() as u64;
        if !samples.is_empty() {
            metrics.push_run(one.labels.as_ref(), SampleRun { samples: &samples, starts: &starts });
        }
    }
    let appended = block_on(store.append(Batch::from(metrics))).map_err(|error| error.to_string())?;
    // A script may load what is there already.
    let known = appended.samples + appended.samples_duplicate;
    if known == expected { Ok(()) } else { Err(format!("of {expected} samples {known} were taken")) }
}

/// The samples of a series, and since when each of them counts.
fn samples(series: &SeriesText, step_ms: i64, metrics: &mut MetricBatch) -> (Vec<Sample>, Vec<i64>) {
    let mut samples = Vec::new();
    let mut starts = Vec::new();
    let mut before: Option<Histogram> = None;
    for (index, point) in series.points.iter().enumerate() {
        let time_ms = step_ms * index as i64;
        let offset_ms = series.starts_ms.get(index).copied().flatten();
        if *point != Point::Absent {
            starts.push(offset_ms.map_or(NO_START, |offset_ms| time_ms + offset_ms));
        }
        match point {
            Point::Absent => {}
            Point::Value(value) => {
                samples.push(Sample { time_ms, value: *value });
                before = None;
            }
            Point::Histogram(text) => {
                let histogram = as_scraped(&text.histogram, before.as_ref());
                samples.push(Sample { time_ms, value: metrics.histogram(&histogram) });
                before = Some(histogram);
            }
        }
    }
    (samples, starts)
}

/// What is known of resets once a histogram is stored after another: of a counter that has gone on without any,
/// that; else nothing.
fn as_scraped(histogram: &Histogram, before: Option<&Histogram>) -> Histogram {
    let mut histogram = histogram.clone();
    if histogram.reset == ResetHint::Gauge {
        return histogram;
    }
    histogram.reset = ResetHint::Unknown;
    let goes_on = before.is_some_and(|before| {
        before.reset != ResetHint::Gauge
            && before.schema == histogram.schema
            && before.zero_threshold == histogram.zero_threshold
            && before.custom_bounds == histogram.custom_bounds
            && !histogram.is_reset_since(before)
    });
    if goes_on {
        histogram.reset = ResetHint::NotReset;
    }
    histogram
}
