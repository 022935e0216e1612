//! Histograms: those with bounds as the series of a classic histogram, exponential ones as native histograms.

use model::histogram::{Buckets, ResetHint, Span};
use model::{Histogram, LabelsRef, STALE_NAN, Sample, SampleRun};

use super::{Refusal, SampleSink, plain};
use crate::otlp::metrics::{ExponentialBuckets, ExponentialHistogramPoint, HistogramPoint};

/// The finest schema of a native histogram; what is finer becomes coarser.
const MAX_SCHEMA: i32 = 8;
/// The coarsest.
const MIN_SCHEMA: i32 = -4;
/// How near to zero observations in the zero bucket are where nobody said, as in Prometheus.
const ZERO_THRESHOLD: f64 = 1e-128;
/// Buckets of a native histogram that take about as much memory as a series with no labels.
const BUCKETS_OF_A_SERIES: usize = 16;

/// A bound as `le` and `quantile` have it when Prometheus takes OTLP: `1`, `0.5`, `+Inf`.
pub(super) fn bound_text(bound: f64) -> String {
    if bound.is_infinite() {
        return if bound > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    bound.to_string()
}

impl SampleSink<'_> {
    pub(super) fn take_histogram(&mut self, point: &HistogramPoint<'_>) -> Result<(), Refusal> {
        let is_stale = point.flags.has_no_recorded_value();
        let moment = self.begin(&point.attributes, (point.start_time, point.time), is_stale)?;
        let (bounds, counts) = (&point.explicit_bounds, &point.bucket_counts);
        check_buckets(bounds, counts)?;
        self.check_room(bounds.len() + 3)?;
        if point.sum.is_some() || is_stale {
            self.push(moment, "_sum", None, point.sum.unwrap_or_default());
        }
        self.push(moment, "_count", None, point.count as f64);
        let mut up_to = 0u64;
        for (bound, count) in bounds.iter().zip(counts) {
            up_to = up_to.saturating_add(*count);
            self.push(moment, "_bucket", Some(("le", &bound_text(*bound))), up_to as f64);
        }
        self.push(moment, "_bucket", Some(("le", &bound_text(f64::INFINITY))), point.count as f64);
        self.take_exemplars(&point.exemplars, moment, |value| {
            // No bucket but the last one has observations that are no numbers.
            let place =
                if value.is_nan() { bounds.len() } else { bounds.partition_point(|bound| *bound < value) };
            ("_bucket", Some(bound_text(bounds.get(place).copied().unwrap_or(f64::INFINITY))))
        });
        Ok(())
    }

    pub(super) fn take_exponential_histogram(
        &mut self,
        point: &ExponentialHistogramPoint<'_>,
    ) -> Result<(), Refusal> {
        let is_stale = point.flags.has_no_recorded_value();
        let moment = self.begin(&point.attributes, (point.start_time, point.time), is_stale)?;
        let buckets = point.positive.counts.len() + point.negative.counts.len();
        self.check_room(1 + buckets / BUCKETS_OF_A_SERIES)?;
        let histogram = if is_stale { None } else { Some(native(point)?) };
        self.encode("", None);
        let batch = &mut self.converted.batches(self.metric.temporality).histograms;
        let value = histogram.map_or(STALE_NAN, |histogram| batch.histogram(&histogram));
        let samples = [Sample { time_ms: moment.time_ms, value }];
        let run = SampleRun { samples: &samples, starts: &[moment.start_ms] };
        batch.push_run(LabelsRef::from_canonical(&self.series), run);
        self.take_exemplars(&point.exemplars, moment, |_| ("", None));
        Ok(())
    }
}

fn check_buckets(bounds: &[f64], counts: &[u64]) -> Result<(), String> {
    let fit = if counts.is_empty() { bounds.is_empty() } else { counts.len() == bounds.len() + 1 };
    if !fit {
        let (counts, bounds) = (counts.len(), bounds.len());
        return Err(format!(
            "it has {counts} counts of buckets and {bounds} bounds; one bound less than counts is right"
        ));
    }
    if !bounds.is_sorted_by(|a, b| a < b) || bounds.iter().any(|bound| !bound.is_finite()) {
        return Err("its bounds do not ascend from number to number".to_owned());
    }
    Ok(())
}

/// The native histogram that an exponential one is.
fn native(point: &ExponentialHistogramPoint<'_>) -> Result<Histogram, String> {
    let scale = point.scale;
    if scale < MIN_SCHEMA {
        return Err(format!("its scale is {scale}; {MIN_SCHEMA} is the coarsest that is taken"));
    }
    let zero_threshold = if point.zero_threshold == 0.0 { ZERO_THRESHOLD } else { point.zero_threshold };
    if !zero_threshold.is_finite() || zero_threshold < 0.0 {
        return Err(format!("its threshold of zero is {zero_threshold}"));
    }
    let coarser_by = u32::try_from(scale - MAX_SCHEMA).unwrap_or(0);
    let side = |sent: &ExponentialBuckets| {
        buckets(sent, coarser_by).ok_or_else(|| "its buckets lie out of range".to_owned())
    };
    let histogram = Histogram {
        schema: i8::try_from(scale.min(MAX_SCHEMA))
            .expect("it lies between the coarsest and the finest schema"),
        zero_threshold,
        zero_count: point.zero_count as f64,
        count: point.count as f64,
        sum: plain(point.sum.unwrap_or_default()),
        positive: side(&point.positive)?,
        negative: side(&point.negative)?,
        custom_bounds: Vec::new(),
        reset: ResetHint::Unknown,
    };
    let checked = histogram.checked().and_then(|histogram| {
        histogram.check_whole_counts()?;
        Ok(histogram)
    });
    checked.map_err(|invalid| invalid.to_string())
}

/// Neighbouring buckets without the empty ones, `2^coarser_by` of them made one. They are named after their lower bounds
/// in OpenTelemetry and after their upper bounds in Prometheus, one more.
fn buckets(sent: &ExponentialBuckets, coarser_by: u32) -> Option<Buckets> {
    let mut buckets = Buckets::default();
    // The index behind the bucket that was added last.
    let mut next = 0i64;
    let filled = (i64::from(sent.offset)..).zip(&sent.counts).filter(|(_, count)| **count > 0);
    for (index, count) in filled {
        let index = (index >> coarser_by.min(63)) + 1;
        let count = *count as f64;
        match (buckets.counts.last_mut(), buckets.spans.last_mut()) {
            (Some(last), Some(_)) if index == next - 1 => {
                *last += count;
                continue;
            }
            (Some(_), Some(span)) if index == next => span.length += 1,
            _ => buckets.spans.push(Span { offset: i32::try_from(index - next).ok()?, length: 1 }),
        }
        buckets.counts.push(count);
        next = index + 1;
    }
    Some(buckets)
}
