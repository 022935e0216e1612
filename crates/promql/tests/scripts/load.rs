//! Series of a script on their way into a store.

use futures::executor::block_on;
use model::{Histogram, MetricBatch, NO_START, Sample, SampleRun};
use promql::notation::{Point, WrittenSeries};
use store::{Batch, TelemetryStore};

/// Stores series whose points are so far apart.
pub(crate) fn load(
    store: &dyn TelemetryStore,
    step_ms: i64,
    series: &[WrittenSeries],
    starts_ms: &[Vec<Option<i64>>],
) -> Result<(), String> {
    let mut metrics = MetricBatch::new();
    let mut expected = 0;
    for (place, one) in series.iter().enumerate() {
        let starts_ms = starts_ms.get(place).map_or(&[][..], Vec::as_slice);
        let (samples, starts) = samples(one, starts_ms, step_ms, &mut metrics);
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
fn samples(
    series: &WrittenSeries,
    starts_ms: &[Option<i64>],
    step_ms: i64,
    metrics: &mut MetricBatch,
) -> (Vec<Sample>, Vec<i64>) {
    let mut samples = Vec::new();
    let mut starts = Vec::new();
    let mut before: Option<Histogram> = None;
    for (index, point) in series.points.iter().enumerate() {
        let time_ms = step_ms * index as i64;
        let offset_ms = starts_ms.get(index).copied().flatten();
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
                let histogram = text.stored_after(before.as_ref());
                samples.push(Sample { time_ms, value: metrics.histogram(&histogram) });
                before = Some(histogram);
            }
        }
    }
    (samples, starts)
}
