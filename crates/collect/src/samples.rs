//! Writes the samples of one pass: one time, one set of labels that all of them share.

use model::labels::METRIC_NAME;
use model::{LabelsBuilder, MetricBatch, Timestamp};

/// The samples of one pass.
pub(crate) struct Samples {
    batch: MetricBatch,
    time_ms: i64,
    shared: LabelsBuilder,
}

impl Samples {
    pub(crate) fn new(now: Timestamp, shared: &[(&str, &str)]) -> Self {
        Self::extend(MetricBatch::new(), now, shared)
    }

    /// Like [`new`](Self::new), but adds to `batch`.
    pub(crate) fn extend(batch: MetricBatch, now: Timestamp, shared: &[(&str, &str)]) -> Self {
        let mut builder = LabelsBuilder::new();
        for (name, value) in shared {
            builder.set(*name, *value);
        }
        Self { batch, time_ms: now.as_millis(), shared: builder }
    }

    /// Adds a sample of the series `name` with `labels` beside the shared ones.
    pub(crate) fn push(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let mut builder = self.shared.clone();
        builder.set(METRIC_NAME, name);
        for (label, text) in labels {
            builder.set(*label, *text);
        }
        self.batch.push_one(&builder.build(), self.time_ms, value);
    }

    /// Adds a zero of a counter that is told for the first time, a moment before its first value:
    /// without it, `increase()` would not see what made it begin.
    pub(crate) fn push_zero_before(&mut self, name: &str, labels: &[(&str, &str)]) {
        self.time_ms -= 1;
        self.push(name, labels, 0.0);
        self.time_ms += 1;
    }

    /// Adds a sample when there is a value.
    pub(crate) fn push_some(&mut self, name: &str, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.push(name, labels, value);
        }
    }

    pub(crate) fn finish(self) -> MetricBatch {
        self.batch
    }
}
