//! Makes samples of one time; starts counters at zero and ends series that are gone.

use std::collections::HashSet;

use model::labels::METRIC_NAME;
use model::{Labels, LabelsBuilder, MetricBatch, STALE_NAN, Sample, Timestamp};

use super::histogram::Histogram;

/// The samples of one time.
pub(super) struct Writer<'a> {
    batch: MetricBatch,
    time_ms: i64,
    /// When a counter that is new now was still zero.
    zero_ms: i64,
    /// The series of the time before.
    previous: &'a HashSet<Labels>,
    written: HashSet<Labels>,
}

impl<'a> Writer<'a> {
    /// A writer for `now`. `zero` is a time before which counters that are new now did not exist: at it
    /// they are written as zero, so that `increase()` sees what they have counted since.
    pub(super) fn new(now: Timestamp, zero: Timestamp, previous: &'a HashSet<Labels>) -> Self {
        Self {
            batch: MetricBatch::new(),
            time_ms: now.as_millis(),
            zero_ms: zero.as_millis(),
            previous,
            written: HashSet::with_capacity(previous.len()),
        }
    }

    /// Writes a state, when there is one.
    pub(super) fn gauge(&mut self, name: &str, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.push(labels_of(name, labels, None), value, false);
        }
    }

    /// Writes a count that began at zero when its series did.
    pub(super) fn counter(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.push(labels_of(name, labels, None), value, true);
    }

    pub(super) fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            self.push(labels_of(&bucket, labels, Some(&le(bound))), count as f64, true);
        }
        self.counter(&format!("{name}_sum"), labels, histogram.sum());
        self.counter(&format!("{name}_count"), labels, histogram.count() as f64);
    }

    fn push(&mut self, labels: Labels, value: f64, starts_at_zero: bool) {
        let sample = Sample { time_ms: self.time_ms, value };
        if starts_at_zero && self.zero_ms < self.time_ms && !self.previous.contains(&labels) {
            let zero = Sample { time_ms: self.zero_ms, value: 0.0 };
            self.batch.push(labels.as_ref(), &[zero, sample]);
        } else {
            self.batch.push(labels.as_ref(), &[sample]);
        }
        self.written.insert(labels);
    }

    /// Ends the series that were written the time before and not now. The samples, and the series that
    /// are there now.
    pub(super) fn finish(mut self) -> (MetricBatch, HashSet<Labels>) {
        for gone in self.previous.difference(&self.written) {
            self.batch.push_one(gone, self.time_ms, STALE_NAN);
        }
        (self.batch, self.written)
    }
}

/// A bound as the label of a bucket has it.
fn le(bound: f64) -> String {
    if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() }
}

/// The labels of the series of a bucket.
pub(super) fn bucket_labels(name: &str, labels: &[(&str, &str)], bound: f64) -> Labels {
    labels_of(&format!("{name}_bucket"), labels, Some(&le(bound)))
}

fn labels_of(name: &str, labels: &[(&str, &str)], le: Option<&str>) -> Labels {
    let mut builder = LabelsBuilder::new();
    builder.set(METRIC_NAME, name);
    for (label, value) in labels {
        builder.set(*label, *value);
    }
    if let Some(le) = le {
        builder.set("le", le);
    }
    builder.build()
}
