//! What is counted of rules, by their groups. The names are those that Prometheus has for its own, with our prefix.

use std::time::Duration;

use model::Timestamp;
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, exponential_buckets,
};

/// The label with file and name of a group.
const LABEL: &str = "rule_group";

/// The counters of groups. Clones count together.
#[derive(Clone)]
pub(crate) struct GroupMetrics {
    evaluations: IntCounterVec,
    failures: IntCounterVec,
    iterations: IntCounterVec,
    iterations_missed: IntCounterVec,
    /// Of all groups together.
    missed: IntCounter,
    rule_seconds: Histogram,
    group_seconds: Histogram,
    last_seconds: GaugeVec,
    last_time: GaugeVec,
    last_samples: GaugeVec,
    interval: GaugeVec,
    rules: GaugeVec,
}

/// What one evaluation of a group was.
pub(crate) struct Iteration {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    /// How many were left out before it.
    pub(crate) missed: u64,
}

impl GroupMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| {
            registered(registry, IntCounterVec::new(Opts::new(name, help), &[LABEL])?)
        };
        let gauge =
            |name: &str, help: &str| registered(registry, GaugeVec::new(Opts::new(name, help), &[LABEL])?);
        let duration = |name: &str, help: &str| {
            let buckets = exponential_buckets(0.001, 4.0, 9)?;
            registered(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?)
        };
        Ok(Self {
            evaluations: counter("watchkeeper_rule_evaluations_total", "Evaluations of rules.")?,
            failures: counter(
                "watchkeeper_rule_evaluation_failures_total",
                "Evaluations of rules that failed.",
            )?,
            iterations: counter(
                "watchkeeper_rule_group_iterations_total",
                "Evaluations of a group of rules that were due, those left out too.",
            )?,
            iterations_missed: counter(
                "watchkeeper_rule_group_iterations_missed_total",
                "Evaluations of a group of rules that were left out because the one before took too long.",
            )?,
            missed: registered(
                registry,
                IntCounter::new(
                    "watchkeeper_rule_evaluations_missed_total",
                    "Evaluations of groups that were left out because the one before took too long.",
                )?,
            )?,
            rule_seconds: duration(
                "watchkeeper_rule_evaluation_duration_seconds",
                "How long evaluations of rules took.",
            )?,
            group_seconds: duration(
                "watchkeeper_rule_group_duration_seconds",
                "How long evaluations of groups of rules took.",
            )?,
            last_seconds: gauge(
                "watchkeeper_rule_group_last_duration_seconds",
                "How long the last evaluation of a group of rules took.",
            )?,
            last_time: gauge(
                "watchkeeper_rule_group_last_evaluation_timestamp_seconds",
                "When a group of rules was evaluated last.",
            )?,
            last_samples: gauge(
                "watchkeeper_rule_group_last_evaluation_samples",
                "How many samples the last evaluation of a group of rules gave.",
            )?,
            interval: gauge(
                "watchkeeper_rule_group_interval_seconds",
                "How often a group of rules is evaluated.",
            )?,
            rules: gauge("watchkeeper_rule_group_rules", "How many rules a group has.")?,
        })
    }

    /// A group shows up from the start.
    pub(crate) fn appear(&self, key: &str, interval: Duration, rules: usize) {
        for counter in self.counters() {
            counter.with_label_values(&[key]);
        }
        self.interval.with_label_values(&[key]).set(interval.as_secs_f64());
        self.rules.with_label_values(&[key]).set(rules as f64);
    }

    /// A rule of a group was evaluated.
    pub(crate) fn evaluated(&self, key: &str, took: Duration, failed: bool) {
        self.rule_seconds.observe(took.as_secs_f64());
        self.evaluations.with_label_values(&[key]).inc();
        if failed {
            self.failures.with_label_values(&[key]).inc();
        }
    }

    /// What all rules of a group gave together.
    pub(crate) fn gave(&self, key: &str, samples: usize) {
        self.last_samples.with_label_values(&[key]).set(samples as f64);
    }

    /// A group was evaluated.
    pub(crate) fn done(&self, key: &str, iteration: &Iteration) {
        let Iteration { at, took, missed } = *iteration;
        self.group_seconds.observe(took.as_secs_f64());
        self.last_seconds.with_label_values(&[key]).set(took.as_secs_f64());
        self.last_time.with_label_values(&[key]).set(at.as_secs_f64());
        self.iterations.with_label_values(&[key]).inc_by(missed.saturating_add(1));
        self.iterations_missed.with_label_values(&[key]).inc_by(missed);
        self.missed.inc_by(missed);
    }

    /// A group that is evaluated no more is not shown any more; that there is none of it is no failure.
    pub(crate) fn disappear(&self, key: &str) {
        for gauge in [&self.last_seconds, &self.last_time, &self.last_samples, &self.interval, &self.rules] {
            _ = gauge.remove_label_values(&[key]);
        }
        for counter in self.counters() {
            _ = counter.remove_label_values(&[key]);
        }
    }

    fn counters(&self) -> [&IntCounterVec; 4] {
        [&self.evaluations, &self.failures, &self.iterations, &self.iterations_missed]
    }
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
