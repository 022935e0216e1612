//! What alerting counts of itself.

use std::time::Duration;

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, Opts, Registry};

/// The counters. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    evaluations: IntCounter,
    failures: IntCounter,
    missed: IntCounter,
    evaluation_seconds: Gauge,
    delivered: IntCounterVec,
    failed: IntCounterVec,
    dead: IntCounterVec,
    channel_up: GaugeVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let by_channel = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["channel"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let channel_up = GaugeVec::new(
            Opts::new("watchkeeper_channel_up", "Whether the last attempt over a channel succeeded."),
            &["channel"],
        )?;
        registry.register(Box::new(channel_up.clone()))?;
        let evaluation_seconds = Gauge::new(
            "watchkeeper_rule_group_last_duration_seconds",
            "How long the last evaluation of a group of rules took.",
        )?;
        registry.register(Box::new(evaluation_seconds.clone()))?;
        Ok(Self {
            evaluations: counter("watchkeeper_rule_evaluations_total", "Evaluations of rules.")?,
            failures: counter(
                "watchkeeper_rule_evaluation_failures_total",
                "Evaluations of rules that failed.",
            )?,
            missed: counter(
                "watchkeeper_rule_evaluations_missed_total",
                "Evaluations of groups that were left out because the one before took too long.",
            )?,
            evaluation_seconds,
            delivered: by_channel("watchkeeper_notifications_delivered_total", "Notifications delivered.")?,
            failed: by_channel("watchkeeper_notifications_failed_total", "Attempts that failed.")?,
            dead: by_channel("watchkeeper_notifications_dead_total", "Notifications given up.")?,
            channel_up,
        })
    }

    /// A channel shows up from the start, at zero, and as up until an attempt fails.
    pub(crate) fn channel(&self, name: &str, up: bool) {
        for counter in [&self.delivered, &self.failed, &self.dead] {
            counter.with_label_values(&[name]);
        }
        self.channel_up.with_label_values(&[name]).set(if up { 1.0 } else { 0.0 });
    }

    pub(crate) fn evaluated(&self, failed: bool) {
        self.evaluations.inc();
        if failed {
            self.failures.inc();
        }
    }

    pub(crate) fn group_done(&self, took: Duration, missed: u64) {
        self.evaluation_seconds.set(took.as_secs_f64());
        self.missed.inc_by(missed);
    }

    pub(crate) fn delivered(&self, channel: &str) {
        self.delivered.with_label_values(&[channel]).inc();
        self.channel_up.with_label_values(&[channel]).set(1.0);
    }

    pub(crate) fn failed(&self, channel: &str) {
        self.failed.with_label_values(&[channel]).inc();
        self.channel_up.with_label_values(&[channel]).set(0.0);
    }

    pub(crate) fn dead(&self, channel: &str) {
        self.dead.with_label_values(&[channel]).inc();
    }

    /// Notifications of any channel that were given up because the queue was full.
    pub(crate) fn overflowed(&self, count: u64) {
        if count > 0 {
            self.dead.with_label_values(&["(queue full)"]).inc_by(count);
        }
    }
}
