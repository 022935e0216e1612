//! What alerting counts of itself.

use std::time::Duration;

use model::Timestamp;
use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, Opts, Registry};

/// The counters. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    evaluations: IntCounter,
    failures: IntCounter,
    missed: IntCounter,
    iterations: IntCounterVec,
    iterations_missed: IntCounterVec,
    group_seconds: GaugeVec,
    group_time: GaugeVec,
    group_interval: GaugeVec,
    group_rules: GaugeVec,
    reload_successful: Gauge,
    reload_success_time: Gauge,
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
        let by_group = |name: &str, help: &str| {
            let gauge = GaugeVec::new(Opts::new(name, help), &["rule_group"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let count_by_group = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["rule_group"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = Gauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
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
            iterations: count_by_group(
                "watchkeeper_rule_group_iterations_total",
                "Evaluations of a group of rules that were due, those left out too.",
            )?,
            iterations_missed: count_by_group(
                "watchkeeper_rule_group_iterations_missed_total",
                "Evaluations of a group of rules that were left out because the one before took too long.",
            )?,
            group_seconds: by_group(
                "watchkeeper_rule_group_last_duration_seconds",
                "How long the last evaluation of a group of rules took.",
            )?,
            group_time: by_group(
                "watchkeeper_rule_group_last_evaluation_timestamp_seconds",
                "When a group of rules was evaluated last.",
            )?,
            group_interval: by_group(
                "watchkeeper_rule_group_interval_seconds",
                "How often a group of rules is evaluated.",
            )?,
            group_rules: by_group("watchkeeper_rule_group_rules", "How many rules a group has.")?,
            reload_successful: gauge(
                "watchkeeper_rules_last_reload_successful",
                "Whether the rule files could be used when they were read last.",
            )?,
            reload_success_time: gauge(
                "watchkeeper_rules_last_reload_success_timestamp_seconds",
                "When the rules that are evaluated were read.",
            )?,
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

    /// A group shows up from the start.
    pub(crate) fn group(&self, key: &str, interval: Duration, rules: usize) {
        self.iterations.with_label_values(&[key]);
        self.iterations_missed.with_label_values(&[key]);
        self.group_interval.with_label_values(&[key]).set(interval.as_secs_f64());
        self.group_rules.with_label_values(&[key]).set(rules as f64);
    }

    pub(crate) fn group_done(&self, key: &str, at: Timestamp, took: Duration, missed: u64) {
        self.group_seconds.with_label_values(&[key]).set(took.as_secs_f64());
        self.group_time.with_label_values(&[key]).set(at.as_secs_f64());
        self.iterations.with_label_values(&[key]).inc_by(missed.saturating_add(1));
        self.iterations_missed.with_label_values(&[key]).inc_by(missed);
        self.missed.inc_by(missed);
    }

    /// A group that is evaluated no more is not shown any more; that there is none of it is no failure.
    pub(crate) fn group_gone(&self, key: &str) {
        for gauge in [&self.group_seconds, &self.group_time, &self.group_interval, &self.group_rules] {
            _ = gauge.remove_label_values(&[key]);
        }
        for counter in [&self.iterations, &self.iterations_missed] {
            _ = counter.remove_label_values(&[key]);
        }
    }

    /// Rule files were read; `at` is when those that are evaluated were.
    pub(crate) fn reloaded(&self, successful: bool, at: Timestamp) {
        self.reload_successful.set(if successful { 1.0 } else { 0.0 });
        self.reload_success_time.set(at.as_secs_f64());
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
