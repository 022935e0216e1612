//! What one rule has counted, by the values of its labels.

use std::collections::HashMap;

use model::labels::METRIC_NAME;
use model::{Labels, LabelsBuilder, MetricBatch, Sample, SampleRun};

use super::rule::Rule;
use super::settings::LogMetricKind;

/// Stands for values of labels that there was no room for.
const OTHER: &str = "other";

/// The sums of one rule.
pub(super) struct Tally {
    series: HashMap<Vec<String>, Sum>,
    max_series: usize,
}

/// What was counted under one label set.
struct Sum {
    /// Since when, in milliseconds since the epoch.
    start_ms: i64,
    zero: Zero,
    count: u64,
    sum: f64,
    /// How many values each bucket has alone, the last one those above all bounds.
    buckets: Vec<u64>,
}

/// The zero that a sum begins with: without it `increase` would not see what made it begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zero {
    /// It was never told.
    Untold,
    /// It is told, and not stored yet.
    Told,
    /// It is stored.
    Stored,
}

/// For what and when sums are told.
#[derive(Clone, Copy)]
pub(super) struct Told<'r> {
    pub(super) rule: &'r Rule,
    pub(super) now_ms: i64,
}

impl Tally {
    pub(super) fn new(max_series: usize) -> Self {
        Self { series: HashMap::new(), max_series }
    }

    /// Counts a value. Whether there was no room for its labels.
    pub(super) fn add(&mut self, labels: Vec<String>, value: f64, rule: &Rule, now_ms: i64) -> bool {
        let is_over = self.series.len() >= self.max_series && !self.series.contains_key(&labels);
        let labels = if is_over { labels.iter().map(|_| OTHER.to_owned()).collect() } else { labels };
        let buckets = match rule.kind() {
            LogMetricKind::Counter => 0,
            LogMetricKind::Histogram => rule.buckets().len() + 1,
        };
        let sum = self.series.entry(labels).or_insert_with(|| Sum {
            start_ms: now_ms,
            zero: Zero::Untold,
            count: 0,
            sum: 0.0,
            buckets: vec![0; buckets],
        });
        sum.count += 1;
        sum.sum += value;
        let place = rule.buckets().partition_point(|bound| *bound < value);
        if let Some(bucket) = sum.buckets.get_mut(place) {
            *bucket += 1;
        }
        is_over
    }

    /// Adds all sums to a batch. Those that were not stored before begin with their zeros, until [`Self::settle`].
    pub(super) fn tell(&mut self, told: Told<'_>, batch: &mut MetricBatch) {
        for (values, sum) in &mut self.series {
            let mut labels = LabelsBuilder::new();
            for (name, value) in told.rule.label_names().zip(values) {
                if !value.is_empty() {
                    labels.set(name, value.as_str());
                }
            }
            sum.tell(told, &labels, batch);
        }
    }

    /// What was told last is stored. What came since then is not of it.
    pub(super) fn settle(&mut self) {
        for sum in self.series.values_mut().filter(|sum| sum.zero == Zero::Told) {
            sum.zero = Zero::Stored;
        }
    }
}

impl Sum {
    fn tell(&mut self, told: Told<'_>, labels: &LabelsBuilder, batch: &mut MetricBatch) {
        let name = told.rule.name();
        let series = |name: &str, bound: Option<&str>| {
            let mut labels = labels.clone();
            labels.set(METRIC_NAME, name);
            if let Some(bound) = bound {
                labels.set("le", bound);
            }
            labels.build()
        };
        match told.rule.kind() {
            LogMetricKind::Counter => self.push(told, &series(name, None), self.sum, batch),
            LogMetricKind::Histogram => {
                let mut below = 0;
                let bounds = told.rule.buckets().iter().map(ToString::to_string);
                for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&self.buckets) {
                    below += count;
                    let labels = series(&format!("{name}_bucket"), Some(&bound));
                    self.push(told, &labels, below as f64, batch);
                }
                self.push(told, &series(&format!("{name}_sum"), None), self.sum, batch);
                self.push(told, &series(&format!("{name}_count"), None), self.count as f64, batch);
            }
        }
        if self.zero == Zero::Untold && self.start_ms < told.now_ms {
            self.zero = Zero::Told;
        }
    }

    fn push(&self, told: Told<'_>, labels: &Labels, value: f64, batch: &mut MetricBatch) {
        let sample = Sample { time_ms: told.now_ms, value };
        let zero = Sample { time_ms: self.start_ms, value: 0.0 };
        let is_whole = self.zero == Zero::Stored || zero.time_ms >= sample.time_ms;
        let samples = if is_whole { vec![sample] } else { vec![zero, sample] };
        let starts = vec![self.start_ms; samples.len()];
        batch.push_run(labels.as_ref(), SampleRun { samples: &samples, starts: &starts });
    }
}
