//! Series of a script on their way into a store.

use futures::executor::block_on;
use model::{Histogram, MetricBatch, Sample};
use promql::notation::{Point, WrittenSeries};
use store::{Batch, TelemetryStore};

/// Stores series whose points are so far apart.
pub(crate) fn load(store: &dyn TelemetryStore, step_ms: i64, series: &[WrittenSeries]) -> Result<(), String> {
    let mut metrics = MetricBatch::new();
    let mut expected = 0;
    for one in series {
        let samples = samples(one, step_ms, &mut metrics);
        expected += samples.len() as u64;
        if !samples.is_empty() {
            metrics.push(one.labels.as_ref(), &samples);
        }
    }
    let appended = block_on(store.append(Batch::from(metrics))).map_err(|error| error.to_string())?;
    // A script may load what is there already.
    let known = appended.samples + appended.samples_duplicate;
    if known == expected { Ok(()) } else { Err(format!("of {expected} samples {known} were taken")) }
}

fn samples(series: &WrittenSeries, step_ms: i64, metrics: &mut MetricBatch) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut before: Option<Histogram> = None;
    for (index, point) in series.points.iter().enumerate() {
        let time_ms = step_ms * index as i64;
        match point {
            Point::Absent => {}
            Point::Value(value) => {
                samples.push(Sample { time_ms, value: *value });
                before = None;
            }
            Point::Histogram(text) => {
                let histogram = text.stored_after(before.as_ref());
                samples.push(Sample { time_ms, value: metrics.histogram(&histogram) });
                before = Some(histogram);
            }
        }
    }
    samples
}
